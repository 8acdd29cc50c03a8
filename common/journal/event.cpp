// What an event is called, and how events are chained. docs/protocol/sync-v1.md, section 3.
#include "common/journal/event.hpp"

#include <algorithm>

namespace pf::journal {

namespace {

// The order of Body, frozen: a kind's number and word are in every journal ever written.
constexpr std::string_view kind_words[] = {
    "epoch_opened", "booted",       "clock_changed", "admitted", "refused", "outcome",
    "lane_alarm",   "list_applied", "command_done",  "finding",  "opened",  "let_in"};
static_assert(std::size(kind_words) == std::variant_size_v<Body>);

constexpr std::string_view genesis_context = "paifang/journal/1";
constexpr std::string_view head_context = "paifang/head/1";

/// The longest beginning of `text` that is at most `bytes_max` long and ends between characters.
std::string_view cut_utf8(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    std::size_t end = bytes_max;
    const auto continues = [&](std::size_t at) {
        return (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U;
    };
    while (end > 0 && continues(end)) --end;
    return text.substr(0, end);
}

}  // namespace

std::uint8_t kind_of(const Body& body) noexcept {
    return static_cast<std::uint8_t>(body.index() + 1);
}

std::string_view kind_text(const Body& body) noexcept { return kind_words[body.index()]; }

std::string_view to_text(Fault fault) noexcept {
    switch (fault) {
        case Fault::malformed:
            return "malformed";
        case Fault::kind_unknown:
            return "kind_unknown";
        case Fault::chain_broken:
            return "chain_broken";
        case Fault::gap:
            return "gap";
        case Fault::bad_signature:
            return "bad_signature";
    }
    return "unknown_fault";
}

Finding finding(std::string_view code, std::string_view detail) {
    return {std::string{code}, std::string{cut_utf8(detail, detail_bytes_max)}};
}

Digest genesis(const DeviceId& device, Epoch epoch) {
    cbor::Encoder out;
    out.array(3).text(genesis_context).text(device.text()).bytes(to_be8(epoch.value));
    return crypto::sha256(out.view());
}

Digest next_head(const Digest& head, BytesView event) {
    crypto::Sha256 hash;
    hash.update(head).update(event);
    return hash.finish();
}

Bytes head_to_sign(const DeviceId& device, const Cursor& cursor) {
    cbor::Encoder out;
    out.array(5).text(head_context).text(device.text()).bytes(to_be8(cursor.epoch.value));
    out.uint(cursor.seq).bytes(cursor.head);
    return out.take();
}

}  // namespace pf::journal
