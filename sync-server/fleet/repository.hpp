#pragma once
// What fleet keeps. Implemented by sync-server/store/soci_fleet.cpp.
#include <optional>
#include <string>
#include <vector>

#include "sync-server/fleet/fleet.hpp"

namespace pf::server::fleet {

enum class SiteKeyKind : std::uint8_t { authority, carrier, holder };

struct SealedKey {
    std::uint16_t number = 0;
    Bytes sealed;
};

struct SealedTicketKey {
    std::uint32_t number = 0;
    Bytes point;
    Bytes sealed;
};

struct PairingRow {
    DeviceId device;
    WallTime expires_at;
    bool used = false;
    /// What the device becomes when the code is used; nothing: it has that already.
    std::optional<wire::Configuration> planned = std::nullopt;
    std::string planned_by = {};
};

struct CertificateRow {
    Bytes serial;
    DeviceId device;
    WallTime until;
    std::optional<WallTime> revoked_at;
};

class Repository {
public:
    virtual ~Repository() = default;

    virtual void put_site(const Site& site) = 0;
    virtual std::optional<Site> site(SiteId id) = 0;
    virtual std::vector<Site> sites() = 0;

    virtual void add_site_key(SiteId site, SiteKeyKind kind, const SealedKey& key, WallTime at) = 0;
    /// Newest first.
    virtual std::vector<SealedKey> site_keys(SiteId site, SiteKeyKind kind) = 0;
    virtual void add_ticket_key(const SealedTicketKey& key, WallTime at) = 0;
    virtual std::vector<SealedTicketKey> ticket_keys() = 0;

    /// Inserts or replaces everything but the configuration, which has its own history.
    virtual void put_device(const Device& device, std::uint64_t connect_counter) = 0;
    virtual std::optional<Device> device(const DeviceId& id) = 0;
    virtual std::uint64_t connect_counter(const DeviceId& id) = 0;
    virtual std::vector<Device> devices(std::optional<SiteId> site) = 0;
    virtual void add_device_key(const DeviceId& id, const crypto::PublicKey& key, WallTime at) = 0;
    virtual std::vector<crypto::PublicKey> device_keys(const DeviceId& id) = 0;
    virtual void heard(const DeviceId& id, WallTime at) = 0;
    virtual void put_report(const DeviceId& id, const Report& report) = 0;
    virtual std::optional<Report> report(const DeviceId& id) = 0;
    virtual void forget_report(const DeviceId& id) = 0;

    virtual void add_configuration(const DeviceId& id, std::uint64_t version, BytesView body,
                                   std::string_view by, WallTime at) = 0;
    /// 0: none yet.
    virtual std::uint64_t configuration_version(const DeviceId& id) = 0;

    virtual void put_pairing(BytesView code_hash, const PairingRow& row) = 0;
    virtual std::optional<PairingRow> pairing(BytesView code_hash) = 0;
    virtual void use_pairing(BytesView code_hash, WallTime at) = 0;

    virtual void add_certificate(const CertificateRow& row) = 0;
    virtual std::optional<CertificateRow> certificate(BytesView serial) = 0;
    virtual void revoke_certificates(const DeviceId& device, WallTime at) = 0;
    /// Revoked, and not yet past their own end by more than the renewal grace.
    virtual std::vector<CertificateRow> revoked_certificates(WallTime until_after) = 0;

    virtual void put_command(const CommandRecord& record) = 0;
    virtual std::optional<CommandRecord> command(const std::array<Byte, 16>& id) = 0;
    virtual std::vector<CommandRecord> open_commands(const DeviceId& device, WallTime now) = 0;
};

}  // namespace pf::server::fleet
