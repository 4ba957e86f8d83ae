# Settings of our own builds (never of a user's): warnings, tools that make builds faster.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()
# -O3 takes a third more compile time (65 s against 50 s for the quickstart); the hot loops are marked as vector loops.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG" CACHE STRING "Flags of release builds")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_EXTENSIONS OFF)

find_program(LIMN_CCACHE ccache)
if(LIMN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What ccache's manual asks for where precompiled headers are used.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${LIMN_CCACHE})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()

find_program(LIMN_MOLD mold)
if(LIMN_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# A target of ours: all of limn, strict warnings.
function(limn_own_target target)
  target_link_libraries(${target} PRIVATE limn::limn $<TARGET_NAME_IF_EXISTS:limn::io>)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Werror)
  # g++ 12 takes its own AVX-512 intrinsics for uninitialised reads (GCC bug 105593) and joined strings for overlapping
  # copies (bug 105651).
  target_compile_options(
    ${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized;-Wno-maybe-uninitialized;-Wno-restrict>)
endfunction()

# Writes the flags with which any user of limn compiles to a file, one a line, for checks that call a compiler
# themselves: g++ @build/dev/user_flags.txt -fsyntax-only ...
set(LIMN_USER_FLAGS ${CMAKE_BINARY_DIR}/user_flags.txt)
function(limn_write_user_flags target)
  # /usr/include is searched anyway, and naming it would change the order.
  set(includes "$<FILTER:$<TARGET_PROPERTY:${target},INTERFACE_INCLUDE_DIRECTORIES>,EXCLUDE,^/usr/include$>")
  set(definitions "$<TARGET_PROPERTY:${target},INTERFACE_COMPILE_DEFINITIONS>")
  file(GENERATE OUTPUT ${LIMN_USER_FLAGS} CONTENT "-std=c++20
-fopenmp
-fno-math-errno
-I$<JOIN:$<REMOVE_DUPLICATES:${includes}>,
-I>
-D$<JOIN:$<REMOVE_DUPLICATES:${definitions}>,
-D>
")
endfunction()
