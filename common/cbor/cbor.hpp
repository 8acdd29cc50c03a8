#pragma once
// Deterministic CBOR (RFC 8949 section 4.2.1), and nothing else of CBOR: unsigned and negative
// integers, byte strings, text, arrays, maps with integer keys, true, false, null. What decodes
// would encode to the same bytes; anything else is refused, because signatures are taken over
// bytes.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"

namespace pf::cbor {

/// Why some bytes are not the CBOR we speak. Numbers appear in logs: append, never reuse.
enum class Fault : std::uint8_t {
    truncated = 1,       // ends inside an item
    trailing_bytes = 2,  // something follows the last item
    not_canonical = 3,   // longer head than needed, or map keys out of order
    duplicate_key = 4,
    indefinite = 5,    // indefinite length
    unsupported = 6,   // floats, tags, other simple values
    wrong_type = 7,    // another type than the schema has here
    out_of_range = 8,  // a number or a length outside what the schema allows
    too_deep = 9,
    bad_utf8 = 10,
};
std::string_view to_text(Fault fault) noexcept;

inline constexpr std::size_t depth_max = 16;  // arrays and maps inside each other

/// Writes items one after another. The caller says how many follow a head and gives map keys in
/// ascending order of their encoding (0, 1, …, then -1, -2, …). Keys out of order, a container as a
/// key, UTF-8 that is none and a take() before the promised items are there are bugs: they assert.
class Encoder {
public:
    Encoder& uint(std::uint64_t value);
    Encoder& integer(std::int64_t value);
    Encoder& bytes(BytesView value);
    Encoder& text(std::string_view value);
    Encoder& boolean(bool value);
    Encoder& null();
    Encoder& array(std::size_t count);
    Encoder& map(std::size_t count);
    Encoder& key(std::int64_t value) { return integer(value); }
    /// One item that is already encoded. Taken as it is: encode only what was checked.
    Encoder& raw(BytesView item);

    const Bytes& view() const noexcept { return out_; }
    /// The bytes; every array and map must be complete. The encoder is empty afterwards.
    Bytes take();

private:
    struct Level {
        bool is_map;
        std::uint64_t items_left;  // a map's pair counts as two
        std::size_t key_at;        // where the previous key begins and ends in out_;
        std::size_t key_end;       // equal before the first
    };
    using WriteHead = std::size_t (*)(std::uint64_t value, Byte* out, std::size_t size);
    void head(WriteHead write, std::uint64_t value);
    void wrote_item(std::size_t at);
    void open(bool is_map, std::uint64_t items, std::size_t at);

    Bytes out_;
    std::vector<Level> levels_;
};

enum class Type : std::uint8_t { uint, negative, bytes, text, array, map, boolean, null, none };

/// Reads items one after another out of bytes it does not own. The first fault sticks: every later
/// call returns zero, empty or null, so a decoder of a message reads straight down and asks `ok()`
/// once. Counts are held to what the heads promised: reading past the end of an array or a map is
/// `truncated`, leaving one early `trailing_bytes`, taking a key for a value or a value for a key
/// `wrong_type`. Views live as long as the input.
class Decoder {
public:
    explicit Decoder(BytesView input) noexcept : rest_{input} {}

    std::uint64_t uint(std::uint64_t max = UINT64_MAX);
    std::int64_t integer(std::int64_t min = INT64_MIN, std::int64_t max = INT64_MAX);
    /// A view into the input. Length outside [min, max] is `out_of_range`.
    BytesView bytes(std::size_t min, std::size_t max);
    std::string_view text(std::size_t max);
    bool boolean();
    void null();

    /// Enters an array; the number of items that follow, at most `max`. leave() ends it.
    std::size_t array(std::size_t max);
    /// An array of exactly `count` items.
    void array_of(std::size_t count);
    /// Enters a map; the number of pairs that follow, at most `max`. leave() ends it.
    std::size_t map(std::size_t max);
    /// Next key of the map entered last. Keys must rise in the order of their encoding.
    std::int64_t key();
    /// Leaves the innermost array or map, which must be read to its end. Needed before anything
    /// that follows it is read; finish() leaves what is still open.
    void leave();

    /// What comes next; `none` at the end or after a fault.
    Type peek() const noexcept;
    /// The bytes of the whole next item, checked for canonical form to its innermost part.
    BytesView item();

    /// The input must end here.
    void finish();

    /// For schema rules the decoder cannot know, e.g. an unknown key. Keeps the first fault.
    void refuse(Fault fault) noexcept;
    bool ok() const noexcept { return !fault_; }
    std::optional<Fault> fault() const noexcept { return fault_; }

private:
    struct Head {
        Type type;
        std::uint64_t value;  // the number, the length or the count; -1 - value when negative
    };
    struct Level {
        bool is_map;
        std::uint64_t items_left;  // a map's pair counts as two
        BytesView last_key;
    };
    std::optional<Head> head();
    std::optional<Head> read(Type type);
    bool enter_item(bool as_key);
    std::size_t enter_container(Type type, std::size_t min, std::size_t max);
    BytesView string(Type type, std::size_t min, std::size_t max);
    BytesView take(std::uint64_t count);
    void rising(BytesView& last_key, BytesView key);
    void skip(std::size_t depth);

    BytesView rest_;
    std::optional<Fault> fault_;
    std::vector<Level> levels_;
};

/// Checks that `input` is exactly one canonical item.
std::optional<Fault> check(BytesView input);

/// Diagnostic notation (RFC 8949 section 8), for people: {1: h'00ff', 2: "x"}. Input must be
/// canonical.
std::string diagnostic(BytesView input);

}  // namespace pf::cbor
