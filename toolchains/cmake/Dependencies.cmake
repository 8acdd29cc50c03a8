# Every third-party library, under the one name this tree links it by. Which room may link which is
# checked by tests/tidy; Debian 12's packages are listed in toolchains/packages.txt.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED CONFIG COMPONENTS headers)
find_package(OpenSSL REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)  # CMake files in share
find_package(PahoMqttCpp REQUIRED)
find_package(ZXing REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
pkg_check_modules(qrencode REQUIRED IMPORTED_TARGET libqrencode)
pkg_check_modules(cbor REQUIRED IMPORTED_TARGET libcbor)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)

# mbedTLS 2.28 and SOCI 4.0 ship neither a CMake config nor a .pc file in Debian 12.
function(paifang_import name header)
    add_library(${name} INTERFACE)
    find_path(${name}_include ${header} REQUIRED)
    target_include_directories(${name} SYSTEM INTERFACE ${${name}_include})
    foreach(library ${ARGN})
        find_library(${name}_${library} ${library} REQUIRED)
        target_link_libraries(${name} INTERFACE ${${name}_${library}})
    endforeach()
endfunction()
paifang_import(mbedtls mbedtls/ecp.h mbedx509 mbedcrypto)
paifang_import(soci soci/soci.h soci_core soci_sqlite3)
target_link_libraries(soci INTERFACE SQLite::SQLite3 ${CMAKE_DL_LIBS} Threads::Threads)
# Debian's SOCI does not export the type information UBSan's vptr check asks for.
target_compile_options(soci INTERFACE -fno-sanitize=vptr)

if(PAIFANG_TESTS)
    find_package(doctest REQUIRED)
endif()
