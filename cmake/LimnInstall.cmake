# install() and the package that find_package(limn) reads.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(limn_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/limn)
target_include_directories(limn ${limn_system} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
install(DIRECTORY include/limn TYPE INCLUDE FILES_MATCHING PATTERN "*.hpp")

# One file of targets per component, so that a program which reads no images needs no image libraries.
install(TARGETS limn EXPORT limn_core)
install(EXPORT limn_core FILE limn-core.cmake NAMESPACE limn:: DESTINATION ${limn_package_dir})
if(LIMN_IO)
  install(TARGETS limn_io EXPORT limn_io)
  install(EXPORT limn_io FILE limn-io.cmake NAMESPACE limn:: DESTINATION ${limn_package_dir})
endif()

configure_package_config_file(cmake/limnConfig.cmake.in limnConfig.cmake INSTALL_DESTINATION ${limn_package_dir}
                              NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(limnConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/limnConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/limnConfigVersion.cmake
              cmake/LimnArch.cmake cmake/FindJansson.cmake
        DESTINATION ${limn_package_dir})
