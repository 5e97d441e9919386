# SPDX-License-Identifier: BSL-1.0
# Installs the build into a fresh prefix, so that nothing of an earlier install can help a consumer.
file(REMOVE_RECURSE "${PREFIX}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${PYGC_BINARY_DIR}" --prefix "${PREFIX}"
                COMMAND_ERROR_IS_FATAL ANY)
