#include <fmt/format.h>

#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

using orders::CarrierRow;
using orders::TicketRow;

TicketRow ticket_of(const Row& row) {
    const Bytes bytes = row.bytes(0);
    cbor::Decoder in{bytes};
    TicketRow out{.claims = ticket::decode_claims(in),
                  .state = static_cast<orders::TicketState>(row.number(1)),
                  .signed_qr = row.yes(2),
                  .reference = row.text(3),
                  .revoked_why = row.text(4),
                  .issued_at = row.wall(5)};
    if (!in.ok()) throw std::runtime_error{"a stored ticket's claims can't be read"};
    return out;
}
constexpr std::string_view ticket_columns =
    "SELECT claims, state, signed_qr, reference, revoked_why, issued_ms FROM ticket WHERE tenant = "
    ":a";
constexpr std::string_view ticket_types = "tiitti";

CarrierRow carrier_of(const Row& row) {
    return {.lookup = row.digest(0),
            .ticket = TicketId{row.hex64(1)},
            .kind = static_cast<admission::CarrierKind>(row.number(2)),
            .sealed = row.bytes(3),
            .masked = row.text(4)};
}
constexpr std::string_view carrier_columns =
    "SELECT lookup, ticket, kind, sealed, masked FROM carrier WHERE tenant = :a";
constexpr std::string_view carrier_types = "ttitt";

class SociOrders final : public orders::Repository {
public:
    SociOrders(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

    bool add_ticket(const TicketRow& row) override {
        return sql_.run(
                   "INSERT INTO ticket (tenant, ticket, claims, state, signed_qr, reference,"
                   " revoked_why, issued_ms) VALUES (:a, :b, :c, :d, :e, :f, :g, :h)"
                   " ON CONFLICT (tenant, ticket) DO NOTHING",
                   {tenant_, row.claims.id, ticket::encode(row.claims),
                    static_cast<std::int32_t>(row.state), row.signed_qr, row.reference,
                    row.revoked_why, row.issued_at}) > 0;
    }
    void put_ticket(const TicketRow& row) override {
        sql_.run(
            "UPDATE ticket SET claims = :a, state = :b, revoked_why = :c"
            " WHERE tenant = :d AND ticket = :e",
            {ticket::encode(row.claims), static_cast<std::int32_t>(row.state), row.revoked_why,
             tenant_, row.claims.id});
    }
    std::optional<TicketRow> ticket(TicketId id) override {
        return sql_.first(std::string{ticket_columns} + " AND ticket = :b", {tenant_, id},
                          ticket_types, ticket_of);
    }
    std::vector<TicketRow> newest(const std::optional<orders::Shown>& after,
                                  std::size_t limit) override {
        constexpr std::string_view order = " ORDER BY issued_ms DESC, ticket DESC LIMIT ";
        if (!after)
            return sql_.all(fmt::format("{}{}:b", ticket_columns, order),
                            {tenant_, std::uint64_t{limit}}, ticket_types, ticket_of);
        // The first condition is the one an index can begin at, on either database.
        return sql_.all(
            fmt::format("{} AND issued_ms <= :b AND (issued_ms < :c OR ticket < :d){}:e",
                        ticket_columns, order),
            {tenant_, after->issued_at, after->issued_at, after->ticket, std::uint64_t{limit}},
            ticket_types, ticket_of);
    }
    void add_carrier(const CarrierRow& row) override {
        sql_.run(
            "INSERT INTO carrier (tenant, lookup, ticket, kind, sealed, masked) VALUES (:a, :b, "
            ":c, :d, :e, :f)",
            {tenant_, row.lookup, row.ticket, static_cast<std::int32_t>(row.kind), row.sealed,
             row.masked});
    }
    std::vector<CarrierRow> carriers_of(TicketId id) override {
        return sql_.all(std::string{carrier_columns} + " AND ticket = :b ORDER BY lookup",
                        {tenant_, id}, carrier_types, carrier_of);
    }
    std::vector<CarrierRow> carriers_by(const Digest& lookup) override {
        return sql_.all(std::string{carrier_columns} + " AND lookup = :b ORDER BY ticket",
                        {tenant_, lookup}, carrier_types, carrier_of);
    }
    std::vector<TicketId> carried_after(TicketId after, std::size_t limit) override {
        return sql_.all(
            "SELECT DISTINCT ticket FROM carrier WHERE tenant = :a AND ticket > :b"
            " ORDER BY ticket LIMIT :c",
            {tenant_, after, std::uint64_t{limit}}, "t",
            [](const Row& row) { return TicketId{row.hex64(0)}; });
    }

    void add_waiting(SiteId site, const orders::Waiting& row) override {
        sql_.run(
            "INSERT INTO ticket_waiting (tenant, site, first_day, ticket) VALUES (:a, :b, :c, :d)"
            " ON CONFLICT (tenant, site, first_day, ticket) DO NOTHING",
            {tenant_, site, row.first_day, row.ticket});
    }
    std::vector<orders::Waiting> waiting(SiteId site, Day until, std::size_t limit) override {
        return sql_.all(
            "SELECT first_day, ticket FROM ticket_waiting WHERE tenant = :a AND site = :b"
            " AND first_day <= :c ORDER BY first_day, ticket LIMIT :d",
            {tenant_, site, until, std::uint64_t{limit}}, "it", [](const Row& row) {
                return orders::Waiting{row.day(0), TicketId{row.hex64(1)}};
            });
    }
    void drop_waiting(SiteId site, const orders::Waiting& row) override {
        sql_.run(
            "DELETE FROM ticket_waiting WHERE tenant = :a AND site = :b AND first_day = :c"
            " AND ticket = :d",
            {tenant_, site, row.first_day, row.ticket});
    }

private:
    Sql& sql_;
    std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<orders::Repository> make_orders(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociOrders>(sql, tenant);
}

}  // namespace pf::server::store
