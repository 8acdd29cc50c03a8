#pragma once
// The cache on SQLite. Inside the room only; others see cache.hpp.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "firmware/cache/cache.hpp"
#include "firmware/sqlite/database.hpp"
#include "firmware/sqlite/statement.hpp"

namespace pf::firmware::cache {

Fault cache_fault(sqlite::Fault fault) noexcept;

class SqliteCache final : public Cache {
public:
    /// The file has its schema already. Call load() next.
    SqliteCache(sqlite::Writer writer, std::optional<Sealing> sealing, bool rebuilt);

    /// Reads lists, stages and positions. Throws SQLite::Exception.
    /// Whether the rows of the list in force give the digest and number it is said to have. Reads
    /// all of them.
    bool holds_what_it_says(wire::ListScope scope) const;
    void load();

    bool rebuilt() const override { return rebuilt_; }

    // lists.cpp
    ListMeta list(wire::ListScope scope) const override { return lists_.at(scope).meta; }
    wire::ListDigest digest(wire::ListScope scope) const override {
        return lists_.at(scope).digest;
    }
    std::optional<wire::Revoked> revoked(TicketId ticket) const override;
    std::vector<wire::Carried> carried(admission::CarrierKind kind,
                                       const wire::CarrierHash& hash) const override;
    std::optional<Stage> stage(wire::ListScope scope) const override;
    Result<void> begin_stage(wire::ListScope scope, const Stage& stage) override;
    Result<void> stage_rows(wire::ListScope scope, const std::vector<wire::ListRow>& rows) override;
    Result<ListMeta> apply_stage(wire::ListScope scope, const wire::ListManifest& manifest,
                                 Generation generation, std::uint64_t version) override;
    Result<void> drop_stage(wire::ListScope scope) override;
    Result<void> refresh(wire::ListScope scope, const wire::ListManifest& manifest,
                         Generation generation, std::uint64_t version) override;
    Result<bool> tidy() override;

    // told.cpp
    std::vector<wire::UseItem> uses_of(TicketId ticket) const override;
    UsesPosition uses_position() const override { return uses_position_; }
    Result<void> apply_uses(const std::vector<wire::UseItem>& items,
                            UsesPosition position) override;
    Result<bool> forget_uses_before(Day day) override;
    std::optional<Bytes> document(wire::DocumentType type) const override;
    Result<void> put_document(wire::DocumentType type, BytesView signed_bytes) override;
    std::vector<pf::journal::Cursor> confirmed() const override { return confirmed_; }
    Generation confirmed_generation() const override { return confirmed_generation_; }
    Result<void> set_confirmed(Generation generation, const pf::journal::Cursor& cursor) override;
    Result<void> forget_confirmed(Generation generation) override;
    bool command_seen(const std::array<Byte, 16>& id) const override;
    Result<void> remember_command(const std::array<Byte, 16>& id, WallTime expires_at) override;
    std::int64_t number(std::string_view name, std::int64_t otherwise) const override;
    Result<void> put_number(std::string_view name, std::int64_t value) override;

private:
    struct List {
        std::int64_t slot = 0;
        ListMeta meta;
        wire::ListDigest digest;
    };
    struct Staged {
        std::int64_t slot = 0;
        Stage stage;
        std::uint64_t rows = 0;   // of the list when this is applied
        wire::ListDigest digest;  // of the list when this is applied
    };
    struct Statements {
        explicit Statements(SQLite::Database& database);
        SQLite::Statement body_at;
        SQLite::Statement rows_between;
        SQLite::Statement insert_row;
        SQLite::Statement put_stage;
        SQLite::Statement uses;
        SQLite::Statement put_use;
        SQLite::Statement command_seen;
        SQLite::Statement number;
    };

    /// Runs `work` in one transaction. `work` may throw SQLite::Exception; afterwards what is kept
    /// in memory is read from the file again.
    template <class Work>
    Result<void> write(Work&& work) {
        if (const auto fault = unreadable()) return *fault;
        try {
            SQLite::Transaction transaction{database_, SQLite::TransactionBehavior::IMMEDIATE};
            work();
            transaction.commit();
            return {};
        } catch (const SQLite::Exception& exception) {
            return failed(exception);
        }
    }
    template <class Read>
    static auto reading(Read&& read) {
        try {
            return read();
        } catch (const SQLite::Exception& exception) {
            throw ReadFailed{cache_fault(sqlite::fault_of(exception)), exception.what()};
        }
    }
    Fault failed(const SQLite::Exception& exception);
    /// After a failed write what is kept in memory is read again first; nothing when it is right.
    std::optional<Fault> unreadable();

    void load_lists();
    void load_stages();
    void load_positions();
    std::optional<Bytes> body_at(wire::ListScope scope, std::int64_t slot, BytesView key) const;
    std::int64_t free_slot(wire::ListScope scope);
    void delete_stage(wire::ListScope scope);
    void put_stage(wire::ListScope scope, const Staged& staged);
    void put_list(wire::ListScope scope, const List& list);
    Staged staged_for(wire::ListScope scope, const Stage& stage);
    std::uint64_t count_bucket(wire::ListScope scope, std::int64_t slot, std::uint8_t bucket);
    void delete_bucket(wire::ListScope scope, std::int64_t slot, std::uint8_t bucket);
    bool add_row(wire::ListScope scope, Staged& staged, const wire::ListRow& row);
    void merge(wire::ListScope scope, const Staged& staged, std::int64_t into);
    bool tidy_slice();

    sqlite::Writer writer_;
    SQLite::Database& database_;
    mutable Statements statements_;
    std::optional<Sealing> sealing_;
    std::optional<Bytes> unsealed_;  // secrets, when there is nothing to seal them with
    bool rebuilt_;
    bool loaded_ = false;
    std::map<wire::ListScope, List> lists_;  // every scope has one; version 0: none
    std::map<wire::ListScope, Staged> stages_;
    UsesPosition uses_position_;
    std::vector<pf::journal::Cursor> confirmed_;
    Generation confirmed_generation_;
};

}  // namespace pf::firmware::cache
