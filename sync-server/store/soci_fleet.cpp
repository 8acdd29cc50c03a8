#include "common/wire/documents.hpp"
#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

using namespace fleet;

std::string_view to_text(SiteKeyKind kind) {
    switch (kind) {
        case SiteKeyKind::authority:
            return "authority";
        case SiteKeyKind::carrier:
            return "carrier";
        case SiteKeyKind::holder:
            return "holder";
    }
    std::abort();
}

constexpr std::string_view device_columns =
    "SELECT d.device, d.site, d.partition, d.state, d.point, d.certificate_until_ms, "
    "d.last_heard_ms,"
    " d.connected, d.firmware, d.clock, c.body FROM device d LEFT JOIN device_configuration c"
    " ON c.tenant = d.tenant AND c.device = d.device AND c.version ="
    " (SELECT MAX(version) FROM device_configuration m WHERE m.tenant = d.tenant AND m.device = "
    "d.device)"
    " WHERE d.tenant = :a";
constexpr std::string_view device_types = "tiiitiiitit";

Device device_of(const Row& row) {
    Device device{.id = row.device(0),
                  .site = SiteId{row.u32(1)},
                  .partition = row.u32(2),
                  .state = static_cast<DeviceState>(row.number(3)),
                  .configuration = {},
                  .key = std::nullopt,
                  .certificate_until = std::nullopt,
                  .last_heard = std::nullopt,
                  .connected = row.yes(7),
                  .firmware = row.text(8),
                  .clock = static_cast<journal::ClockQuality>(row.number(9))};
    if (!row.is_null(4)) device.key = crypto::PublicKey::from_point(row.bytes(4));
    if (!row.is_null(5)) device.certificate_until = row.wall(5);
    if (!row.is_null(6)) device.last_heard = row.wall(6);
    if (!row.is_null(10)) {
        const auto decoded = wire::decode_configuration(row.bytes(10));
        if (decoded.has_error()) throw std::runtime_error{"a stored configuration can't be read"};
        device.configuration = *decoded;
    }
    return device;
}

CertificateRow certificate_of(const Row& row) {
    CertificateRow out{
        .serial = row.bytes(0), .device = row.device(1), .until = row.wall(2), .revoked_at = {}};
    if (!row.is_null(3)) out.revoked_at = row.wall(3);
    return out;
}

CommandRecord command_of(const Row& row) {
    const auto decoded = wire::decode_command(row.bytes(1));
    if (decoded.has_error()) throw std::runtime_error{"a stored command can't be read"};
    CommandRecord out{.command = *decoded,
                      .device = row.device(0),
                      .state = std::nullopt,
                      .detail = row.text(3),
                      .issued_at = row.wall(4)};
    if (!row.is_null(2)) out.state = static_cast<wire::CommandState>(row.number(2));
    if (!row.is_null(5)) out.sealed_text = row.bytes(5);
    return out;
}
constexpr std::string_view command_columns =
    "SELECT device, body, state, detail, issued_ms, sealed_text FROM command";
constexpr std::string_view command_types = "ttitit";

