#pragma once
// One list of fields per struct serves both directions, so encoder and decoder cannot disagree:
//
//     void fields(auto& io, Of<Outcome> auto& v) {
//         io(1, v.grant_seq, Uint{1, number_max});
//         io.maybe(2, v.product);
//     }
//
// A struct becomes a map with integer keys, in the order given. Required fields are always there,
// an empty optional is absent. Unknown keys, missing fields and values outside their range are
// refused by the reader; writing a value outside its range is a bug and asserts.
// Used by the codecs of common/journal and common/wire only; `fields` must be visible by
// argument-dependent lookup or declared before use.
#include <cassert>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/cbor/cbor.hpp"

namespace pf::codec {

/// T or const T: the reader fills the one, the writer takes the other.
template <class T, class U>
concept Of = std::same_as<std::remove_const_t<T>, U>;

/// Counters stay below 2^63, so every database and every language holds them.
inline constexpr std::uint64_t number_max = INT64_MAX;

/// A value to read into. Device ids have no empty state, so they get a name no reader ever sees:
/// a decoder that leaves it in place has refused the message.
template <class T>
T blank() {
    return T{};
}
template <>
inline DeviceId blank<DeviceId>() {
    return *DeviceId::parse("-");
}
template <>
inline GrantId blank<GrantId>() {
    return {blank<DeviceId>(), {}, 0};
}

// --- shapes: how one value looks on the wire -----------------------------------------------------

template <class T>
constexpr bool is_id = false;
template <class Tag, class Number>
constexpr bool is_id<Id<Tag, Number>> = true;

/// Random 64-bit names are byte strings; counters are integers.
template <class T>
concept EightBytes = std::same_as<T, Epoch> || std::same_as<T, BootId> || std::same_as<T, TicketId>;

template <class T>
constexpr auto number_of(const T& value) {
    if constexpr (is_id<T>) {
        return value.value;
    } else {
        return value;
    }
}

struct Uint {
    std::uint64_t min = 0;
    std::uint64_t max = UINT64_MAX;

    template <class T>
    void put(cbor::Encoder& out, const T& value) const {
        assert(number_of(value) >= min && number_of(value) <= max);
        out.uint(number_of(value));
    }
    template <class T>
    void get(cbor::Decoder& in, T& value) const {
        using Number = decltype(number_of(value));
        const std::uint64_t fits = std::numeric_limits<Number>::max();
        const std::uint64_t number = in.uint(max < fits ? max : fits);
        if (number < min) in.refuse(cbor::Fault::out_of_range);
        if constexpr (is_id<T>) {
            value = T{static_cast<Number>(number)};
        } else {
            value = static_cast<Number>(number);
        }
    }
};

struct Int {
    std::int64_t min = INT64_MIN;
    std::int64_t max = INT64_MAX;

    template <std::signed_integral T>
    void put(cbor::Encoder& out, const T& value) const {
        assert(value >= min && value <= max);
        out.integer(value);
    }
    template <std::signed_integral T>
    void get(cbor::Decoder& in, T& value) const {
        value = static_cast<T>(in.integer(min, max));
    }
};

/// An enum whose values run from 1 to `last` without holes.
template <class E>
struct Upto {
    E last;

    void put(cbor::Encoder& out, const E& value) const {
        assert(value >= E{1} && value <= last);
        out.uint(static_cast<std::uint64_t>(value));
    }
    void get(cbor::Decoder& in, E& value) const {
        const std::uint64_t number = in.uint(static_cast<std::uint64_t>(last));
        if (number == 0) in.refuse(cbor::Fault::out_of_range);
        value = static_cast<E>(number);
    }
};
template <class E>
Upto(E) -> Upto<E>;

/// An enum with holes: `known` turns a number into a value or nothing.
template <class E>
struct Named {
    std::optional<E> (*known)(std::uint64_t) noexcept;

    void put(cbor::Encoder& out, const E& value) const {
        out.uint(static_cast<std::uint64_t>(value));
    }
    void get(cbor::Decoder& in, E& value) const {
        const std::optional<E> found = known(in.uint());
        if (found) {
            value = *found;
        } else {
            in.refuse(cbor::Fault::out_of_range);
        }
    }
};
template <class E>
Named(std::optional<E> (*)(std::uint64_t) noexcept) -> Named<E>;

struct Blob {
    std::size_t min = 0;
    std::size_t max = 0;

    template <class T>  // Bytes, or BytesView into the input
    void put(cbor::Encoder& out, const T& value) const {
        assert(value.size() >= min && value.size() <= max);
        out.bytes(value);
    }
    template <class T>
    void get(cbor::Decoder& in, T& value) const {
        const BytesView view = in.bytes(min, max);
        value = T(view.begin(), view.end());
    }
};

struct Text {
    std::size_t max_bytes = 0;
    bool (*allowed)(std::string_view) = nullptr;  // null: any text

    void put(cbor::Encoder& out, const std::string& value) const {
        assert(value.size() <= max_bytes && (allowed == nullptr || allowed(value)));
        out.text(value);
    }
    void get(cbor::Decoder& in, std::string& value) const {
        const std::string_view view = in.text(max_bytes);
        if (in.ok() && allowed != nullptr && !allowed(view)) {
            in.refuse(cbor::Fault::out_of_range);
        }
        value = view;
    }
};

template <class T>
void write_map(cbor::Encoder& out, const T& value);
template <class T>
void read_map(cbor::Decoder& in, T& value);

/// What needs no further word: the type says it.
struct Plain {
    template <class T>
    void put(cbor::Encoder& out, const T& value) const {
        if constexpr (std::same_as<T, bool>) {
            out.boolean(value);
        } else if constexpr (std::same_as<T, WallTime> || std::same_as<T, SteadyTime>) {
            out.integer(to_ms(value));
        } else if constexpr (std::same_as<T, Day>) {
            out.integer(value.number);
        } else if constexpr (std::same_as<T, DeviceId>) {
            out.text(value.text());
        } else if constexpr (EightBytes<T>) {
            out.bytes(to_be8(value.value));
        } else if constexpr (std::unsigned_integral<T> || is_id<T>) {
            Uint{}.put(out, value);
        } else if constexpr (requires { std::tuple_size<T>::value; }) {
            out.bytes(BytesView{value});  // std::array<Byte, N>
        } else {
            write_map(out, value);
        }
    }

