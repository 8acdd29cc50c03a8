#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

using findings::Finding;

class SociFindings final : public findings::Repository {
public:
    SociFindings(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

    void add(const Finding& f) override {
        // Absent parts are empty text, not null: a unique index does not see two nulls as the same.
        const std::string device = f.device ? f.device->text() : "";
        const std::string ticket = f.ticket ? to_text(*f.ticket) : "";
        const std::string epoch = f.epoch ? to_hex(to_be8(f.epoch->value)) : "";
        std::optional<std::int64_t> site;
        if (f.site) site = f.site->value;
        // Asked first and not left to the index: a place is taken only for what is new.
        const auto kind = static_cast<std::int32_t>(f.kind);
        const auto known = sql_.first(
            "SELECT 1 FROM finding WHERE tenant = :a AND kind = :b AND device = :c AND epoch = :d"
            " AND seq = :e AND ticket = :f",
            {tenant_, kind, device, epoch, f.seq, ticket}, "i", [](const Row&) { return true; });
        if (known) return;
        sql_.run(
            "INSERT INTO finding (tenant, number, kind, at_ms, site, device, ticket, epoch, seq,"
            " detail) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i, :j)",
            {tenant_, sql_.place_in(Order::findings, tenant_), kind, f.at, site, device, ticket,
             epoch, f.seq, f.detail});
    }

    std::vector<Finding> newest(std::uint64_t before, std::size_t limit) override {
        return sql_.all(
            "SELECT number, kind, at_ms, site, device, ticket, epoch, seq, detail FROM finding"
            " WHERE tenant = :a AND number > 0 AND number < :b ORDER BY number DESC LIMIT :c",
            {tenant_, before, std::uint64_t{limit}}, "iiiitttit", [](const Row& row) {
                Finding f;
                f.id = row.u64(0);
                f.kind = static_cast<findings::Kind>(row.number(1));
                f.at = row.wall(2);
                if (!row.is_null(3)) f.site = SiteId{row.u32(3)};
                f.device = DeviceId::parse(row.text(4));
                f.ticket = ticket_id_from(row.text(5));
                if (!row.text(6).empty()) f.epoch = Epoch{row.hex64(6)};
                f.seq = row.u64(7);
                f.detail = row.text(8);
                return f;
            });
    }

private:
    Sql& sql_;
    std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<findings::Repository> make_findings(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociFindings>(sql, tenant);
}

}  // namespace pf::server::store
