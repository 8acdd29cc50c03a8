#pragma once
// Devices: which there are, what each stands for, who vouches for them, what they were told to do.
// 云闸机/云终端管理. Pure domain: repositories in, effects out.
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/result.hpp"
#include "common/wire/documents.hpp"
#include "common/wire/topics.hpp"
#include "sync-server/store/transaction.hpp"

namespace pf::server::fleet {

/// The secrets the process holds: opened once at start (keys.hpp), never in the database in clear.
struct Keys {
    std::array<Byte, 32> master{};  // seals every secret at rest
    crypto::PrivateKey authority;   // the platform's certificate authority
    std::string authority_pem;
};

enum class Refusal : std::uint8_t {
    site_unknown = 1,
    device_exists,
    device_unknown,
    code_unknown,  // no such pairing code, or used
    code_expired,
    request_bad,      // CSR unreadable, or for another name
    certificate_bad,  // renewal with a certificate that is not ours
    certificate_too_old,
    device_revoked,
    keys_full,  // a ring takes no more ticket keys
};
std::string_view to_text(Refusal refusal) noexcept;

// --- sites
// --------------------------------------------------------------------------------------------
struct SiteDraft {
    std::string name_zh;
    std::string name_en;
    Calendar calendar;
};
struct Site {
    SiteId id;
    SiteDraft details;
};
/// Creates a site with its authority key and first carrier and holder keys.
SiteId create_site(Repositories& r, const Call& call, const Keys& keys, const SiteDraft& draft);
std::optional<Site> site(Repositories& r, SiteId id);
std::vector<Site> sites(Repositories& r);
/// The site's signing authority; it signs documents for the devices of that site.
crypto::PrivateKey site_authority(Repositories& r, const Keys& keys, SiteId id);
wire::Secrets site_secrets(Repositories& r, const Keys& keys, SiteId id);
/// Adds a carrier key in front; the last but one stays for rotation. Lists do not follow by
/// themselves: orders::rotate_carrier_key() sees to it.
void rotate_carrier_key(Repositories& r, const Call& call, const Keys& keys, SiteId id);
/// The newest of those devices no longer look under.
std::optional<wire::SiteKey> retired_carrier_key(Repositories& r, const Keys& keys, SiteId id);

// --- ticket keys (of the platform; every site's key ring holds them)
// ------------------------------------
struct TicketKey {
    crypto::KeyId id;
    crypto::PrivateKey key;
};
/// The key that signs new tickets; made at first use.
TicketKey ticket_key(Repositories& r, const Call& call, const Keys& keys);
/// A new signing key; older public keys stay in the rings, so printed tickets live on. Refused when
/// the ring is full.
std::optional<Refusal> rotate_ticket_key(Repositories& r, const Call& call, const Keys& keys);
std::vector<crypto::PublicKey> ticket_public_keys(Repositories& r);

// --- devices
// ------------------------------------------------------------------------------------------
enum class DeviceState : std::uint8_t { invited = 1, active = 2, revoked = 3 };
struct Device {
    DeviceId id;
    SiteId site;
    std::uint32_t partition = 0;
    DeviceState state = DeviceState::invited;
    wire::Configuration configuration;
    std::optional<crypto::PublicKey>
        key;  // what its journal must be signed with; kept when revoked
    std::optional<WallTime> certificate_until;
    std::optional<WallTime> last_heard;
    bool connected = false;
    std::string firmware;
    journal::ClockQuality clock = journal::ClockQuality::unset;
};
std::optional<Device> device(Repositories& r, const DeviceId& id);
std::vector<Device> devices(Repositories& r);
std::vector<Device> devices_of(Repositories& r, SiteId site);
/// Every key the device ever had, newest first: a replaced board's journal is signed with its own.
std::vector<crypto::PublicKey> keys_of(Repositories& r, const DeviceId& id);
std::string topic_root(const Device& device);

/// What a device said of itself last: its birth, its lists kept up by what it applied since.
struct Report {
    wire::Birth birth;
    WallTime at;  // when the birth came
};
/// Nothing: the board has not been heard since it was paired.
std::optional<Report> report(Repositories& r, const DeviceId& id);

/// "K7QF-2M9X…": one-time, 24 hours, plus the authority's fingerprint so that the device knows whom
/// to trust.
struct PairingCode {
    std::string text;
    DeviceId device;
    WallTime expires_at;
};
/// Plans a device, or a replacement for an active one: that one's certificates are revoked, and the
/// configuration given here holds, when the code is used and not before.
Result<PairingCode, Refusal> invite(Repositories& r, const Call& call, const Keys& keys,
                                    SiteId site, const DeviceId& id,
                                    const wire::Configuration& configuration);

struct Identity {
    DeviceId device;
    SiteId site;
    std::string certificate_pem;
    std::string authority_pem;
    std::array<Byte, 65> site_authority{};  // pinned: signs everything the device believes
    std::string topic_root;
};
Result<Identity, Refusal> pair(Repositories& r, const Call& call, const Keys& keys,
                               std::string_view code, std::string_view request_pem);
/// Accepts expired certificates for 18 months, for renewal only.
Result<Identity, Refusal> renew(Repositories& r, const Call& call, const Keys& keys,
                                std::string_view certificate_pem, std::string_view request_pem);
std::optional<Refusal> revoke(Repositories& r, const Call& call, const DeviceId& id);

/// How often a device came or went: other servers of this database see by it that rules of theirs
/// are old. Counted in the transaction of the change.
std::uint64_t changes(Repositories& r);
void count_change(Repositories& r);

/// Remote coding 远程编码: a new configuration with history; News tells the device.
Result<Effects, Refusal> configure(Repositories& r, const Call& call, const Keys& keys,
                                   const DeviceId& id, const wire::Configuration& configuration);

// --- messages
// -----------------------------------------------------------------------------------------
/// Presence and what the device runs; an older connection's birth changes nothing.
void on_birth(Repositories& r, const Call& call, const Device& device, const wire::Birth& birth);
void on_will(Repositories& r, const Call& call, const Device& device, const wire::Will& will);
/// The device said in its journal that it holds this list now; `epoch` is where it said so.
void on_list_applied(Repositories& r, const Device& device, Epoch epoch,
                     const journal::ListApplied& applied);
Effects on_ping(const Call& call, const Device& device, const wire::Ping& ping);
void heard(Repositories& r, const Call& call, const Device& device);
/// Type and newest version of every kept document, for News.
using DocumentVersions = std::vector<std::pair<std::uint8_t, std::uint64_t>>;
DocumentVersions document_versions(Repositories& r, const Device& device);
/// Of the documents that are the same for every device of a site, and those with a device's own
/// added: for news to a whole site.
DocumentVersions site_document_versions(Repositories& r, SiteId site);
DocumentVersions with_own_documents(Repositories& r, const Device& device,
                                    DocumentVersions of_site);
inline constexpr Millis pairing_span_ms{24LL * 60 * 60 * 1000};
inline constexpr int certificate_days = 365;
inline constexpr int renewal_grace_days = 548;  // 18 months past the end, for renewal only

/// The newest document of a kept type, signed for this device.
std::optional<Bytes> document(Repositories& r, const Call& call, const Keys& keys,
                              const Device& device, wire::DocumentType type);

// --- commands
// -----------------------------------------------------------------------------------------
struct CommandRecord {
    wire::Command command;
    DeviceId device;
    std::optional<wire::CommandState> state;  // empty: not heard of yet
    std::string detail;
    WallTime issued_at;
    Bytes sealed_text = {};  // at rest in command.text's place when that is a code somebody holds
};
Result<std::pair<CommandRecord, Effects>, Refusal> send_command(Repositories& r, const Call& call,
                                                                const Keys& keys,
                                                                const DeviceId& id,
                                                                wire::Command command);
/// An answer moves a command only forward.
void on_command_reply(Repositories& r, const Call& call, const Device& device,
                      const wire::CommandReply& reply);
/// Unanswered, unexpired commands of a device, signed again: sent after every birth.
Effects pending_commands(Repositories& r, const Call& call, const Keys& keys, const Device& device);
/// Without the text of a test scan, which is a code somebody may hold: it rests sealed.
std::optional<CommandRecord> command(Repositories& r, const std::array<Byte, 16>& id);

/// SHA-256 of the DER of a certificate in PEM.
Digest certificate_fingerprint(std::string_view pem);

/// The revocation list of the authority, PEM, next update a year out (written with OpenSSL:
/// crl.cpp).
std::string revocation_list(Repositories& r, const Keys& keys, WallTime now);

}  // namespace pf::server::fleet
