# The instruction set is one choice for the whole program: Eigen's alignment depends on it, and files compiled with
# different choices must not be linked together. Also installed: a user of the package sets LIMN_ARCH before
# find_package(limn), or brings flags of his own.
function(limn_set_arch target)
  set(choices native x86-64-v3 x86-64-v4 generic)
  if(NOT LIMN_ARCH IN_LIST choices)
    list(JOIN choices ", " choices)
    message(FATAL_ERROR "LIMN_ARCH: expected one of ${choices}, got \"${LIMN_ARCH}\"")
  endif()
  if(NOT LIMN_ARCH STREQUAL "generic")
    # BUILD_INTERFACE: this machine's choice is not installed with the package.
    target_compile_options(${target} INTERFACE $<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-march=${LIMN_ARCH}>>)
  endif()
endfunction()
