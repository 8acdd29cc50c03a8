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

class Repository {
public:
    virtual ~Repository() = default;
    /// False, and nothing done: there is a ticket of that id.
    virtual bool add_ticket(const TicketRow& row) = 0;
    /// Claims, state and the reason for revoking of a ticket that is there.
    virtual void put_ticket(const TicketRow& row) = 0;
    virtual std::optional<TicketRow> ticket(TicketId id) = 0;
    /// Newest first, issued before `before`.
    virtual std::vector<TicketRow> newest(WallTime before, std::size_t limit) = 0;
    virtual void add_carrier(const CarrierRow& row) = 0;
    virtual std::vector<CarrierRow> carriers_of(TicketId id) = 0;
    virtual std::vector<CarrierRow> carriers_by(const Digest& lookup) = 0;
    /// Every carrier, in order of lookup, after one: for rebuilding lists under a new key.
    virtual std::vector<CarrierRow> carriers_after(const Digest& lookup, std::size_t limit) = 0;
};

}  // namespace pf::server::orders
