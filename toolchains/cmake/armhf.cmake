# ARMv7 with NEON, as in Cortex-A7: Debian's armhf, whose own floor has no NEON. Sysroot: toolchains/sysroot armhf
set(paifang_debian_architecture armhf)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(paifang_triplet arm-linux-gnueabihf)
set(paifang_emulator qemu-arm-static)
# psabi: GCC notes on every std::pair that GCC 7 changed how it passes it; nothing here is older.
set(CMAKE_CXX_FLAGS_INIT "-mfpu=neon-vfpv4 -mcpu=cortex-a7 -Wno-psabi")
set(CMAKE_C_FLAGS_INIT "-mfpu=neon-vfpv4 -mcpu=cortex-a7")
include(${CMAKE_CURRENT_LIST_DIR}/Cross.cmake)
