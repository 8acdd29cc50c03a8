#include "sync-server/store/sql.hpp"

#include <soci/soci.h>

#include <deque>
#include <random>
#include <stdexcept>
#include <unordered_map>

namespace pf::server::store {

Bytes Row::bytes(std::size_t column) const {
    auto bytes = from_hex(text(column));
    if (!bytes) throw std::runtime_error{"a column that should be hexadecimal is not"};
    return *bytes;
}

Digest Row::digest(std::size_t column) const {
    const auto digest = array_from_hex<32>(text(column));
    if (!digest) throw std::runtime_error{"a column that should be a digest is not"};
    return *digest;
}

std::uint64_t Row::hex64(std::size_t column) const {
    const auto bytes = array_from_hex<8>(text(column));
    if (!bytes) throw std::runtime_error{"a column that should be an id is not"};
    return from_be8(*bytes);
}

DeviceId Row::device(std::size_t column) const {
    auto id = DeviceId::parse(text(column));
    if (!id) throw std::runtime_error{"a column that should be a device id is not"};
    return *id;
}

/// SOCI binds by address, so values live in cells that never move. A cell is bound as integer or
/// text at the statement's first use; a null keeps whichever type the cell has.
struct Sql::Prepared final : Row {
    struct Cell {
        char type = 'i';
        long long number = 0;
        std::string text{};
        soci::indicator indicator = soci::i_ok;
    };
    explicit Prepared(soci::session& session) : statement{session} {}

    bool is_null(std::size_t column) const override {
        return out.at(column).indicator == soci::i_null;
    }
    std::int64_t number(std::size_t column) const override {
        const Cell& cell = out.at(column);
        if (cell.type != 'i') throw std::logic_error{"column is text, asked as integer"};
        return cell.indicator == soci::i_null ? 0 : cell.number;
    }
    const std::string& text(std::size_t column) const override {
        const Cell& cell = out.at(column);
        if (cell.type != 't') throw std::logic_error{"column is integer, asked as text"};
        static const std::string empty;
        return cell.indicator == soci::i_null ? empty : cell.text;
    }

    void exchange(Cell& cell, bool into) {
        if (into && cell.type == 'i') statement.exchange(soci::into(cell.number, cell.indicator));
        if (into && cell.type == 't') statement.exchange(soci::into(cell.text, cell.indicator));
        if (!into && cell.type == 'i') statement.exchange(soci::use(cell.number, cell.indicator));
        if (!into && cell.type == 't') statement.exchange(soci::use(cell.text, cell.indicator));
    }

