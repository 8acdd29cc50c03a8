#include "sync-server/findings/findings.hpp"

#include "common/cbor/utf8.hpp"
#include "sync-server/findings/repository.hpp"

namespace pf::server::findings {

std::string_view to_text(Kind kind) noexcept {
    switch (kind) {
        case Kind::over_admission:
            return "over_admission";
        case Kind::admitted_revoked:
            return "admitted_revoked";
        case Kind::fork:
            return "fork";
        case Kind::quarantined:
            return "quarantined";
        case Kind::clock_wrong:
            return "clock_wrong";
        case Kind::forged:
            return "forged";
        case Kind::foreign_topic:
            return "foreign_topic";
        case Kind::revoked_device:
            return "revoked_device";
        case Kind::state_lost:
            return "state_lost";
        case Kind::reported:
            return "reported";
        case Kind::ticket_unknown:
            return "ticket_unknown";
        case Kind::loss_claimed:
            return "loss_claimed";
    }
    std::abort();
}

namespace {

/// A detail may quote what a stranger sent: no database keeps a zero in a text, and half a
/// character is none.
std::string keepable(std::string text) {
    const bool whole = cbor::is_utf8(as_bytes(text));
    for (char& c : text)
        if (c == '\0' || (!whole && static_cast<unsigned char>(c) >= 0x80)) c = '?';
    return text;
}

}  // namespace

void raise(Repositories& r, const Call& call, Finding finding) {
    finding.detail = keepable(std::move(finding.detail));
    if (finding.at == WallTime{}) finding.at = call.now;
    r.findings.add(finding);
}

std::vector<Finding> newest(Repositories& r, std::uint64_t before_id, std::size_t limit) {
    return r.findings.newest(before_id, limit);
}

}  // namespace pf::server::findings
