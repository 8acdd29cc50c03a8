// What nobody may book, kept for people, and the log of what was booked.
#include <fmt/format.h>

#include <algorithm>

#include "sync-server/findings/findings.hpp"
#include "sync-server/ingest/repository.hpp"

namespace pf::server::ingest {

std::optional<std::uint64_t> quarantine(Repositories& r, const Call& call, std::string_view sender,
                                        BytesView payload, std::string_view why) {
    const Digest digest = crypto::sha256(payload);
    if (const auto number = r.ingest.quarantined(sender, digest)) return number;
    // A sender gone mad must not fill the disk; that it did is a finding with the last number.
    if (r.ingest.quarantined_count(sender) >= quarantine_payloads_max) return std::nullopt;
    const BytesView head = payload.first(std::min(payload.size(), wire::payload_bytes_max));
    return r.ingest.add_quarantined(sender, digest, head, why, call.now);
}

Effects on_malformed(Repositories& r, const Call& call, const fleet::Device& sender,
                     BytesView payload, std::string_view why) {
    const auto number = quarantine(r, call, sender.id.text(), payload, why);
    // Numbered by what is kept, so that a payload delivered again raises nothing new.
    findings::raise(
        r, call,
        {.kind = findings::Kind::quarantined,
         .at = {},
         .site = sender.site,
         .device = sender.id,
         .ticket = std::nullopt,
         .epoch = std::nullopt,
         .seq = number.value_or(0),
         .detail = number ? fmt::format("a malformed payload, kept as {}: {}", *number, why)
                          : "the quarantine of this device is full"});
    return {};
}

std::vector<StoredEvent> log_after(Repositories& r, std::uint64_t position, std::size_t limit) {
    return r.ingest.log_after(position, limit);
}

}  // namespace pf::server::ingest
