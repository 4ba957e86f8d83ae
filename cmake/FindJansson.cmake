# Jansson, the JSON reader: Debian's package brings no CMake files. Gives Jansson::Jansson.
find_path(Jansson_INCLUDE_DIR jansson.h)
find_library(Jansson_LIBRARY jansson)
if(Jansson_INCLUDE_DIR)
  file(STRINGS ${Jansson_INCLUDE_DIR}/jansson.h Jansson_VERSION REGEX "define JANSSON_VERSION ")
  string(REGEX MATCH "[0-9.]+" Jansson_VERSION "${Jansson_VERSION}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Jansson REQUIRED_VARS Jansson_LIBRARY Jansson_INCLUDE_DIR
                                  VERSION_VAR Jansson_VERSION)
if(Jansson_FOUND AND NOT TARGET Jansson::Jansson)
  add_library(Jansson::Jansson UNKNOWN IMPORTED)
  set_target_properties(Jansson::Jansson PROPERTIES IMPORTED_LOCATION ${Jansson_LIBRARY}
                                                    INTERFACE_INCLUDE_DIRECTORIES ${Jansson_INCLUDE_DIR})
endif()
