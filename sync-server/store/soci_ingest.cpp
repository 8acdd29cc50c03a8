#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

using ingest::Chain;
using ingest::Kept;
using ingest::StoredEvent;
using EventVerdict = wire::Ack::EventVerdict;

constexpr std::string_view chain_columns =
    "SELECT device, epoch, origin, parent, base_seq, end_seq, end_head FROM journal_chain"
    " WHERE tenant = :a AND device = :b";
constexpr std::string_view chain_types = "ttttiit";

Chain chain_of(const Row& row) {
    return {.device = row.device(0),
            .origin = Epoch{row.hex64(2)},
            .parent = Epoch{row.hex64(3)},
            .base_seq = row.u64(4),
            .end = {Epoch{row.hex64(1)}, row.u64(5), row.digest(6)}};
}

std::optional<EventVerdict> verdict_of(const Row& row, std::size_t column) {
    if (row.is_null(column)) return std::nullopt;
    return static_cast<EventVerdict>(row.number(column));
}

class SociIngest final : public ingest::Repository {
public:
    SociIngest(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

    std::optional<Chain> chain(const DeviceId& device, Epoch epoch) override {
        return sql_.first(std::string{chain_columns} + " AND epoch = :c", {tenant_, device, epoch},
                          chain_types, chain_of);
    }
    std::vector<Chain> chains(const DeviceId& device, Epoch origin) override {
        return sql_.all(
            std::string{chain_columns} +
                " AND origin = :c ORDER BY CASE WHEN epoch = origin THEN 0 ELSE 1 END, base_seq,"
                " epoch",
            {tenant_, device, origin}, chain_types, chain_of);
    }
    void put_chain(const Chain& chain) override {
        sql_.run(
            "INSERT INTO journal_chain (tenant, device, epoch, origin, parent, base_seq, end_seq,"
            " end_head) VALUES (:a, :b, :c, :d, :e, :f, :g, :h)"
            " ON CONFLICT (tenant, device, epoch) DO UPDATE SET"
            " end_seq = excluded.end_seq, end_head = excluded.end_head",
            {tenant_, chain.device, chain.end.epoch, chain.origin, chain.parent, chain.base_seq,
             chain.end.seq, chain.end.head});
    }

    std::vector<Kept> kept(const DeviceId& device, Epoch epoch, std::uint64_t first,
                           std::uint64_t last) override {
        return sql_.all(
            "SELECT seq, head, verdict FROM journal_event WHERE tenant = :a AND device = :b"
            " AND epoch = :c AND seq >= :d AND seq <= :e ORDER BY seq",
            {tenant_, device, epoch, first, last}, "iti", [](const Row& row) {
                return Kept{row.u64(0), row.digest(1), verdict_of(row, 2)};
            });
    }
    void add(const StoredEvent& event, const Digest& head) override {
        std::optional<std::int64_t> verdict;
        if (event.verdict) verdict = static_cast<std::int64_t>(*event.verdict);
        sql_.run(
            "INSERT INTO journal_event (tenant, device, epoch, seq, head, body, verdict,"
            " received_ms, position) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i)",
            {tenant_, event.device, event.epoch, event.seq, head, event.event, verdict,
             event.received_at, sql_.place_in(Order::journal, tenant_)});
    }
    std::optional<Bytes> body(const DeviceId& device, Epoch epoch, std::uint64_t seq) override {
        return sql_.first(
            "SELECT body FROM journal_event WHERE tenant = :a AND device = :b AND epoch = :c"
            " AND seq = :d",
            {tenant_, device, epoch, seq}, "t", [](const Row& row) { return row.bytes(0); });
    }
    void replace(const StoredEvent& event) override {
        std::optional<std::int64_t> verdict;
        if (event.verdict) verdict = static_cast<std::int64_t>(*event.verdict);
        sql_.run(
            "UPDATE journal_event SET body = :a, verdict = :b, received_ms = :c, position = :d"
            " WHERE tenant = :e AND device = :f AND epoch = :g AND seq = :h",
            {event.event, verdict, event.received_at, sql_.place_in(Order::journal, tenant_),
             tenant_, event.device, event.epoch, event.seq});
    }
    std::vector<StoredEvent> log_after(std::uint64_t position, std::size_t limit) override {
        return sql_.all(
            "SELECT device, epoch, seq, body, received_ms, position, verdict FROM journal_event"
            " WHERE tenant = :a AND position > :b ORDER BY position LIMIT :c",
            {tenant_, position, std::uint64_t{limit}}, "ttitiii", [](const Row& row) {
                return StoredEvent{.device = row.device(0),
                                   .epoch = Epoch{row.hex64(1)},
                                   .seq = row.u64(2),
                                   .event = row.bytes(3),
                                   .received_at = row.wall(4),
                                   .position = row.u64(5),
                                   .verdict = verdict_of(row, 6)};
            });
    }

    std::optional<std::uint64_t> quarantined(std::string_view sender,
                                             const Digest& digest) override {
        return sql_.first(
            "SELECT number FROM quarantine WHERE tenant = :a AND sender = :b AND digest = :c",
            {tenant_, sender, digest}, "i", [](const Row& row) { return row.u64(0); });
    }
    std::size_t quarantined_count(std::string_view sender) override {
        return sql_
            .first("SELECT COUNT(*) FROM quarantine WHERE tenant = :a AND sender = :b",
                   {tenant_, sender}, "i", [](const Row& row) { return row.u64(0); })
            .value_or(0);
    }
    std::uint64_t add_quarantined(std::string_view sender, const Digest& digest, BytesView payload,
                                  std::string_view why, WallTime at) override {
        const std::uint64_t number =
            1 + sql_.first("SELECT COALESCE(MAX(number), 0) FROM quarantine WHERE tenant = :a",
                           {tenant_}, "i", [](const Row& row) { return row.u64(0); })
                    .value_or(0);
        sql_.run(
            "INSERT INTO quarantine (tenant, number, sender, digest, reason, payload, received_ms)"
            " VALUES (:a, :b, :c, :d, :e, :f, :g)",
            {tenant_, number, sender, digest, why, payload, at});
        return number;
    }

private:
    Sql& sql_;
    std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<ingest::Repository> make_ingest(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociIngest>(sql, tenant);
}

}  // namespace pf::server::store