    template <class T>
    void get(cbor::Decoder& in, T& value) const {
        if constexpr (std::same_as<T, bool>) {
            value = in.boolean();
        } else if constexpr (std::same_as<T, WallTime>) {
            value = wall_from_ms(in.integer());
        } else if constexpr (std::same_as<T, SteadyTime>) {
            value = SteadyTime{Millis{in.integer(0)}};
        } else if constexpr (std::same_as<T, Day>) {
            value.number = static_cast<std::int32_t>(in.integer(INT32_MIN, INT32_MAX));
        } else if constexpr (std::same_as<T, DeviceId>) {
            const auto parsed = DeviceId::parse(in.text(DeviceId::length_max));
            if (parsed) {
                value = *parsed;
            } else {
                in.refuse(cbor::Fault::out_of_range);
            }
        } else if constexpr (EightBytes<T>) {
            std::array<Byte, 8> bytes{};
            get(in, bytes);
            value = T{from_be8(bytes)};
        } else if constexpr (std::unsigned_integral<T> || is_id<T>) {
            Uint{}.get(in, value);
        } else if constexpr (requires { std::tuple_size<T>::value; }) {
            const BytesView view = in.bytes(value.size(), value.size());
            if (in.ok()) std::copy(view.begin(), view.end(), value.begin());
        } else {
            read_map(in, value);
        }
    }
};

/// An array of alike items.
template <class Item = Plain>
struct List {
    std::size_t min = 0;
    std::size_t max = 0;
    Item item{};

    template <class T>
    void put(cbor::Encoder& out, const std::vector<T>& values) const {
        assert(values.size() >= min && values.size() <= max);
        out.array(values.size());
        for (const T& value : values) item.put(out, value);
    }
    template <class T>
    void get(cbor::Decoder& in, std::vector<T>& values) const {
        const std::size_t count = in.array(max);
        if (in.ok() && count < min) in.refuse(cbor::Fault::out_of_range);
        for (std::size_t i = 0; i < count && in.ok(); ++i) {
            values.push_back(blank<T>());
            item.get(in, values.back());
        }
        in.leave();
    }
};

/// An array of two.
template <class First, class Second = Plain>
struct Pair {
    First first{};
    Second second{};

    template <class A, class B>
    void put(cbor::Encoder& out, const std::pair<A, B>& value) const {
        out.array(2);
        first.put(out, value.first);
        second.put(out, value.second);
    }
    template <class A, class B>
    void get(cbor::Decoder& in, std::pair<A, B>& value) const {
        in.array_of(2);
        first.get(in, value.first);
        second.get(in, value.second);
        in.leave();
    }
};

// --- the three walks over a list of fields -------------------------------------------------------

/// How many pairs the map will have.
class Count {
public:
    template <class T, class Shape = Plain>
    void operator()(int, const T&, const Shape& = {}) {
        ++count_;
    }
    template <class T, class Shape = Plain>
    void maybe(int, const std::optional<T>& value, const Shape& = {}) {
        if (value) ++count_;
    }
    std::size_t count() const noexcept { return count_; }

private:
    std::size_t count_ = 0;
};

class Write {
public:
    explicit Write(cbor::Encoder& out) noexcept : out_{out} {}

    template <class T, class Shape = Plain>
    void operator()(int key, const T& value, const Shape& shape = {}) {
        out_.key(key);
        shape.put(out_, value);
    }
    template <class T, class Shape = Plain>
    void maybe(int key, const std::optional<T>& value, const Shape& shape = {}) {
        if (value) (*this)(key, *value, shape);
    }

private:
    cbor::Encoder& out_;
};

class Read {
public:
    explicit Read(cbor::Decoder& in) : in_{in}, left_{in.map(pairs_max)} {}

    template <class T, class Shape = Plain>
    void operator()(int key, T& value, const Shape& shape = {}) {
        if (!at(key)) {
            in_.refuse(cbor::Fault::wrong_type);  // a required field is missing
            return;
        }
        next_.reset();
        shape.get(in_, value);
    }
    template <class T, class Shape = Plain>
    void maybe(int key, std::optional<T>& value, const Shape& shape = {}) {
        if (!at(key)) return;
        next_.reset();
        shape.get(in_, value.emplace(blank<T>()));
    }
    void end() {
        if (!next_ && left_ > 0) next_ = in_.key();        // a key given twice is told as that
        if (next_) in_.refuse(cbor::Fault::out_of_range);  // a key we do not know
        in_.leave();
    }

private:
    static constexpr std::size_t pairs_max = 32;

    bool at(int key) {
        if (!next_ && left_ > 0 && in_.ok()) {
            next_ = in_.key();
            --left_;
        }
        return in_.ok() && next_ == key;
    }

    cbor::Decoder& in_;
    std::size_t left_;
    std::optional<std::int64_t> next_;
};

template <class T>
void write_map(cbor::Encoder& out, const T& value) {
    Count count;
    fields(count, value);
    out.map(count.count());
    Write write{out};
    fields(write, value);
}

template <class T>
void read_map(cbor::Decoder& in, T& value) {
    Read read{in};
    fields(read, value);
    read.end();
}

}  // namespace pf::codec
