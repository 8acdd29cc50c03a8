# What the toolchain files of both ARM architectures share: Debian's cross compiler, headers and libraries
# from a sysroot alone, tests under qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${paifang_triplet}-gcc)
set(CMAKE_CXX_COMPILER ${paifang_triplet}-g++)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH paifang_toolchains)
cmake_path(GET paifang_toolchains PARENT_PATH paifang_root)
set(CMAKE_SYSROOT ${paifang_root}/build/sysroot/${paifang_debian_architecture})
if(NOT EXISTS ${CMAKE_SYSROOT}/usr/include)
    message(FATAL_ERROR "no sysroot; make it: toolchains/sysroot ${paifang_debian_architecture}")
endif()
set(CMAKE_LIBRARY_ARCHITECTURE ${paifang_triplet})
set(CMAKE_FIND_ROOT_PATH ${CMAKE_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# There is no cross pkg-config; the native one, told where to look.
set(ENV{PKG_CONFIG_DIR} "")
set(ENV{PKG_CONFIG_LIBDIR}
    "${CMAKE_SYSROOT}/usr/lib/${paifang_triplet}/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig")
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})
set(CMAKE_CROSSCOMPILING_EMULATOR ${paifang_emulator} -L ${CMAKE_SYSROOT})
