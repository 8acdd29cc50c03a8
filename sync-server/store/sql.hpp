#pragma once
// Prepared statements over one SOCI session, kept for its life: one-shot statements cost a third of
// the throughput. Values are 64-bit integers and text; binary is lower-case hexadecimal text,
// because that is the one form that sorts, binds and reads the same on SQLite and PostgreSQL
// (docs/adr/0006).
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/ids.hpp"
#include "common/base/time.hpp"

namespace soci {
class session;
}

namespace pf::server::store {

/// What binds to a placeholder: null, integer, text.
class Value {
public:
    Value(std::nullopt_t) {}
    Value(std::int64_t number) : value_{number} {}
    Value(std::uint64_t number) : value_{static_cast<std::int64_t>(number)} {}
    Value(std::int32_t number) : value_{std::int64_t{number}} {}
    Value(std::uint32_t number) : value_{std::int64_t{number}} {}
    Value(bool yes) : value_{std::int64_t{yes}} {}
    Value(std::string text) : value_{std::move(text)} {}
    Value(std::string_view text) : value_{std::string{text}} {}
    Value(const char* text) : value_{std::string{text}} {}
    Value(WallTime at) : value_{to_ms(at)} {}
    Value(Day day) : value_{std::int64_t{day.number}} {}
    Value(SiteId id) : Value{id.value} {}
    Value(SpotId id) : Value{id.value} {}
    Value(PointId id) : Value{id.value} {}
    Value(ProductId id) : Value{id.value} {}
    Value(WindowId id) : Value{id.value} {}
    Value(const DeviceId& id) : value_{id.text()} {}
    /// 64-bit names are text: they are random, and the databases' integers are signed.
    Value(TicketId id) : value_{to_hex(to_be8(id.value))} {}
    Value(Epoch id) : value_{to_hex(to_be8(id.value))} {}
    Value(BootId id) : value_{to_hex(to_be8(id.value))} {}
    Value(BytesView bytes) : value_{to_hex(bytes)} {}
    Value(const Bytes& bytes) : value_{to_hex(bytes)} {}
    Value(const Digest& digest) : value_{to_hex(digest)} {}
    template <class T>
    Value(const std::optional<T>& value) {
        if (value) *this = Value{*value};
    }
    const std::variant<std::monostate, std::int64_t, std::string>& get() const { return value_; }

private:
    std::variant<std::monostate, std::int64_t, std::string> value_;
};

/// One fetched row; columns from 0. Asking for another type than the statement declared is a bug.
class Row {
public:
    virtual ~Row() = default;
    virtual bool is_null(std::size_t column) const = 0;
    virtual std::int64_t number(std::size_t column) const = 0;
    virtual const std::string& text(std::size_t column) const = 0;

    std::uint64_t u64(std::size_t column) const {
        return static_cast<std::uint64_t>(number(column));
    }
    std::uint32_t u32(std::size_t column) const {
        return static_cast<std::uint32_t>(number(column));
    }
    bool yes(std::size_t column) const { return number(column) != 0; }
    WallTime wall(std::size_t column) const { return wall_from_ms(number(column)); }
    Day day(std::size_t column) const { return Day{static_cast<std::int32_t>(number(column))}; }
    Bytes bytes(
        std::size_t column) const;  // from hexadecimal; throws std::runtime_error on foreign text
    Digest digest(std::size_t column) const;
    std::uint64_t hex64(std::size_t column) const;  // TicketId, Epoch, BootId
    DeviceId device(std::size_t column) const;
};

enum class Dialect : std::uint8_t { sqlite, postgresql };

/// Orders that readers follow: who has seen a number has seen every lower one. Bits of a set.
enum class Order : std::uint8_t { journal = 1, audit = 2, findings = 4 };

class Sql {
public:
    struct Manner {
        Dialect dialect = Dialect::sqlite;
        bool prepare_on_server = true;
    };
    Sql(soci::session& session, Manner manner);
    ~Sql();
    Sql(const Sql&) = delete;
    Sql& operator=(const Sql&) = delete;

    /// Runs a statement; the number of rows it changed. Placeholders `:a`, `:b`, … bind in order.
    std::int64_t run(std::string_view sql, std::initializer_list<Value> values = {});

    /// Runs a query; `columns` says each column's type: 'i' integer, 't' text. Calls `each` per
    /// row; it must not run the same statement again.
    template <class Each>
    void query(std::string_view sql, std::initializer_list<Value> values, std::string_view columns,
               Each&& each) {
        Rows rows{*this, sql, values, columns};
        while (const Row* row = rows.next()) each(*row);
    }

    /// The place of a new row in an order. SQLite, with its one writer: the next. PostgreSQL: a
    /// negative stand-in, replaced after COMMIT (docs/adr/0013).
    std::int64_t place_in(Order order, std::int64_t tenant);
    /// The database's own clock, which every server that shares it reads alike.
    WallTime clock();
    /// From here on this transaction waits at most that long for a row another one holds, and
    /// fails as busy then. SQLite, with its one writer: never waits.
    void wait_at_most(Millis patience);
    /// Orders that got stand-ins since the last call.
    std::uint8_t take_unplaced() noexcept { return std::exchange(unplaced_, std::uint8_t{0}); }

    /// Ends the statements that met an error; after the ROLLBACK. Until then PostgreSQL would
    /// refuse to let go of them, and they are not used again.
    void forget_broken() noexcept;

    /// The first row mapped, or nothing.
    template <class Map>
    auto first(std::string_view sql, std::initializer_list<Value> values, std::string_view columns,
               Map&& map) -> std::optional<decltype(map(std::declval<const Row&>()))> {
        Rows rows{*this, sql, values, columns};
        if (const Row* row = rows.next()) return map(*row);
        return std::nullopt;
    }

    /// Every row mapped.
    template <class Map>
    auto all(std::string_view sql, std::initializer_list<Value> values, std::string_view columns,
             Map&& map) -> std::vector<decltype(map(std::declval<const Row&>()))> {
        std::vector<decltype(map(std::declval<const Row&>()))> out;
        Rows rows{*this, sql, values, columns};
        while (const Row* row = rows.next()) out.push_back(map(*row));
        return out;
    }

private:
    struct Prepared;
    struct Cache;
    /// A running query. Ends (and frees its statement for the next use) with its scope.
    class Rows {
    public:
        Rows(Sql& sql, std::string_view text, std::initializer_list<Value> values,
             std::string_view columns);
        ~Rows();
        Rows(const Rows&) = delete;
        Rows& operator=(const Rows&) = delete;
        const Row* next();

    private:
        Sql& sql_;
        Prepared* prepared_;
        bool first_ = true;
        bool more_ = false;
    };
    Prepared& prepared(std::string_view sql, std::size_t values, std::string_view columns);

    /// Takes a statement that met an error out of use.
    void discard(const Prepared& broken) noexcept;

    soci::session& session_;
    Manner manner_;
    std::unique_ptr<Cache> cache_;
    std::uint8_t unplaced_ = 0;
};

}  // namespace pf::server::store
