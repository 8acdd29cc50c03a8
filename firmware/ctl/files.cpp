#include "firmware/ctl/files.hpp"

#include <fmt/format.h>

#include <fstream>
#include <system_error>

namespace pf::firmware::ctl {

Failure file_failure(std::string code, const std::filesystem::path& path, const Words& why) {
    return {.exit = Exit::file,
            .code = std::move(code),
            .words = {fmt::format("{}: {}", path.string(), why.en),
                      fmt::format("{}：{}", path.string(), why.zh)}};
}

namespace {

/// Of a regular file, at most `bytes_max` long.
Got<std::uint64_t> size_of(const std::filesystem::path& path, std::uint64_t bytes_max) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error))
        return file_failure("file_unreadable", path, {"no such file", "没有这个文件"});
    const auto size = std::filesystem::file_size(path, error);
    if (error) return file_failure("file_unreadable", path, {error.message(), "读不出来"});
    if (size > bytes_max)
        return file_failure("file_too_large", path,
                            {fmt::format("larger than {} bytes", bytes_max),
                             fmt::format("超过 {} 字节", bytes_max)});
    return std::uint64_t{size};
}

Failure unreadable(const std::filesystem::path& path) {
    return file_failure("file_unreadable", path, {"can't be read", "读不出来"});
}

}  // namespace

Got<std::string> read_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
    const auto size = size_of(path, bytes_max);
    if (!size) return size.error();
    std::ifstream in{path, std::ios::binary};
    std::string content(static_cast<std::size_t>(*size), '\0');
    if (!in.read(content.data(), static_cast<std::streamsize>(*size))) return unreadable(path);
    return content;
}

Got<std::shared_ptr<FileReader>> FileReader::open(const std::filesystem::path& path,
                                                  std::uint64_t bytes_max) {
    const auto size = size_of(path, bytes_max);
    if (!size) return size.error();
    auto reader = std::make_shared<FileReader>();
    reader->path_ = path;
    reader->bytes_ = *size;
    reader->in_.open(path, std::ios::binary);
    if (!reader->in_) return unreadable(path);
    return reader;
}

std::size_t FileReader::read(std::span<char> room) {
    in_.read(room.data(), static_cast<std::streamsize>(room.size()));
    const auto got = static_cast<std::size_t>(in_.gcount());
    read_ += got;
    if (got == 0 && read_ < bytes_) failure_ = unreadable(path_);
    return got;
}

Got<std::uint64_t> write_file(const std::filesystem::path& path, BytesView content) {
    auto fresh = path;
    fresh += ".new";
    std::error_code error;
    {
        std::ofstream out{fresh, std::ios::binary | std::ios::trunc};
        const auto text = as_text(content);
        out.write(text.data(), static_cast<std::streamsize>(text.size()));
        out.flush();
        if (!out) {
            std::filesystem::remove(fresh, error);
            return file_failure("file_unwritable", path, {"can't be written", "写不进去"});
        }
    }
    std::filesystem::rename(fresh, path, error);
    if (error) return file_failure("file_unwritable", path, {error.message(), "写不进去"});
    return content.size();
}

}  // namespace pf::firmware::ctl
