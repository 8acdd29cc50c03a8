#pragma once
// What orders keeps. Implemented by sync-server/store/soci_orders.cpp.
#include <optional>
#include <string>
#include <vector>

#include "sync-server/orders/orders.hpp"

namespace pf::server::orders {

struct TicketRow {
    ticket::Claims claims;
    TicketState state = TicketState::issued;
    bool signed_qr = true;
    std::string reference;
    std::string revoked_why;
    WallTime issued_at;
};

struct CarrierRow {
    Digest lookup{};  // HMAC of the text under the master key
    TicketId ticket;
    admission::CarrierKind kind = admission::CarrierKind::code;
    Bytes sealed;
    std::string masked;
};

/// A ticket whose first day at a site is too far away to be on its list.
struct Waiting {
    Day first_day;
    TicketId ticket;
};

class Repository {
public:
    virtual ~Repository() = default;
    /// False, and nothing done: there is a ticket of that id.
    virtual bool add_ticket(const TicketRow& row) = 0;
    /// Claims, state and the reason for revoking of a ticket that is there.
    virtual void put_ticket(const TicketRow& row) = 0;
    virtual std::optional<TicketRow> ticket(TicketId id) = 0;
    /// Newest first, those of one moment by id downwards; after one of them.
    virtual std::vector<TicketRow> newest(const std::optional<Shown>& after, std::size_t limit) = 0;
    virtual void add_carrier(const CarrierRow& row) = 0;
    virtual std::vector<CarrierRow> carriers_of(TicketId id) = 0;
    virtual std::vector<CarrierRow> carriers_by(const Digest& lookup) = 0;
    /// Every ticket with a carrier, by id, after one: for rebuilding lists under a new key.
    virtual std::vector<TicketId> carried_after(TicketId after, std::size_t limit) = 0;

    /// Noting twice is noting once.
    virtual void add_waiting(SiteId site, const Waiting& row) = 0;
    /// Those whose first day is not after `until`, earliest first.
    virtual std::vector<Waiting> waiting(SiteId site, Day until, std::size_t limit) = 0;
    virtual void drop_waiting(SiteId site, const Waiting& row) = 0;
};

}  // namespace pf::server::orders
