#include <fmt/format.h>

#include <cassert>
#include <iterator>

#include "common/cbor/cbor.hpp"

namespace pf::cbor {
namespace {

// The decoder refuses map keys that are no integers; people still get to see them. So this walks
// the heads itself, over input that check() has accepted.
class Printer {
public:
    explicit Printer(BytesView input) : rest_{input} {}

    std::string print() {
        item();
        return std::move(out_);
    }

private:
    std::uint64_t head() {
        const Byte info = rest_[0] & 0x1F;
        rest_ = rest_.subspan(1);
        if (info < 24) return info;
        const std::size_t length = std::size_t{1} << (info - 24);
        std::uint64_t value = 0;
        for (const Byte byte : rest_.first(length)) value = value << 8 | byte;
        rest_ = rest_.subspan(length);
        return value;
    }

    BytesView take(std::uint64_t count) {
        const BytesView taken = rest_.first(static_cast<std::size_t>(count));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

    void item() {
        const Type type = Decoder{rest_}.peek();
        const bool is_true = rest_[0] == 0xF5;
        const std::uint64_t value = head();
        switch (type) {
            case Type::uint:
                return append("{}", value);
            case Type::negative:
                return negative(value);
            case Type::bytes:
                return append("h'{}'", to_hex(take(value)));
            case Type::text:
                return quoted(as_text(take(value)));
            case Type::array:
                return list('[', value, ']', false);
            case Type::map:
                return list('{', value, '}', true);
            case Type::boolean:
                return append("{}", is_true);
            case Type::null:
                return append("null");
            case Type::none:
                return;
        }
    }

    void negative(std::uint64_t value) {
        if (value == UINT64_MAX) return append("-18446744073709551616");
        append("-{}", value + 1);
    }

    void quoted(std::string_view text) {
        out_ += '"';
        for (const char c : text) {
            if (c == '"' || c == '\\') {
                append("\\{}", c);
            } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
                append("\\u{:04x}", static_cast<unsigned>(c));
            } else {
                out_ += c;
            }
        }
        out_ += '"';
    }

    void list(char open, std::uint64_t count, char close, bool is_map) {
        out_ += open;
        for (std::uint64_t i = 0; i < count; ++i) {
            if (i > 0) append(", ");
            item();
            if (!is_map) continue;
            append(": ");
            item();
        }
        out_ += close;
    }

    template <class... Values>
    void append(fmt::format_string<Values...> format, Values&&... values) {
        fmt::format_to(std::back_inserter(out_), format, std::forward<Values>(values)...);
    }

    BytesView rest_;
    std::string out_;
};

}  // namespace

std::string diagnostic(BytesView input) {
    assert(!check(input) && "only canonical input is printed");
    return Printer{input}.print();
}

}  // namespace pf::cbor
