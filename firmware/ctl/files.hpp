#pragma once
// Whole files in and out, with failures in words.
#include <cstdint>
#include <filesystem>
#include <string>

#include "common/base/bytes.hpp"
#include "firmware/ctl/exit.hpp"

namespace pf::firmware::ctl {

/// A regular file, at most `bytes_max` long.
Got<std::string> read_file(const std::filesystem::path& path, std::uint64_t bytes_max);

/// Replaces the file only when all of it could be written.
Got<std::uint64_t> write_file(const std::filesystem::path& path, BytesView content);

Failure file_failure(std::string code, const std::filesystem::path& path, const Words& why);

}  // namespace pf::firmware::ctl
