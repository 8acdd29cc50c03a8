# The two ways a folder becomes a target. A room is a static library named after its folder; a test is
# a doctest program registered with ctest under the same kind of name.

# One INTERFACE target carries the warnings, so no room can forget one and no library header sees them.
add_library(paifang_warnings INTERFACE)
target_compile_options(paifang_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Werror
    -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Woverloaded-virtual
    -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 reports restrict overlaps and dangling storage inside inlined std::string code that is
    # correct (GCC bugs 105329, 105651); -Werror would stop the build on them.
    target_compile_options(paifang_warnings INTERFACE -Wno-restrict -Wno-maybe-uninitialized
        -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds)
endif()

# Where speed does not matter (tests, wiring, command lines, JSON at the edge) the sanitized build is
# not optimised: heavy library templates compile twice to three times faster. Release is untouched. Nor is every
# access checked for its alignment there: much to compile, and little to find where nothing casts pointers.
set(paifang_cold_options $<$<CONFIG:Debug>:-O0> $<$<CONFIG:Debug>:-fno-sanitize=alignment>)

# In builds made for testing, what nearly every file includes is parsed once: the standard library, Boost's
# result and fmt, no header of ours and nothing only one room may know. Release builds do without, so a
# file that forgets an include is found there. Two of them, because the compiler asks for equal options.
option(PAIFANG_PCH "precompile the common headers" OFF)
function(paifang_precompiled_headers)  # once, in the root folder
    if(NOT PAIFANG_PCH)
        return()
    endif()
    foreach(pch paifang_pch paifang_pch_cold)
        file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${pch}.cpp CONTENT "// Generated: an empty file.\n")
        add_library(${pch} OBJECT ${CMAKE_BINARY_DIR}/${pch}.cpp)
        target_link_libraries(${pch} PRIVATE paifang_warnings fmt::fmt Boost::headers)
        target_precompile_headers(${pch} PRIVATE
            <algorithm> <array> <charconv> <chrono> <cstdint> <cstdlib> <deque> <filesystem> <functional> <map>
            <memory> <optional> <set> <span> <stdexcept> <string> <string_view> <utility> <variant> <vector>
            <boost/system/result.hpp> <fmt/format.h>)
    endforeach()
    target_compile_options(paifang_pch_cold PRIVATE ${paifang_cold_options})
endfunction()

function(paifang_precompile target pch)
    if(NOT PAIFANG_PCH)
        return()
    endif()
    target_precompile_headers(${target} REUSE_FROM ${pch})
    # Equal options: who links fmt or not, an executable or a library.
    target_compile_definitions(${target} PRIVATE $<TARGET_PROPERTY:fmt::fmt,INTERFACE_COMPILE_DEFINITIONS>)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL EXECUTABLE)
        set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
        target_compile_options(${target} PRIVATE -fPIC)
    endif()
endfunction()

# paifang_room(<target> [COLD] SOURCES … [PUBLIC …] [PRIVATE …])
#   <target> is the folder with '_' for '/', e.g. common_ticket; the alias common::ticket is what others link.
function(paifang_room target)
    cmake_parse_arguments(ROOM "COLD" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
    if(ROOM_SOURCES)
        add_library(${target} STATIC ${ROOM_SOURCES})
        target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
        target_link_libraries(${target} PUBLIC ${ROOM_PUBLIC} PRIVATE ${ROOM_PRIVATE} paifang_warnings)
        if(ROOM_COLD)
            target_compile_options(${target} PRIVATE ${paifang_cold_options})
            paifang_precompile(${target} paifang_pch_cold)
        else()
            paifang_precompile(${target} paifang_pch)
        endif()
    else()
        add_library(${target} INTERFACE)
        target_include_directories(${target} INTERFACE ${PROJECT_SOURCE_DIR})
        target_link_libraries(${target} INTERFACE ${ROOM_PUBLIC})
    endif()
    string(REGEX REPLACE "^(common|firmware|server|boards|tests)_" "\\1::" alias ${target})
    add_library(${alias} ALIAS ${target})
endfunction()

# paifang_program(<name> <source> LINK …): what people and units start; its source only reads arguments and wires.
function(paifang_program name source)
    cmake_parse_arguments(PROGRAM "" "" "LINK" ${ARGN})
    add_executable(${name} ${source})
    target_compile_options(${name} PRIVATE ${paifang_cold_options})
    target_link_libraries(${name} PRIVATE ${PROGRAM_LINK} paifang_warnings)
    paifang_precompile(${name} paifang_pch_cold)
endfunction()

# paifang_test(<name> SOURCES … [LINK …] [LABELS …] [TIMEOUT s] [DATABASES])
#   DATABASES: what it keeps lies in a tests::Database; <name>_postgresql is the same suite on PostgreSQL.
function(paifang_test name)
    cmake_parse_arguments(TEST "DATABASES" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
    if(NOT TEST_TIMEOUT)
        set(TEST_TIMEOUT 120)
    endif()
    add_executable(${name} ${TEST_SOURCES})
    target_compile_options(${name} PRIVATE ${paifang_cold_options})
    target_link_libraries(${name} PRIVATE ${TEST_LINK} tests::main paifang_warnings)
    paifang_precompile(${name} paifang_pch_cold)
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} LABELS "${TEST_LABELS}")
    if(TEST_DATABASES)
        target_link_libraries(${name} PRIVATE tests::database)
        paifang_on_postgresql(${name} ${TEST_TIMEOUT} "${TEST_LABELS}")
    endif()
endfunction()

# The same suite again, on the PostgreSQL that tests/support/database starts for the run.
set(paifang_postgresql ${PROJECT_BINARY_DIR}/tests/postgresql)
function(paifang_on_postgresql name timeout labels)
    add_test(NAME ${name}_postgresql COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    math(EXPR timeout "${timeout} * 5")  # for a machine that does other things too
    set_tests_properties(${name}_postgresql PROPERTIES TIMEOUT ${timeout} LABELS "${labels}"
        FIXTURES_REQUIRED postgresql ENVIRONMENT PAIFANG_POSTGRES=${paifang_postgresql})
endfunction()

# paifang_rooms(<folder>…): adds the subfolders, in the order of the flow.
function(paifang_rooms)
    foreach(room ${ARGN})
        add_subdirectory(${room})
    endforeach()
endfunction()
