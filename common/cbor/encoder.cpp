// Heads are written by libcbor, which always chooses the shortest one.
#include <cbor.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "common/cbor/cbor.hpp"
#include "common/cbor/utf8.hpp"

namespace pf::cbor {
namespace {

constexpr std::size_t head_bytes_max = 9;

BytesView slice(const Bytes& out, std::size_t from, std::size_t to) {
    return BytesView{out}.subspan(from, to - from);
}

std::size_t bytes_head(std::uint64_t size, Byte* out, std::size_t room) {
    return cbor_encode_bytestring_start(static_cast<std::size_t>(size), out, room);
}
std::size_t text_head(std::uint64_t size, Byte* out, std::size_t room) {
    return cbor_encode_string_start(static_cast<std::size_t>(size), out, room);
}
std::size_t array_head(std::uint64_t count, Byte* out, std::size_t room) {
    return cbor_encode_array_start(static_cast<std::size_t>(count), out, room);
}
std::size_t map_head(std::uint64_t count, Byte* out, std::size_t room) {
    return cbor_encode_map_start(static_cast<std::size_t>(count), out, room);
}
std::size_t boolean_head(std::uint64_t value, Byte* out, std::size_t room) {
    return cbor_encode_bool(value != 0, out, room);
}
std::size_t null_head(std::uint64_t, Byte* out, std::size_t room) {
    return cbor_encode_null(out, room);
}

}  // namespace

void Encoder::head(WriteHead write, std::uint64_t value) {
    Byte buffer[head_bytes_max];
    const std::size_t written = write(value, buffer, sizeof buffer);
    assert(written > 0);
    out_.insert(out_.end(), buffer, buffer + written);
}

// Books the item written at `at` with the array or map it belongs to.
void Encoder::wrote_item(std::size_t at) {
    if (levels_.empty()) return;
    Level& level = levels_.back();
    assert(level.items_left > 0 && "more items than the head promised");
    if (level.is_map && level.items_left % 2 == 0) {
        const BytesView last = slice(out_, level.key_at, level.key_end);
        const BytesView key = slice(out_, at, out_.size());
        assert(std::ranges::lexicographical_compare(last, key) && "map keys must rise");
        level.key_at = at;
        level.key_end = out_.size();
    }
    --level.items_left;
    // A container is an item of the one around it, which was booked when its head was written.
    while (!levels_.empty() && levels_.back().items_left == 0) levels_.pop_back();
}

void Encoder::open(bool is_map, std::uint64_t items, std::size_t at) {
    assert((levels_.empty() || !levels_.back().is_map || levels_.back().items_left % 2 == 1) &&
           "a container is no map key here");
    assert(levels_.size() < depth_max);
    // The outer level must not be closed by its last item while that item is still being written.
    if (items == 0) {
        wrote_item(at);
        return;
    }
    if (!levels_.empty()) {
        assert(levels_.back().items_left > 0 && "more items than the head promised");
        --levels_.back().items_left;
    }
    levels_.push_back({is_map, items, 0, 0});
}

Encoder& Encoder::uint(std::uint64_t value) {
    const std::size_t at = out_.size();
    head(cbor_encode_uint, value);
    wrote_item(at);
    return *this;
}

Encoder& Encoder::integer(std::int64_t value) {
    const std::size_t at = out_.size();
    if (value >= 0) {
        head(cbor_encode_uint, static_cast<std::uint64_t>(value));
    } else {
        head(cbor_encode_negint, ~static_cast<std::uint64_t>(value));  // -1 - value
    }
    wrote_item(at);
    return *this;
}

Encoder& Encoder::bytes(BytesView value) {
    const std::size_t at = out_.size();
    head(bytes_head, value.size());
    out_.insert(out_.end(), value.begin(), value.end());
    wrote_item(at);
    return *this;
}

Encoder& Encoder::text(std::string_view value) {
    assert(is_utf8(as_bytes(value)));
    const std::size_t at = out_.size();
    head(text_head, value.size());
    out_.insert(out_.end(), value.begin(), value.end());
    wrote_item(at);
    return *this;
}

Encoder& Encoder::boolean(bool value) {
    const std::size_t at = out_.size();
    head(boolean_head, value ? 1 : 0);
    wrote_item(at);
    return *this;
}

Encoder& Encoder::null() {
    const std::size_t at = out_.size();
    head(null_head, 0);
    wrote_item(at);
    return *this;
}

Encoder& Encoder::array(std::size_t count) {
    const std::size_t at = out_.size();
    head(array_head, count);
    open(false, count, at);
    return *this;
}

Encoder& Encoder::map(std::size_t count) {
    const std::size_t at = out_.size();
    head(map_head, count);
    open(true, std::uint64_t{count} * 2, at);
    return *this;
}

Encoder& Encoder::raw(BytesView item) {
    assert(!item.empty());
    const std::size_t at = out_.size();
    out_.insert(out_.end(), item.begin(), item.end());
    wrote_item(at);
    return *this;
}

Bytes Encoder::take() {
    assert(levels_.empty() && "an array or map is not complete");
    levels_.clear();
    return std::exchange(out_, {});
}

}  // namespace pf::cbor
