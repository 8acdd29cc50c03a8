#pragma once
// What checkins keeps. Implemented by sync-server/store/soci_checkins.cpp.
#include <optional>
#include <vector>

#include "sync-server/checkins/checkins.hpp"

namespace pf::server::checkins {

/// One grant as kept. `position`: its place in the site's log of uses, moved to the end by every
/// change; `booked`: its first place.
struct Row {
    GrantId grant;
    pf::journal::Admitted admitted;
    std::uint64_t position = 0;
    std::uint64_t booked = 0;
    std::uint16_t passed = 0;
    std::uint16_t returned = 0;
    std::optional<pf::journal::Outcome::How> how;  // of the outcome, once it arrived
    WallTime at;
    WallTime received_at;

    /// Still counted, and the outcome knows nothing of them: staff decide.
    std::uint16_t unseen() const noexcept {
        if (!how || !pf::journal::passage_unknown(*how)) return 0;
        const int counted = admitted.persons - returned;
        // Who was seen to pass has passed, whatever happened afterwards.
        return static_cast<std::uint16_t>(passed < counted ? counted - passed : 0);
    }
};

struct Quota {
    std::uint32_t persons = 0;
    std::uint32_t entries = 0;
    ticket::Scope scope = ticket::Scope::validity;
};

class Repository {
public:
    virtual ~Repository() = default;

    virtual std::optional<Row> find(const GrantId& grant) = 0;
    virtual void add(const Row& row) = 0;
    /// Of a grant that is there: passed, returned, how, position.
    virtual void update(const Row& row) = 0;
    /// In the order in which they were booked.
    virtual std::vector<Row> of_ticket(TicketId ticket) = 0;

    virtual std::uint64_t position(SiteId site) = 0;
    virtual void put_position(SiteId site, std::uint64_t position) = 0;
    /// By position, those after `after` whose last day is not before `from_day`.
    virtual std::vector<Row> log(SiteId site, std::uint64_t after, Day from_day,
                                 std::size_t limit) = 0;

    virtual void put_quotas(const ticket::Claims& claims) = 0;
    virtual std::optional<Quota> quota(TicketId ticket, SiteId site, ProductId product) = 0;
    /// The earliest call for the same `below` stays.
    virtual void add_refused(TicketId ticket, std::uint32_t below, WallTime at) = 0;
    /// Since when this generation is refused; nothing: never.
    virtual std::optional<WallTime> refused_since(TicketId ticket, std::uint32_t generation) = 0;
};

}  // namespace pf::server::checkins
