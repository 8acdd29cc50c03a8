#include "sync-server/leases/repository.hpp"

#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

using leases::Claim;
using leases::Server;

class SociLeases final : public leases::Repository {
public:
    SociLeases(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

    WallTime clock() override { return sql_.clock(); }
    void wait_at_most(Millis patience) override { sql_.wait_at_most(patience); }

    std::vector<Server> servers() override {
        return sql_.all(
            "SELECT life, name, managed, seat, joined_ms, until_ms FROM server_process"
            " WHERE tenant = :a ORDER BY life",
            {tenant_}, "ttiiii", [](const Row& row) {
                return Server{
                    .life = {.id = row.text(0), .name = row.text(1), .managed_broker = row.yes(2)},
                    .seat = row.u32(3),
                    .joined = row.wall(4),
                    .until = row.wall(5)};
            });
    }

    void put(const Server& server) override {
        sql_.run(
            "INSERT INTO server_process (tenant, life, name, seat, managed, joined_ms, until_ms)"
            " VALUES (:a, :b, :c, :d, :e, :f, :g) ON CONFLICT (tenant, life) DO UPDATE SET"
            " name = excluded.name, seat = excluded.seat, managed = excluded.managed,"
            " joined_ms = excluded.joined_ms, until_ms = excluded.until_ms",
            {tenant_, server.life.id, server.life.name, server.seat, server.life.managed_broker,
             server.joined, server.until});
    }

    void remove(const std::string& life) override {
        sql_.run("DELETE FROM server_process WHERE tenant = :a AND life = :b", {tenant_, life});
    }

    std::vector<Claim> claims() override {
        return sql_.all("SELECT life, part, token FROM lease WHERE tenant = :a ORDER BY part",
                        {tenant_}, "tii", read);
    }

    std::optional<Claim> claim(std::uint32_t part) override {
        return sql_.first("SELECT life, part, token FROM lease WHERE tenant = :a AND part = :b",
                          {tenant_, part}, "tii", read);
    }

    void put(const Claim& claim) override {
        sql_.run(
            "INSERT INTO lease (tenant, part, life, token) VALUES (:a, :b, :c, :d)"
            " ON CONFLICT (tenant, part) DO UPDATE SET life = excluded.life,"
            " token = excluded.token",
            {tenant_, claim.part, claim.life, claim.token});
    }

private:
    static Claim read(const Row& row) {
        return {.life = row.text(0), .part = row.u32(1), .token = row.u64(2)};
    }

    Sql& sql_;
    std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<leases::Repository> make_leases(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociLeases>(sql, tenant);
}

}  // namespace pf::server::store
