#pragma once
// A database of the test's own, gone with it: a SQLite file, or, when PAIFANG_POSTGRES names the
// file with the address of a PostgreSQL, one there. The same suites run on both.
#include <memory>
#include <optional>
#include <string>

#include "tests/support/temp_dir.hpp"

namespace pf::tests {

class Database {
public:
    Database();
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    static bool on_postgres();
    /// Whether a PgBouncer that pools transactions is in between (PAIFANG_POOLED).
    static bool pooled();
    /// What a Store is opened with.
    std::string where() const;

    /// Statements behind the store's back; throws std::runtime_error. On PostgreSQL also while it
    /// is open.
    void run(const std::string& sql) const;
    /// The first column of the first row, as text.
    std::optional<std::string> ask(const std::string& sql) const;
    /// Is that text anywhere in its files, or in any table of it?
    bool holds(const std::string& text) const;
    /// Takes a copy, and puts it back in place of what is there. While nobody has it open.
    void save() const;
    void restore() const;
    /// PostgreSQL: empty, made with these options.
    void make_again(const std::string& options) const;

private:
    TempDir folder_;
    std::string name_;             // PostgreSQL: of this process, also in its children
    mutable bool soiled_ = false;  // is not used for another test
};

/// Where the PostgreSQL of the tests is, as somebody who may do everything there; its databases are
/// `<server>/name`.
std::string postgres_address(const std::string& database);

}  // namespace pf::tests
