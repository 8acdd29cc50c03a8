#pragma once
// Whole files in and out, with failures in words.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/base/bytes.hpp"
#include "firmware/ctl/exit.hpp"

namespace pf::firmware::ctl {

/// A regular file, at most `bytes_max` long.
Got<std::string> read_file(const std::filesystem::path& path, std::uint64_t bytes_max);

/// A file given piece by piece. Not copied: whoever reads holds it.
class FileReader {
public:
    /// A regular file, at most `bytes_max` long.
    static Got<std::shared_ptr<FileReader>> open(const std::filesystem::path& path,
                                                 std::uint64_t bytes_max);
    std::uint64_t bytes() const noexcept { return bytes_; }
    /// How much of `room` was filled; 0 at the end, or when it can't be read any more.
    std::size_t read(std::span<char> room);
    /// What kept it from being read to the length it had at open().
    const std::optional<Failure>& failure() const noexcept { return failure_; }

private:
    std::filesystem::path path_;
    std::ifstream in_;
    std::uint64_t bytes_ = 0, read_ = 0;
    std::optional<Failure> failure_;
};

/// Replaces the file only when all of it could be written.
Got<std::uint64_t> write_file(const std::filesystem::path& path, BytesView content);

Failure file_failure(std::string code, const std::filesystem::path& path, const Words& why);

}  // namespace pf::firmware::ctl
