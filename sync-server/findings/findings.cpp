#include "sync-server/findings/findings.hpp"

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
    }
    std::abort();
}

void raise(Repositories& r, const Call& call, Finding finding) {
    if (finding.at == WallTime{}) finding.at = call.now;
    r.findings.add(finding);
}

std::vector<Finding> newest(Repositories& r, std::uint64_t before_id, std::size_t limit) {
    return r.findings.newest(before_id, limit);
}

}  // namespace pf::server::findings
