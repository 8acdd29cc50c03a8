// Heads are parsed here, not by libcbor: docs/adr/0004-cbor-codec.md.
#include <algorithm>
#include <cassert>

#include "common/cbor/cbor.hpp"
#include "common/cbor/utf8.hpp"

namespace pf::cbor {
namespace {

constexpr Byte info_inline_max = 23;
constexpr Byte info_eight_bytes = 27;
constexpr Byte info_indefinite = 31;

constexpr Byte simple_false = 20, simple_true = 21, simple_null = 22;

/// The smallest value that needs the head form `info` (RFC 8949 section 4.2.1).
constexpr std::uint64_t least_value(Byte info) {
    return info == 24 ? 24 : std::uint64_t{1} << (8 * (std::size_t{1} << (info - 25)));
}

std::optional<Type> type_of(Byte initial) {
    switch (initial >> 5) {
        case 0:
            return Type::uint;
        case 1:
            return Type::negative;
        case 2:
            return Type::bytes;
        case 3:
            return Type::text;
        case 4:
            return Type::array;
        case 5:
            return Type::map;
        case 6:
            return std::nullopt;  // tags
    }
    switch (initial & 0x1F) {
        case simple_false:
        case simple_true:
            return Type::boolean;
        case simple_null:
            return Type::null;
    }
    return std::nullopt;  // floats, other simple values
}

}  // namespace

void Decoder::refuse(Fault fault) noexcept {
    if (fault_) return;
    fault_ = fault;
    levels_.clear();
}

// Reads one head. Nothing, and a fault, when it is not the head of an item we speak.
std::optional<Decoder::Head> Decoder::head() {
    if (fault_) return std::nullopt;
    if (rest_.empty()) return refuse(Fault::truncated), std::nullopt;
    const Byte initial = rest_[0];
    const Byte info = initial & 0x1F;
    if (info == info_indefinite && initial >= 0x40) {
        return refuse(Fault::indefinite), std::nullopt;  // also the break that ends one
    }
    const auto type = type_of(initial);
    if (!type || info > info_eight_bytes) return refuse(Fault::unsupported), std::nullopt;
    rest_ = rest_.subspan(1);
    if (*type == Type::boolean) return Head{*type, info == simple_true ? 1U : 0U};
    if (info <= info_inline_max) return Head{*type, info};

    const std::size_t length = std::size_t{1} << (info - 24);
    if (rest_.size() < length) return refuse(Fault::truncated), std::nullopt;
    std::uint64_t value = 0;
    for (const Byte byte : rest_.first(length)) value = value << 8 | byte;
    if (value < least_value(info)) return refuse(Fault::not_canonical), std::nullopt;
    rest_ = rest_.subspan(length);
    return Head{*type, value};
}

// Books one item with the array or map it belongs to.
bool Decoder::enter_item(bool as_key) {
    if (fault_) return false;
    if (levels_.empty()) {
        if (as_key) refuse(Fault::wrong_type);
        return !as_key;
    }
    Level& level = levels_.back();
    if (level.items_left == 0) return refuse(Fault::truncated), false;
    const bool is_key = level.is_map && level.items_left % 2 == 0;
    if (is_key != as_key) return refuse(Fault::wrong_type), false;
    --level.items_left;
    return true;
}

std::optional<Decoder::Head> Decoder::read(Type type) {
    if (!enter_item(false)) return std::nullopt;
    const auto found = head();
    if (!found) return std::nullopt;
    if (found->type != type) return refuse(Fault::wrong_type), std::nullopt;
    return found;
}

BytesView Decoder::take(std::uint64_t count) {
    if (fault_) return {};
    if (count > rest_.size()) return refuse(Fault::truncated), BytesView{};
    const BytesView taken = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(taken.size());
    return taken;
}

std::uint64_t Decoder::uint(std::uint64_t max) {
    const auto found = read(Type::uint);
    if (!found) return 0;
    if (found->value > max) return refuse(Fault::out_of_range), 0;
    return found->value;
}

namespace {

/// Nothing when it does not fit.
std::optional<std::int64_t> to_int64(bool is_negative, std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    const auto number = static_cast<std::int64_t>(value);
    return is_negative ? -1 - number : number;
}

}  // namespace

std::int64_t Decoder::integer(std::int64_t min, std::int64_t max) {
    if (!enter_item(false)) return 0;
    const auto found = head();
    if (!found) return 0;
    if (found->type != Type::uint && found->type != Type::negative) {
        return refuse(Fault::wrong_type), 0;
    }
    const auto number = to_int64(found->type == Type::negative, found->value);
    if (!number || *number < min || *number > max) return refuse(Fault::out_of_range), 0;
    return *number;
}

BytesView Decoder::string(Type type, std::size_t min, std::size_t max) {
    const auto found = read(type);
    if (!found) return {};
    if (found->value < min || found->value > max) {
        return refuse(Fault::out_of_range), BytesView{};
    }
    return take(found->value);
}

BytesView Decoder::bytes(std::size_t min, std::size_t max) { return string(Type::bytes, min, max); }

std::string_view Decoder::text(std::size_t max) {
    const BytesView found = string(Type::text, 0, max);
    if (!is_utf8(found)) return refuse(Fault::bad_utf8), std::string_view{};
    return as_text(found);
}

bool Decoder::boolean() {
    const auto found = read(Type::boolean);
    return found && found->value != 0;
}

void Decoder::null() { read(Type::null); }

std::size_t Decoder::enter_container(Type type, std::size_t min, std::size_t max) {
    const auto found = read(type);
    if (!found) return 0;
    if (found->value < min || found->value > max) return refuse(Fault::out_of_range), 0;
    const std::uint64_t items_each = type == Type::map ? 2 : 1;
    // An item is at least a byte: callers may reserve room for what is promised.
    if (found->value > rest_.size() / items_each) return refuse(Fault::truncated), 0;
    if (levels_.size() == depth_max) return refuse(Fault::too_deep), 0;
    levels_.push_back({type == Type::map, found->value * items_each, {}});
    return static_cast<std::size_t>(found->value);
}

std::size_t Decoder::array(std::size_t max) { return enter_container(Type::array, 0, max); }
void Decoder::array_of(std::size_t count) { enter_container(Type::array, count, count); }
std::size_t Decoder::map(std::size_t max) { return enter_container(Type::map, 0, max); }

// `last_key` becomes `key`, which must come after it.
void Decoder::rising(BytesView& last_key, BytesView key) {
    if (fault_) return;
    if (!std::ranges::lexicographical_compare(last_key, key)) {
        return refuse(std::ranges::equal(last_key, key) ? Fault::duplicate_key
                                                        : Fault::not_canonical);
    }
    last_key = key;
}

std::int64_t Decoder::key() {
    if (!enter_item(true)) return 0;
    const BytesView before = rest_;
    const auto found = head();
    if (!found) return 0;
    if (found->type != Type::uint && found->type != Type::negative) {
        return refuse(Fault::wrong_type), 0;
    }
    rising(levels_.back().last_key, before.first(before.size() - rest_.size()));
    if (fault_) return 0;
    const auto number = to_int64(found->type == Type::negative, found->value);
    if (!number) return refuse(Fault::out_of_range), 0;
    return *number;
}

void Decoder::leave() {
    if (fault_) return;
    assert(!levels_.empty() && "leave() without array() or map()");
    if (levels_.back().items_left != 0) return refuse(Fault::trailing_bytes);
    levels_.pop_back();
}

Type Decoder::peek() const noexcept {
    if (fault_ || rest_.empty()) return Type::none;
    if (!levels_.empty() && levels_.back().items_left == 0) return Type::none;
    return type_of(rest_[0]).value_or(Type::none);
}

// Reads the next item whole. Recursion is bounded by depth_max.
void Decoder::skip(std::size_t depth) {
    const auto found = head();
    if (!found) return;
    switch (found->type) {
        case Type::uint:
        case Type::negative:
        case Type::boolean:
        case Type::null:
        case Type::none:
            return;
        case Type::bytes:
            take(found->value);
            return;
        case Type::text:
            if (!is_utf8(take(found->value))) refuse(Fault::bad_utf8);
            return;
        case Type::array:
            if (depth == depth_max) return refuse(Fault::too_deep);
            for (std::uint64_t i = 0; i < found->value && ok(); ++i) skip(depth + 1);
            return;
        case Type::map: {
            if (depth == depth_max) return refuse(Fault::too_deep);
            BytesView last_key;
            for (std::uint64_t i = 0; i < found->value && ok(); ++i) {
                const BytesView before = rest_;
                skip(depth + 1);
                rising(last_key, before.first(before.size() - rest_.size()));
                skip(depth + 1);
            }
            return;
        }
    }
}

BytesView Decoder::item() {
    if (!enter_item(false)) return {};
    const BytesView before = rest_;
    skip(levels_.size());
    if (fault_) return {};
    return before.first(before.size() - rest_.size());
}

void Decoder::finish() {
    if (fault_) return;
    if (!rest_.empty()) return refuse(Fault::trailing_bytes);
    for (const Level& level : levels_) {
        if (level.items_left != 0) return refuse(Fault::truncated);
    }
}

std::optional<Fault> check(BytesView input) {
    Decoder decoder{input};
    decoder.item();
    decoder.finish();
    return decoder.fault();
}

}  // namespace pf::cbor
