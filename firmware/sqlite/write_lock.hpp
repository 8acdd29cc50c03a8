#pragma once
// One process writes a file: held by flock on a lock file beside it, gone with the process.
#include <string>

#include "firmware/sqlite/fault.hpp"

namespace pf::firmware::sqlite {

class WriteLock {
public:
    /// Holds nothing: files in a named VFS have one user by construction.
    WriteLock() = default;
    /// Fault::locked when somebody has it. Never waits.
    static Result<WriteLock> take(const std::string& database_path);
    WriteLock(WriteLock&& other) noexcept;
    WriteLock& operator=(WriteLock&& other) noexcept;
    ~WriteLock();

private:
    explicit WriteLock(int file) : file_{file} {}
    int file_ = -1;
};

}  // namespace pf::firmware::sqlite