    soci::statement statement;
    std::deque<Cell> in;
    std::deque<Cell> out;
    bool busy = false;
};

struct Sql::Cache {
    std::unordered_map<std::string, std::unique_ptr<Prepared>> statements;
    std::vector<std::unique_ptr<Prepared>> broken;
    std::mt19937_64 stand_ins{std::random_device{}()};
};

Sql::Sql(soci::session& session, Manner manner)
    : session_{session}, manner_{manner}, cache_{std::make_unique<Cache>()} {}
Sql::~Sql() = default;

namespace {
/// The types a call binds with are part of the statement's key: a nullable text and a nullable
/// integer would otherwise share cells of the wrong type.
std::string signature(std::string_view sql, std::initializer_list<Value> values,
                      std::string_view columns) {
    std::string key{sql};
    key += '\x1f';
    for (const Value& value : values)
        key += std::holds_alternative<std::int64_t>(value.get()) ? 'i' : 't';
    key += '\x1f';
    key += columns;
    return key;
}
}  // namespace

// Kept as one function with the binding below: `values` decides the statement's identity and its
// content.
static void bind_values(auto& cells, std::initializer_list<Value> values) {
    auto cell = cells.begin();
    for (const Value& value : values) {
        cell->indicator = soci::i_ok;
        if (const auto* number = std::get_if<std::int64_t>(&value.get())) {
            cell->number = *number;
        } else if (const auto* text = std::get_if<std::string>(&value.get())) {
            // SQLite would keep it, PostgreSQL would cut the text there without a word.
            if (text->find('\0') != std::string::npos)
                throw std::invalid_argument{"a text with a NUL in it can't be stored"};
            cell->text = *text;
        } else {
            cell->indicator = soci::i_null;
        }
        ++cell;
    }
}

Sql::Prepared& Sql::prepared(std::string_view key, std::size_t values, std::string_view columns) {
    const auto found = cache_->statements.find(std::string{key});
    if (found != cache_->statements.end()) return *found->second;

    const std::size_t sql_end = key.find('\x1f');
    auto fresh = std::make_unique<Prepared>(session_);
    for (std::size_t i = 0; i < values; ++i) {
        fresh->in.push_back({.type = key[sql_end + 1 + i]});
        fresh->exchange(fresh->in.back(), false);
    }
    for (const char type : columns) {
        fresh->out.push_back({.type = type});
        fresh->exchange(fresh->out.back(), true);
    }
    fresh->statement.alloc();
    fresh->statement.prepare(std::string{key.substr(0, sql_end)},
                             manner_.prepare_on_server ? soci::details::st_repeatable_query
                                                       : soci::details::st_one_time_query);
    fresh->statement.define_and_bind();
    return *cache_->statements.emplace(std::string{key}, std::move(fresh)).first->second;
}

void Sql::discard(const Prepared& broken) noexcept {
    // A statement that failed keeps half of what it was given (SOCI clears it only on success), and
    // on SQLite it is gone.
    for (auto at = cache_->statements.begin(); at != cache_->statements.end(); ++at) {
        if (at->second.get() != &broken) continue;
        cache_->broken.push_back(std::move(at->second));
        cache_->statements.erase(at);
        return;
    }
}

void Sql::forget_broken() noexcept { cache_->broken.clear(); }

std::int64_t Sql::place_in(Order order, std::int64_t tenant) {
    if (manner_.dialect == Dialect::postgresql) {
        unplaced_ |= static_cast<std::uint8_t>(order);
        return -static_cast<std::int64_t>(cache_->stand_ins() >> 1) - 1;
    }
    const auto last = [&](std::string_view sql) {
        return first(sql, {tenant}, "i", [](const Row& row) { return row.number(0); }).value_or(0);
    };
    switch (order) {
        case Order::journal:
            return 1 + last("SELECT MAX(position) FROM journal_event WHERE tenant = :a");
        case Order::audit:
            return 1 + last("SELECT MAX(number) FROM audit WHERE tenant = :a");
        case Order::findings:
            return 1 + last("SELECT MAX(number) FROM finding WHERE tenant = :a");
    }
    std::abort();
}

void Sql::wait_at_most(Millis patience) {
    if (manner_.dialect == Dialect::postgresql)
        session_ << "SET LOCAL lock_timeout = " << patience.count();
}

WallTime Sql::clock() {
    const std::string_view sql =
        manner_.dialect == Dialect::postgresql
            ? "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
            : "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";
    const auto now = first(sql, {}, "i", [](const Row& row) { return row.wall(0); });
    if (!now) throw std::logic_error{"a database without a clock"};
    return *now;
}

std::int64_t Sql::run(std::string_view sql, std::initializer_list<Value> values) {
    Prepared& statement = prepared(signature(sql, values, {}), values.size(), {});
    bind_values(statement.in, values);
    try {
        statement.statement.execute(true);
        return statement.statement.get_affected_rows();
    } catch (const soci::soci_error&) {
        discard(statement);
        throw;
    }
}

Sql::Rows::Rows(Sql& sql, std::string_view text, std::initializer_list<Value> values,
                std::string_view columns)
    : sql_{sql},
      prepared_{&sql.prepared(signature(text, values, columns), values.size(), columns)} {
    if (prepared_->busy) throw std::logic_error{"statement used inside its own rows"};
    bind_values(prepared_->in, values);
    try {
        more_ = prepared_->statement.execute(true);
    } catch (const soci::soci_error&) {
        sql_.discard(*prepared_);
        throw;
    }
    prepared_->busy = true;
}

Sql::Rows::~Rows() {
    prepared_->busy = false;
    // An unfinished SELECT would hold SQLite's read lock past the transaction's end.
    if (more_) {
        try {
            while (prepared_->statement.fetch()) {}
        } catch (const soci::soci_error&) {
            // The transaction that owns these rows meets the same error at its next statement.
            sql_.discard(*prepared_);
        }
    }
}

const Row* Sql::Rows::next() {
    if (!first_ && more_) {
        try {
            more_ = prepared_->statement.fetch();
        } catch (const soci::soci_error&) {
            more_ = false;
            sql_.discard(*prepared_);
            throw;
        }
    }
    first_ = false;
    return more_ ? prepared_ : nullptr;
}

}  // namespace pf::server::store
