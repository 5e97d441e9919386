# SPDX-License-Identifier: BSL-1.0
# Configures, builds and runs one consumer project; refused_version has to fail to configure.
if(CASE STREQUAL "pkg_config")
    find_program(pkg_config NAMES pkgconf pkg-config)
    if(NOT pkg_config)
        message("skipped: pkg-config is not installed")
        return()
    endif()
    set(ENV{PKG_CONFIG_PATH} "${PREFIX}/${INSTALL_DATADIR}/pkgconfig")
endif()

# A folder left by an earlier run would hide a package that is no longer found.
file(REMOVE_RECURSE "${BUILD_DIR}")
execute_process(
    COMMAND "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/${CASE}" -B "${BUILD_DIR}"
            -G "${GENERATOR}"
            -D "CMAKE_CXX_COMPILER=${CXX}"
            -D "CMAKE_CXX_FLAGS=${CXX_FLAGS}"
            -D "CMAKE_BUILD_TYPE=${BUILD_TYPE}"
            -D "CMAKE_PREFIX_PATH=${PREFIX}"
            -D "PYGC_SOURCE_DIR=${PYGC_SOURCE_DIR}"
    RESULT_VARIABLE result
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output)

if(CASE STREQUAL "refused_version")
    if(result EQUAL 0)
        message(FATAL_ERROR "find_package(pygc 99) must fail, but found a package")
    endif()
    # The package must have been found and refused, not merely missed. CMake breaks its lines.
    string(REGEX REPLACE "[ \n]+" " " output "${output}")
    if(NOT output MATCHES "compatible with requested version \"99\"" OR NOT output MATCHES "pygc-config.cmake")
        message(FATAL_ERROR "configuring failed, but not because of the version:\n${output}")
    endif()
    return()
endif()

if(NOT result EQUAL 0)
    message(FATAL_ERROR "configuring failed:\n${output}")
endif()
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${BUILD_DIR}" --config Debug
                COMMAND_ERROR_IS_FATAL ANY)
find_program(program consumer PATHS "${BUILD_DIR}" PATH_SUFFIXES Debug
             NO_DEFAULT_PATH REQUIRED)
execute_process(COMMAND "${program}" RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "the program ended with ${result}: collect() did not return 2")
endif()
