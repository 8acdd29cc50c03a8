#pragma once
// The server's directory: what it keeps, who may read it.
//   server.db       the database            master.key     seals every secret in it
//   authority.key   the platform's own certificate authority, with authority.pem
//   admin.key       the first API key, written once         broker/   of the managed broker
//   ports.json      what is listening where, for tools; gone when the server is
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/entropy.hpp"
#include "common/base/time.hpp"
#include "sync-server/fleet/fleet.hpp"

namespace pf::server::app {

/// Held while a server or a tool works in a data directory, whatever database it uses: keys and the
/// broker's files are one process's too.
class DirLock {
public:
    explicit DirLock(const std::filesystem::path& file);
    bool opened() const noexcept { return fd_ >= 0; }  // false: the file can't be made
    ~DirLock();
    DirLock(const DirLock&) = delete;
    DirLock& operator=(const DirLock&) = delete;
    bool held() const noexcept { return held_; }

private:
    int fd_;
    bool held_;
};

class DataDir {
public:
    explicit DataDir(std::filesystem::path path) : path_{std::move(path)} {}

    /// Makes the directory (0700) when it is not there. A sentence for people when it can't be
    /// used.
    std::optional<std::string> prepare() const;
    /// Reads the keys, or makes them at the first start. Never replaces one that is there: without
    /// master.key the database is lost, without authority.key every device must be paired anew.
    std::variant<fleet::Keys, std::string> keys(Entropy& entropy) const;

    std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

/// Whole or not at all, readable by the owner alone, on disk when this returns. False when it could
/// not be written; `fresh_only`: also when the file is there already.
bool write_private(const std::filesystem::path& file, std::string_view content,
                   bool fresh_only = false);
/// At most 1 MiB.
std::optional<std::string> read_file(const std::filesystem::path& file);

}  // namespace pf::server::app