class SociFleet final : public fleet::Repository {
public:
    SociFleet(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

    void put_site(const Site& site) override {
        sql_.run(
            "INSERT INTO site (tenant, site, name_zh, name_en, utc_offset_min, day_begins_min)"
            " VALUES (:a, :b, :c, :d, :e, :f) ON CONFLICT (tenant, site) DO UPDATE SET"
            " name_zh = excluded.name_zh, name_en = excluded.name_en,"
            " utc_offset_min = excluded.utc_offset_min, day_begins_min = excluded.day_begins_min",
            {tenant_, site.id, site.details.name_zh, site.details.name_en,
             site.details.calendar.utc_offset_min, site.details.calendar.day_begins_min});
    }
    std::optional<Site> site(SiteId id) override {
        return sql_.first(
            "SELECT site, name_zh, name_en, utc_offset_min, day_begins_min FROM site"
            " WHERE tenant = :a AND site = :b",
            {tenant_, id}, "ittii", site_of);
    }
    std::vector<Site> sites() override {
        return sql_.all(
            "SELECT site, name_zh, name_en, utc_offset_min, day_begins_min FROM site"
            " WHERE tenant = :a ORDER BY site",
            {tenant_}, "ittii", site_of);
    }

    void add_site_key(SiteId site, SiteKeyKind kind, const SealedKey& key, WallTime at) override {
        sql_.run(
            "INSERT INTO site_key (tenant, site, kind, number, sealed, created_ms)"
            " VALUES (:a, :b, :c, :d, :e, :f)",
            {tenant_, site, to_text(kind), std::uint32_t{key.number}, key.sealed, at});
    }
    std::vector<SealedKey> site_keys(SiteId site, SiteKeyKind kind) override {
        return sql_.all(
            "SELECT number, sealed FROM site_key WHERE tenant = :a AND site = :b AND kind = :c"
            " ORDER BY number DESC",
            {tenant_, site, to_text(kind)}, "it", [](const Row& row) {
                return SealedKey{static_cast<std::uint16_t>(row.number(0)), row.bytes(1)};
            });
    }
    void add_ticket_key(const SealedTicketKey& key, WallTime at) override {
        sql_.run(
            "INSERT INTO ticket_key (tenant, number, point, sealed, created_ms) VALUES (:a, :b, "
            ":c, :d, :e)",
            {tenant_, key.number, key.point, key.sealed, at});
    }
    std::vector<SealedTicketKey> ticket_keys() override {
        return sql_.all(
            "SELECT number, point, sealed FROM ticket_key WHERE tenant = :a ORDER BY number DESC",
            {tenant_}, "itt", [](const Row& row) {
                return SealedTicketKey{row.u32(0), row.bytes(1), row.bytes(2)};
            });
    }

    void put_device(const Device& device, std::uint64_t connect_counter) override {
        std::optional<std::string> point;
        if (device.key) point = to_hex(device.key->point());
        sql_.run(
            "INSERT INTO device (tenant, device, site, partition, state, point, "
            "certificate_until_ms,"
            " last_heard_ms, connected, connect_counter, firmware, clock)"
            " VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i, :j, :k, :l)"
            " ON CONFLICT (tenant, device) DO UPDATE SET site = excluded.site,"
            " partition = excluded.partition, state = excluded.state, point = excluded.point,"
            " certificate_until_ms = excluded.certificate_until_ms, last_heard_ms = "
            "excluded.last_heard_ms,"
            " connected = excluded.connected, connect_counter = excluded.connect_counter,"
            " firmware = excluded.firmware, clock = excluded.clock",
            {tenant_, device.id, device.site, device.partition,
             static_cast<std::int32_t>(device.state), point, device.certificate_until,
             device.last_heard, device.connected, connect_counter, device.firmware,
             static_cast<std::int32_t>(device.clock)});
    }
    std::optional<Device> device(const DeviceId& id) override {
        return sql_.first(std::string{device_columns} + " AND d.device = :b", {tenant_, id},
                          device_types, device_of);
    }
    std::uint64_t connect_counter(const DeviceId& id) override {
        return sql_
            .first("SELECT connect_counter FROM device WHERE tenant = :a AND device = :b",
                   {tenant_, id}, "i", [](const Row& row) { return row.u64(0); })
            .value_or(0);
    }
    std::vector<Device> devices(std::optional<SiteId> site) override {
        if (site)
            return sql_.all(std::string{device_columns} + " AND d.site = :b ORDER BY d.device",
                            {tenant_, *site}, device_types, device_of);
        return sql_.all(std::string{device_columns} + " ORDER BY d.device", {tenant_}, device_types,
                        device_of);
    }
    void add_device_key(const DeviceId& id, const crypto::PublicKey& key, WallTime at) override {
        sql_.run(
            "INSERT INTO device_key (tenant, device, point, from_ms) VALUES (:a, :b, :c, :d)"
            " ON CONFLICT (tenant, device, point) DO NOTHING",
            {tenant_, id, BytesView{key.point()}, at});
    }
    std::vector<crypto::PublicKey> device_keys(const DeviceId& id) override {
        std::vector<crypto::PublicKey> out;
        sql_.query(
            "SELECT point FROM device_key WHERE tenant = :a AND device = :b ORDER BY from_ms DESC, "
            "point",
            {tenant_, id}, "t", [&](const Row& row) {
                if (auto key = crypto::PublicKey::from_point(row.bytes(0))) out.push_back(*key);
            });
        return out;
    }
    void heard(const DeviceId& id, WallTime at) override {
        sql_.run("UPDATE device SET last_heard_ms = :a WHERE tenant = :b AND device = :c",
                 {at, tenant_, id});
    }

    void put_report(const DeviceId& id, const Report& report) override {
        sql_.run(
            "INSERT INTO device_report (tenant, device, body, said_ms) VALUES (:a, :b, :c, :d)"
            " ON CONFLICT (tenant, device) DO UPDATE SET body = excluded.body,"
            " said_ms = excluded.said_ms",
            {tenant_, id, wire::encode(report.birth), report.at});
    }
    std::optional<Report> report(const DeviceId& id) override {
        std::optional<Report> out;
        sql_.query("SELECT body, said_ms FROM device_report WHERE tenant = :a AND device = :b",
                   {tenant_, id}, "ti", [&](const Row& row) {
                       // Of another version of this program, perhaps; the next birth replaces it.
                       auto birth = wire::decode_birth(row.bytes(0));
                       if (birth.has_value()) out = Report{std::move(*birth), row.wall(1)};
                   });
        return out;
    }
    void forget_report(const DeviceId& id) override {
        sql_.run("DELETE FROM device_report WHERE tenant = :a AND device = :b", {tenant_, id});
    }

    void add_configuration(const DeviceId& id, std::uint64_t version, BytesView body,
                           std::string_view by, WallTime at) override {
        sql_.run(
            "INSERT INTO device_configuration (tenant, device, version, body, changed_by, "
            "changed_ms)"
            " VALUES (:a, :b, :c, :d, :e, :f)",
            {tenant_, id, version, body, by, at});
    }
    std::uint64_t configuration_version(const DeviceId& id) override {
        return sql_
            .first(
                "SELECT COALESCE(MAX(version), 0) FROM device_configuration WHERE tenant = :a AND "
                "device = :b",
                {tenant_, id}, "i", [](const Row& row) { return row.u64(0); })
            .value_or(0);
    }

    void put_pairing(BytesView code_hash, const PairingRow& row) override {
        // One open code a device: a new one makes the old worthless.
        sql_.run("DELETE FROM pairing_code WHERE tenant = :a AND device = :b AND used_ms IS NULL",
                 {tenant_, row.device});
        std::optional<Bytes> planned;
        if (row.planned) planned = wire::encode(*row.planned);
        sql_.run(
            "INSERT INTO pairing_code (tenant, code_hash, device, expires_ms, planned, planned_by)"
            " VALUES (:a, :b, :c, :d, :e, :f)",
            {tenant_, code_hash, row.device, row.expires_at, planned, row.planned_by});
    }
    std::optional<PairingRow> pairing(BytesView code_hash) override {
        return sql_.first(
            "SELECT device, expires_ms, used_ms, planned, planned_by FROM pairing_code"
            " WHERE tenant = :a AND code_hash = :b",
            {tenant_, code_hash}, "tiitt", [](const Row& row) {
                PairingRow out{row.device(0), row.wall(1), !row.is_null(2)};
                if (row.is_null(3)) return out;
                const auto planned = wire::decode_configuration(row.bytes(3));
                if (planned.has_error())
                    throw std::runtime_error{"a planned configuration can't be read"};
                out.planned = *planned;
                out.planned_by = row.text(4);
                return out;
            });
    }
    void use_pairing(BytesView code_hash, WallTime at) override {
        sql_.run("UPDATE pairing_code SET used_ms = :a WHERE tenant = :b AND code_hash = :c",
                 {at, tenant_, code_hash});
    }

    void add_certificate(const CertificateRow& row) override {
        sql_.run(
            "INSERT INTO certificate (tenant, serial, device, until_ms) VALUES (:a, :b, :c, :d)",
            {tenant_, row.serial, row.device, row.until});
    }
    std::optional<CertificateRow> certificate(BytesView serial) override {
        return sql_.first(
            "SELECT serial, device, until_ms, revoked_ms FROM certificate"
            " WHERE tenant = :a AND serial = :b",
            {tenant_, serial}, "ttii", certificate_of);
    }
    void revoke_certificates(const DeviceId& device, WallTime at) override {
        sql_.run(
            "UPDATE certificate SET revoked_ms = :a WHERE tenant = :b AND device = :c AND "
            "revoked_ms IS NULL",
            {at, tenant_, device});
    }
    std::vector<CertificateRow> revoked_certificates(WallTime until_after) override {
        return sql_.all(
            "SELECT serial, device, until_ms, revoked_ms FROM certificate"
            " WHERE tenant = :a AND revoked_ms IS NOT NULL AND until_ms > :b ORDER BY serial",
            {tenant_, until_after}, "ttii", certificate_of);
    }

    void put_command(const CommandRecord& record) override {
        std::optional<std::int64_t> state;
        if (record.state) state = static_cast<std::int64_t>(*record.state);
        std::optional<Bytes> sealed;
        if (!record.sealed_text.empty()) sealed = record.sealed_text;
        sql_.run(
            "INSERT INTO command (tenant, command, device, body, state, detail, issued_ms, "
            "expires_ms, sealed_text)"
            " VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i) ON CONFLICT (tenant, command) DO UPDATE "
            "SET"
            " state = excluded.state, detail = excluded.detail",
            {tenant_, BytesView{record.command.id}, record.device, wire::encode(record.command),
             state, record.detail, record.issued_at, record.command.expires_at, sealed});
    }
    std::optional<CommandRecord> command(const std::array<Byte, 16>& id) override {
        return sql_.first(std::string{command_columns} + " WHERE tenant = :a AND command = :b",
                          {tenant_, BytesView{id}}, command_types, command_of);
    }
    std::vector<CommandRecord> open_commands(const DeviceId& device, WallTime now) override {
        return sql_.all(
            std::string{command_columns} +
                " WHERE tenant = :a AND device = :b AND state IS NULL AND expires_ms > :c"
                " ORDER BY issued_ms, command",
            {tenant_, device, now}, command_types, command_of);
    }

private:
    static Site site_of(const Row& row) {
        return {SiteId{row.u32(0)},
                {row.text(1), row.text(2),
                 Calendar{static_cast<std::int32_t>(row.number(3)),
                          static_cast<std::int32_t>(row.number(4))}}};
    }

    Sql& sql_;
    std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<fleet::Repository> make_fleet(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociFleet>(sql, tenant);
}

}  // namespace pf::server::store
