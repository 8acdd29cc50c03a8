#pragma once
// JSON at the edge: read exactly into structs, every fault with a JSON pointer. Inside the room.
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/time.hpp"
#include "sync-server/http/message.hpp"
#include "sync-server/http/problem.hpp"

namespace pf::server::api {

using Json = nlohmann::json;
using Errors = std::vector<http::FieldError>;

/// One JSON object of a request. Asks once for each field it may have; done() refuses the rest.
/// A fault is noted and a harmless value returned, so that one answer names every fault.
class Object {
public:
    Object(Errors& errors, const Json* value, std::string pointer);

    /// Bytes of UTF-8, without control characters.
    std::string text(std::string_view name, std::size_t bytes_min, std::size_t bytes_max);
    std::string text_or(std::string_view name, std::string fallback, std::size_t bytes_max);
    std::optional<std::string> text_if(std::string_view name, std::size_t bytes_max);
    /// A text of several lines (PEM).
    std::string block(std::string_view name, std::size_t bytes_max);

    template <class T>
    T number(std::string_view name, T min = 0, T max = std::numeric_limits<T>::max()) {
        return static_cast<T>(whole(name, std::nullopt, widen(min), widen(max)));
    }
    template <class T>
    T number_or(std::string_view name, T fallback, T min = 0,
                T max = std::numeric_limits<T>::max()) {
        return static_cast<T>(whole(name, widen(fallback), widen(min), widen(max)));
    }
    bool flag_or(std::string_view name, bool fallback);
    Day day(std::string_view name);

    /// A word of a closed set: `from` gives its value or nothing.
    template <class T, class From>
    T word(std::string_view name, T harmless, From&& from) {
        const Json* value = take(name, true);
        return value ? word_of(*value, pointer_ + "/" + std::string{name}, harmless, from)
                     : harmless;
    }
    template <class T, class From>
    T word_or(std::string_view name, T fallback, From&& from) {
        const Json* value = take(name, false);
        return value ? word_of(*value, pointer_ + "/" + std::string{name}, fallback, from)
                     : fallback;
    }
    /// A list of numbers; absent: empty.
    template <class T>
    std::vector<T> numbers_or_none(std::string_view name, std::size_t count_max, T min = 0,
                                   T max = std::numeric_limits<T>::max()) {
        std::vector<T> out;
        for_items(name, false, 0, count_max, [&](const Json& item, const std::string& at) {
            const auto value = whole_of(item, at, widen(min), widen(max));
            out.push_back(static_cast<T>(value.value_or(widen(min))));
        });
        return out;
    }
    template <class T, class From>
    std::vector<T> words(std::string_view name, bool required, std::size_t count_max, T harmless,
                         From&& from) {
        std::vector<T> out;
        for_items(name, required, 0, count_max, [&](const Json& item, const std::string& at) {
            out.push_back(word_of(item, at, harmless, from));
        });
        return out;
    }
    /// Each object of a list; `read` gets it and must call its done().
    template <class Each>
    void objects(std::string_view name, bool required, std::size_t count_min, std::size_t count_max,
                 Each&& read) {
        for_items(name, required, count_min, count_max,
                  [&](const Json& item, const std::string& at) {
                      Object object{errors_, &item, at};
                      read(object);
                  });
    }
    /// A field that is an object; absent: reads as if empty when not required.
    Object object(std::string_view name, bool required);
    bool has(std::string_view name) const;

    void done();
    void refuse(std::string_view name, std::string code, std::string detail);
    const std::string& pointer() const noexcept { return pointer_; }

private:
    template <class T>
    static std::int64_t widen(T value) {
        if constexpr (std::is_same_v<T, std::uint64_t>)
            return value > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(value);
        else
            return static_cast<std::int64_t>(value);
    }
    const Json* take(std::string_view name, bool required);
    std::int64_t whole(std::string_view name, std::optional<std::int64_t> fallback,
                       std::int64_t min, std::int64_t max);
    std::optional<std::int64_t> whole_of(const Json& value, const std::string& at, std::int64_t min,
                                         std::int64_t max);
    std::optional<std::string> text_of(const Json& value, const std::string& at,
                                       std::size_t bytes_min, std::size_t bytes_max, bool lines);
    void add(std::string at, std::string code, std::string detail);

    template <class T, class From>
    T word_of(const Json& value, const std::string& at, T harmless, From&& from) {
        if (!value.is_string()) {
            add(at, "wrong_type", "must be a text");
            return harmless;
        }
        const std::optional<T> found = from(value.template get_ref<const std::string&>());
        if (!found) add(at, "unknown_word", "is none of the words allowed here");
        return found.value_or(harmless);
    }
    template <class Each>
    void for_items(std::string_view name, bool required, std::size_t count_min,
                   std::size_t count_max, Each&& each) {
        const Json* value = take(name, required);
        if (value == nullptr) return;
        const std::string at = pointer_ + "/" + std::string{name};
        if (!value->is_array()) return add(at, "wrong_type", "must be a list");
        if (value->size() < count_min) return add(at, "too_few", "has too few items");
        if (value->size() > count_max) return add(at, "too_many", "has too many items");
        for (std::size_t i = 0; i < value->size(); ++i)
            each((*value)[i], at + "/" + std::to_string(i));
    }

    Errors& errors_;
    const Json* value_;  // null: nothing there; every field reads as absent without a fault
    std::string pointer_;
    std::vector<std::string> known_;
};

/// The body of a request as one JSON object.
class Body {
public:
    explicit Body(const http::Request& request);
    Object root();
    bool bad() const noexcept { return unreadable_.has_value() || !errors_.empty(); }
    /// 400 or 415 when it could not be read as JSON, else 422 with every fault.
    http::Problem problem() const;

    static constexpr std::size_t depth_max = 16;
    static constexpr std::size_t errors_max = 100;

private:
    Json value_;
    Errors errors_;
    std::optional<http::Problem> unreadable_;
};

// --- paths and queries
// -------------------------------------------------------------------------------

/// A whole number of a path or a query, all of it.
std::optional<std::uint64_t> number_of(std::string_view text, std::uint64_t max);

/// What a query asks of a list.
struct Page {
    std::size_t limit = 0;
    std::string cursor;  // empty: from the beginning
};
inline constexpr std::size_t page_default = 50;
inline constexpr std::size_t page_max = 500;
/// Checks the query: `limit`, `cursor` and `also`; anything else is refused with 400.
std::variant<http::Problem, Page> page_of(const http::Request& request,
                                          std::initializer_list<std::string_view> also = {});
/// A cursor is hexadecimal text with a kind inside; nobody but the server reads it.
std::string to_cursor(std::string_view kind, std::uint64_t a, std::uint64_t b = 0);
std::optional<std::pair<std::uint64_t, std::uint64_t>> from_cursor(std::string_view kind,
                                                                   std::string_view text);
http::Problem query_problem(std::string_view name, std::string detail);

}  // namespace pf::server::api
