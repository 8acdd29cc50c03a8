#pragma once
// A file that only this process can open: Paho takes certificates and keys by path, and a key has
// no business on a disk because of that.
#include <string>
#include <string_view>

namespace pf::mqtt {

class MemoryFile {
public:
    /// Throws std::system_error when the kernel gives no memory or no descriptor.
    explicit MemoryFile(std::string_view content);
    ~MemoryFile();
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    /// Valid in this process while the object lives; children started by exec don't inherit it.
    const std::string& path() const noexcept { return path_; }

private:
    int descriptor_;
    std::string path_;
};

}  // namespace pf::mqtt
