// libcbor as second opinion: our reader accepts an input exactly when libcbor reads all of it and
// the tree, written again in the deterministic form, gives the same bytes.
#include <cbor.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "common/cbor/cbor.hpp"

using namespace pf;
using pf::cbor::Decoder;
using pf::cbor::Encoder;
using pf::cbor::Fault;
using pf::cbor::Type;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

struct ReleaseItem {
    void operator()(cbor_item_t* item) const { cbor_decref(&item); }
};
using Item = std::unique_ptr<cbor_item_t, ReleaseItem>;

/// Does a head promise more items than the input has bytes? libcbor would allocate them at once.
bool promises_too_much(BytesView input) {
    struct Promise {
        std::uint64_t limit;
        bool is_broken;
    };
    const auto see = [](void* context, auto count) {
        auto& promise = *static_cast<Promise*>(context);
        if (count > promise.limit) promise.is_broken = true;
    };
    cbor_callbacks callbacks = cbor_empty_callbacks;
    callbacks.array_start = see;
    callbacks.map_start = see;
    Promise promise{input.size(), false};
    while (!input.empty()) {
        const auto step = cbor_stream_decode(input.data(), input.size(), &callbacks, &promise);
        if (step.status != CBOR_DECODER_FINISHED) break;
        input = input.subspan(step.read);
    }
    return promise.is_broken;
}

bool write_canonical(cbor_item_t* item, std::size_t depth, Bytes& out);

bool write_map(cbor_item_t* item, std::size_t depth, Bytes& out) {
    const std::size_t size = cbor_map_size(item);
    if (!cbor_map_is_definite(item) || depth == cbor::depth_max) return false;
    Byte head[9];
    out.insert(out.end(), head, head + cbor_encode_map_start(size, head, sizeof head));
    Bytes last;
    for (std::size_t i = 0; i < size; ++i) {
        const cbor_pair& pair = cbor_map_handle(item)[i];
        Bytes key;
        if (!write_canonical(pair.key, depth + 1, key) || !(last < key)) return false;
        out.insert(out.end(), key.begin(), key.end());
        last = key;
        if (!write_canonical(pair.value, depth + 1, out)) return false;
    }
    return true;
}

bool write_array(cbor_item_t* item, std::size_t depth, Bytes& out) {
    const std::size_t size = cbor_array_size(item);
    if (!cbor_array_is_definite(item) || depth == cbor::depth_max) return false;
    Byte head[9];
    out.insert(out.end(), head, head + cbor_encode_array_start(size, head, sizeof head));
    for (std::size_t i = 0; i < size; ++i) {
        if (!write_canonical(cbor_array_handle(item)[i], depth + 1, out)) return false;
    }
    return true;
}

bool write_text(const cbor_item_t* item, Bytes& out) {
    const std::size_t length = cbor_string_length(item);
    if (!cbor_string_is_definite(item)) return false;
    Byte head[9];
    out.insert(out.end(), head, head + cbor_encode_string_start(length, head, sizeof head));
    out.insert(out.end(), cbor_string_handle(item), cbor_string_handle(item) + length);
    return true;
}

/// The deterministic form of a tree libcbor has read. False when it has none that we speak.
bool write_canonical(cbor_item_t* item, std::size_t depth, Bytes& out) {
    Byte head[9];
    const auto put = [&](std::size_t length) {
        out.insert(out.end(), head, head + length);
        return true;
    };
    switch (cbor_typeof(item)) {
        case CBOR_TYPE_UINT:
            return put(cbor_encode_uint(cbor_get_int(item), head, sizeof head));
        case CBOR_TYPE_NEGINT:
            return put(cbor_encode_negint(cbor_get_int(item), head, sizeof head));
        case CBOR_TYPE_BYTESTRING: {
            if (!cbor_bytestring_is_definite(item)) return false;
            const std::size_t length = cbor_bytestring_length(item);
            put(cbor_encode_bytestring_start(length, head, sizeof head));
            const Byte* const bytes = cbor_bytestring_handle(item);
            if (length > 0) out.insert(out.end(), bytes, bytes + length);
            return true;
        }
        case CBOR_TYPE_STRING:
            return write_text(item, out);
        case CBOR_TYPE_ARRAY:
            return write_array(item, depth, out);
        case CBOR_TYPE_MAP:
            return write_map(item, depth, out);
        case CBOR_TYPE_TAG:
            return false;
        case CBOR_TYPE_FLOAT_CTRL:
            // Asked about a float, cbor_is_bool() aborts the process (libcbor 0.8).
            if (!cbor_float_ctrl_is_ctrl(item)) return false;
            if (cbor_is_bool(item)) {
                return put(cbor_encode_bool(cbor_get_bool(item), head, sizeof head));
            }
            return cbor_is_null(item) && put(cbor_encode_null(head, sizeof head));
    }
    return false;
}

bool libcbor_finds_it_canonical(BytesView input) {
    cbor_load_result result{};
    const Item item{cbor_load(input.data(), input.size(), &result)};
    if (!item || result.read != input.size()) return false;
    Bytes again;
    return write_canonical(item.get(), 0, again) && std::ranges::equal(again, input);
}

/// Reads with the typed calls, as the decoders of messages do, and writes what it read.
void copy_item(Decoder& in, Encoder& out) {
    switch (in.peek()) {
        case Type::uint: {
            const auto value = in.uint();
            if (in.ok()) out.uint(value);
            return;
        }
        case Type::negative: {
            const auto value = in.integer();
            if (in.ok()) out.integer(value);
            return;
        }
        case Type::bytes: {
            const auto value = in.bytes(0, SIZE_MAX);
            if (in.ok()) out.bytes(value);
            return;
        }
        case Type::text: {
            const auto value = in.text(SIZE_MAX);
            if (in.ok()) out.text(value);
            return;
        }
        case Type::boolean: {
            const auto value = in.boolean();
            if (in.ok()) out.boolean(value);
            return;
        }
        case Type::null:
            in.null();
            if (in.ok()) out.null();
            return;
        case Type::array: {
            const std::size_t count = in.array(SIZE_MAX);
            if (!in.ok()) return;
            out.array(count);
            for (std::size_t i = 0; i < count && in.ok(); ++i) copy_item(in, out);
            in.leave();
            return;
        }
        case Type::map: {
            const std::size_t count = in.map(SIZE_MAX);
            if (!in.ok()) return;
            out.map(count);
            for (std::size_t i = 0; i < count && in.ok(); ++i) {
                const auto key = in.key();
                if (in.ok()) out.key(key);
                copy_item(in, out);
            }
            in.leave();
            return;
        }
        case Type::none:
            in.item();
            return;  // has no meaning for us: let it say why
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView input{data, size};
    const auto fault = cbor::check(input);
    if (promises_too_much(input)) {
        require(fault.has_value());
    } else {
        require(libcbor_finds_it_canonical(input) == !fault);
    }

    Decoder decoder{input};
    Encoder encoder;
    copy_item(decoder, encoder);
    decoder.finish();
    if (decoder.ok()) {
        require(!fault);
        require(std::ranges::equal(encoder.take(), input));
    } else if (!fault) {
        // The typed calls know integer keys and 64-bit integers only.
        require(decoder.fault() == Fault::wrong_type || decoder.fault() == Fault::out_of_range);
    }
    if (!fault) require(!cbor::diagnostic(input).empty());
    return 0;
}
