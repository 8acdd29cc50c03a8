#include "common/mqtt/memory_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace pf::mqtt {

namespace {

void write_all(int descriptor, std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = ::write(descriptor, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            const int error = errno;
            ::close(descriptor);
            throw std::system_error(error, std::generic_category(), "write to memory file");
        }
        content.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace

MemoryFile::MemoryFile(std::string_view content)
    : descriptor_{::memfd_create("paifang-mqtt", MFD_CLOEXEC)} {
    if (descriptor_ < 0) {
        throw std::system_error(errno, std::generic_category(), "memfd_create");
    }
    write_all(descriptor_, content);
    // Opening this path makes a descriptor of its own, which begins at the file's start.
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
}

MemoryFile::~MemoryFile() { ::close(descriptor_); }

}  // namespace pf::mqtt
