#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

using checkins::Quota;

constexpr std::string_view checkin_columns =
    "SELECT device, epoch, seq, site, position, booked, ticket, ticket_generation, product, point,"
    " day, last_day, granted, passed, returned, person_type, carrier, flags, awaits_passage, how,"
    " at_ms, received_ms FROM checkin WHERE tenant = :a";
constexpr std::string_view checkin_types = "ttiiiitiiiiiiiiiiiiiii";

checkins::Row checkin_of(const Row& row) {
    checkins::Row out{.grant = {row.device(0), Epoch{row.hex64(1)}, row.u64(2)},
                      .admitted = {.ticket = TicketId{row.hex64(6)},
                                   .generation = row.u32(7),
                                   .site = SiteId{row.u32(3)},
                                   .product = ProductId{row.u32(8)},
                                   .point = PointId{row.u32(9)},
                                   .day = row.day(10),
                                   .persons = static_cast<std::uint16_t>(row.number(12)),
                                   .person_type = static_cast<ticket::PersonType>(row.number(15)),
                                   .carrier = static_cast<admission::CarrierKind>(row.number(16)),
                                   .flags = row.u32(17),
                                   .awaits_passage = row.yes(18),
                                   .last_day = row.day(11),
                                   .seen = {}},
                      .position = row.u64(4),
                      .booked = row.u64(5),
                      .passed = static_cast<std::uint16_t>(row.number(13)),
                      .returned = static_cast<std::uint16_t>(row.number(14)),
                      .how = std::nullopt,
                      .at = row.wall(20),
                      .received_at = row.wall(21)};
    if (!row.is_null(19)) out.how = static_cast<pf::journal::Outcome::How>(row.number(19));
    return out;
}

class SociCheckins final : public checkins::Repository {
public:
    SociCheckins(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

    std::optional<checkins::Row> find(const GrantId& grant) override {
        return sql_.first(
            std::string{checkin_columns} + " AND device = :b AND epoch = :c AND seq = :d",
            {tenant_, grant.device, grant.epoch, grant.seq}, checkin_types, checkin_of);
    }
    void add(const checkins::Row& row) override {
        const pf::journal::Admitted& a = row.admitted;
        sql_.run(
            "INSERT INTO checkin (tenant, device, epoch, seq, site, position, booked, ticket,"
            " ticket_generation, product, point, day, last_day, granted, passed, returned,"
            " person_type, carrier, flags, awaits_passage, at_ms, received_ms) VALUES (:a, :b, :c,"
            " :d, :e, :f, :g, :h, :i, :j, :k, :l, :m, :n, :o, :p, :q, :r, :s, :t, :u, :v)",
            {tenant_,
             row.grant.device,
             row.grant.epoch,
             row.grant.seq,
             a.site,
             row.position,
             row.booked,
             a.ticket,
             a.generation,
             a.product,
             a.point,
             a.day,
             a.last_day,
             std::uint32_t{a.persons},
             std::uint32_t{row.passed},
             std::uint32_t{row.returned},
             static_cast<std::int32_t>(a.person_type),
             static_cast<std::int32_t>(a.carrier),
             a.flags,
             a.awaits_passage,
             row.at,
             row.received_at});
    }
    void update(const checkins::Row& row) override {
        std::optional<std::int64_t> how;
        if (row.how) how = static_cast<std::int64_t>(*row.how);
        sql_.run(
            "UPDATE checkin SET passed = :a, returned = :b, how = :c, position = :d"
            " WHERE tenant = :e AND device = :f AND epoch = :g AND seq = :h",
            {std::uint32_t{row.passed}, std::uint32_t{row.returned}, how, row.position, tenant_,
             row.grant.device, row.grant.epoch, row.grant.seq});
    }
    std::vector<checkins::Row> of_ticket(TicketId ticket) override {
        // Positions are the site's own; of two sites the order says nothing and is only stable.
        return sql_.all(std::string{checkin_columns} + " AND ticket = :b ORDER BY booked, site",
                        {tenant_, ticket}, checkin_types, checkin_of);
    }

    std::uint64_t position(SiteId site) override {
        return sql_
            .first("SELECT position FROM checkin_position WHERE tenant = :a AND site = :b",
                   {tenant_, site}, "i", [](const Row& row) { return row.u64(0); })
            .value_or(0);
    }
    void put_position(SiteId site, std::uint64_t position) override {
        sql_.run(
            "INSERT INTO checkin_position (tenant, site, position) VALUES (:a, :b, :c)"
            " ON CONFLICT (tenant, site) DO UPDATE SET position = excluded.position",
            {tenant_, site, position});
    }
    std::vector<checkins::Row> log(SiteId site, std::uint64_t after, Day from_day,
                                   std::size_t limit) override {
        return sql_.all(
            std::string{checkin_columns} +
                " AND site = :b AND position > :c AND last_day >= :d ORDER BY position LIMIT :e",
            {tenant_, site, after, from_day, std::uint64_t{limit}}, checkin_types, checkin_of);
    }

    void put_quotas(const ticket::Claims& claims) override {
        sql_.run("DELETE FROM ticket_quota WHERE tenant = :a AND ticket = :b",
                 {tenant_, claims.id});
        for (const ticket::Entitlement& e : claims.entitlements) {
            sql_.run(
                "INSERT INTO ticket_quota (tenant, ticket, site, product, persons, entries, scope,"
                " last_day) VALUES (:a, :b, :c, :d, :e, :f, :g, :h)",
                {tenant_, claims.id, e.site, e.product, std::uint32_t{claims.persons},
                 std::uint32_t{e.entries}, static_cast<std::int32_t>(e.scope), e.last_day});
        }
    }
    std::optional<Quota> quota(TicketId ticket, SiteId site, ProductId product) override {
        return sql_.first(
            "SELECT persons, entries, scope FROM ticket_quota"
            " WHERE tenant = :a AND ticket = :b AND site = :c AND product = :d",
            {tenant_, ticket, site, product}, "iii", [](const Row& row) {
                return Quota{row.u32(0), row.u32(1), static_cast<ticket::Scope>(row.number(2))};
            });
    }
    void add_refused(TicketId ticket, std::uint32_t below, WallTime at) override {
        sql_.run(
            "INSERT INTO ticket_refused (tenant, ticket, refused_below, refused_ms)"
            " VALUES (:a, :b, :c, :d) ON CONFLICT (tenant, ticket, refused_below) DO NOTHING",
            {tenant_, ticket, below, at});
    }
    std::optional<WallTime> refused_since(TicketId ticket, std::uint32_t generation) override {
        return sql_.first(
            "SELECT refused_ms FROM ticket_refused WHERE tenant = :a AND ticket = :b"
            " AND refused_below > :c ORDER BY refused_ms LIMIT 1",
            {tenant_, ticket, generation}, "i", [](const Row& row) { return row.wall(0); });
    }

private:
    Sql& sql_;
    std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<checkins::Repository> make_checkins(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociCheckins>(sql, tenant);
}

}  // namespace pf::server::store
