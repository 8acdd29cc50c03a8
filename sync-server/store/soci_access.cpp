#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

using access::AnswerRow;
using access::Audit;
using access::KeyRow;

KeyRow key_of(const Row& row) {
    KeyRow out;
    out.key.id = row.text(0);
    out.key.name = row.text(1);
    out.secret_hash = row.digest(2);
    out.key.permissions = access::Permissions::from_bits(row.u64(3));
    out.key.created_by = row.text(4);
    out.key.created_at = row.wall(5);
    if (!row.is_null(6)) out.key.revoked_at = row.wall(6);
    return out;
}
constexpr std::string_view key_columns =
    "SELECT api_key, name, secret_hash, permissions, created_by, created_ms, revoked_ms"
    " FROM api_key WHERE tenant = :a";
constexpr std::string_view key_types = "tttitii";

class SociAccess final : public access::Repository {
public:
    SociAccess(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

    void put_key(const KeyRow& row) override {
        sql_.run(
            "INSERT INTO api_key (tenant, api_key, name, secret_hash, permissions, created_by,"
            " created_ms, revoked_ms) VALUES (:a, :b, :c, :d, :e, :f, :g, :h)"
            " ON CONFLICT (tenant, api_key) DO UPDATE SET name = excluded.name,"
            " permissions = excluded.permissions, revoked_ms = excluded.revoked_ms",
            {tenant_, row.key.id, row.key.name, row.secret_hash, row.key.permissions.bits(),
             row.key.created_by, row.key.created_at, row.key.revoked_at});
    }
    std::optional<KeyRow> key(std::string_view id) override {
        return sql_.first(std::string{key_columns} + " AND api_key = :b", {tenant_, id}, key_types,
                          key_of);
    }
    std::vector<KeyRow> keys() override {
        return sql_.all(std::string{key_columns} + " ORDER BY created_ms, api_key", {tenant_},
                        key_types, key_of);
    }

    void add_audit(const Audit& audit) override {
        sql_.run(
            "INSERT INTO audit (tenant, number, at_ms, actor, action, target, outcome, request_id)"
            " VALUES (:a, :b, :c, :d, :e, :f, :g, :h)",
            {tenant_, sql_.place_in(Order::audit, tenant_), audit.at, audit.actor, audit.action,
             audit.target, audit.outcome, audit.request_id});
    }
    std::vector<Audit> audits(std::uint64_t before, std::size_t limit) override {
        return sql_.all(
            "SELECT number, at_ms, actor, action, target, outcome, request_id FROM audit"
            " WHERE tenant = :a AND number > 0 AND number < :b ORDER BY number DESC LIMIT :c",
            {tenant_, before, std::uint64_t{limit}}, "iittttt", [](const Row& row) {
                return Audit{.number = row.u64(0),
                             .at = row.wall(1),
                             .actor = row.text(2),
                             .action = row.text(3),
                             .target = row.text(4),
                             .outcome = row.text(5),
                             .request_id = row.text(6)};
            });
    }

    std::optional<AnswerRow> answer(std::string_view actor, std::string_view key) override {
        return sql_.first(
            "SELECT fingerprint, sealed, at_ms FROM kept_answer"
            " WHERE tenant = :a AND actor = :b AND request_key = :c",
            {tenant_, actor, key}, "tti", [](const Row& row) {
                return AnswerRow{row.digest(0), row.bytes(1), row.wall(2)};
            });
    }
    void put_answer(std::string_view actor, std::string_view key, const AnswerRow& row) override {
        sql_.run(
            "INSERT INTO kept_answer (tenant, actor, request_key, fingerprint, sealed, at_ms)"
            " VALUES (:a, :b, :c, :d, :e, :f) ON CONFLICT (tenant, actor, request_key) DO UPDATE"
            " SET fingerprint = excluded.fingerprint, sealed = excluded.sealed,"
            " at_ms = excluded.at_ms",
            {tenant_, actor, key, row.fingerprint, row.sealed, row.at});
    }
    void forget_answers(WallTime before) override {
        sql_.run("DELETE FROM kept_answer WHERE tenant = :a AND at_ms < :b", {tenant_, before});
    }

private:
    Sql& sql_;
    std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<access::Repository> make_access(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociAccess>(sql, tenant);
}

}  // namespace pf::server::store
