# Run at every build (cmake -P): writes when the source was made, so that the same source gives the same
# program. SOURCE_DATE_EPOCH says it, else the commit, else (an archive without either) the floor below.
#   -D SOURCE=<source tree> -D TEMPLATE=<file.in> -D OUTPUT=<file>
set(seconds "$ENV{SOURCE_DATE_EPOCH}")
if(NOT seconds MATCHES "^[0-9]+$")
    execute_process(COMMAND git -C ${SOURCE} log -1 --format=%ct
        OUTPUT_VARIABLE seconds OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT seconds MATCHES "^[0-9]+$")
    set(seconds 1795305600)  # 2026-11-22
endif()
configure_file(${TEMPLATE} ${OUTPUT} @ONLY)  # touches the file only when it changes
