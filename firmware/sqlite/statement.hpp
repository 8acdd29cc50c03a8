#pragma once
// A prepared statement in use.
#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include <cassert>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "common/base/bytes.hpp"

namespace pf::firmware::sqlite {

/// Binds left to right; resets when it goes, so that no read transaction stays open by accident.
/// Values are copied, so temporaries may be bound.
class Run {
public:
    template <class... Values>
    explicit Run(SQLite::Statement& statement, const Values&... values) : statement_{statement} {
        int index = 0;
        (bind(++index, values), ...);
    }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    ~Run() { statement_.tryReset(); }  // its code repeats what the failed step already threw

    /// Steps; false after the last row.
    bool row() { return statement_.executeStep(); }
    /// Runs a statement that gives no rows; returns how many it changed.
    int execute() { return statement_.exec(); }

    bool is_null(int column) const { return statement_.getColumn(column).isNull(); }
    std::int64_t integer(int column) const { return statement_.getColumn(column).getInt64(); }
    std::uint64_t counter(int column) const { return static_cast<std::uint64_t>(integer(column)); }
    std::string text(int column) const { return statement_.getColumn(column).getString(); }
    /// Until the next step.
    BytesView blob(int column) const {
        const SQLite::Column value = statement_.getColumn(column);
        const auto* const data = static_cast<const Byte*>(value.getBlob());
        return {data, static_cast<std::size_t>(value.getBytes())};
    }
    Bytes bytes(int column) const {
        const BytesView view = blob(column);
        return {view.begin(), view.end()};
    }

private:
    void bind(int index, std::int64_t value) { statement_.bind(index, value); }
    template <std::integral Integer>
    void bind(int index, Integer value) {
        assert(std::in_range<std::int64_t>(value));
        statement_.bind(index, static_cast<std::int64_t>(value));
    }
    template <class Enum>
    requires std::is_enum_v<Enum>
    void bind(int index, Enum value) { bind(index, static_cast<std::int64_t>(value)); }
    void bind(int index, std::nullopt_t) { statement_.bind(index); }
    void bind(int index, const std::string& value) { statement_.bind(index, value); }
    void bind(int index, BytesView value) {
        // A null pointer would bind NULL; empty bytes are not NULL.
        const void* const data = value.empty() ? static_cast<const void*>("") : value.data();
        statement_.bind(index, data, static_cast<int>(value.size()));
    }
    void bind(int index, const Bytes& value) { bind(index, BytesView{value}); }
    template <std::size_t size>
    void bind(int index, const std::array<Byte, size>& value) {
        bind(index, BytesView{value});
    }
    template <class Value>
    void bind(int index, const std::optional<Value>& value) {
        if (value) {
            bind(index, *value);
        } else {
            bind(index, std::nullopt);
        }
    }

    SQLite::Statement& statement_;
};

}  // namespace pf::firmware::sqlite
