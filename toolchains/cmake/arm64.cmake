# ARMv8: Debian's arm64. Sysroot: toolchains/sysroot arm64
set(paifang_debian_architecture arm64)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(paifang_triplet aarch64-linux-gnu)
set(paifang_emulator qemu-aarch64-static)
include(${CMAKE_CURRENT_LIST_DIR}/Cross.cmake)
