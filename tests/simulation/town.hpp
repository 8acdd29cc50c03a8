#pragma once
// Two scenic areas, their products and tickets, and what the people of this world know of them.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "common/ticket/claims.hpp"
#include "common/wire/documents.hpp"
#include "tests/simulation/hub.hpp"

namespace pf::simulation {

struct TicketModel {
    std::string label;
    ticket::Claims claims;        // of the present generation
    std::vector<std::string> qr;  // one text a generation, oldest first
    std::optional<std::string> code;
    std::optional<std::string> document;
    bool revoked = false;
    bool ever_refused = false;  // somebody revoked or reissued it once, or tried
    bool forgotten = false;     // the server was restored to a time before it was issued

    const ticket::Entitlement* at(SiteId site, ProductId product) const;
};

struct CommandModel {
    std::array<Byte, 16> id{};
    std::string device;
    wire::CommandKind kind = wire::CommandKind::open;
    SteadyTime issued_at;
    Millis span{0};
    int arrivals = 0;
};

/// Hours of the early show, minutes of the day.
inline constexpr std::uint16_t morning_from_min = 8 * 60 + 2, morning_until_min = 8 * 60 + 5;

struct MachineSpec {
    DeviceId id;
    SiteId site;
    PointId point;
    wire::DeviceKind kind = wire::DeviceKind::gate;
    std::string topic_root;
    crypto::PublicKey site_authority;
    crypto::PrivateKey key;
};

struct Town {
    SiteId hill;  // three gates and a handheld
    SiteId lake;  // one gate
    std::vector<SiteId> sites() const { return {hill, lake}; }
    /// By site: what a ticket may be for. The same numbers at both sites.
    ProductId plain, concession, other_point, windowed, strict;
    std::vector<ProductId> new_products;  // added while running, at the hill
    WindowId morning;
    PointId front, back;
    Day first_day;
    std::vector<TicketModel> tickets;
    std::vector<CommandModel> commands;
    std::uint32_t labels = 0;

    TicketModel* find(TicketId id);
};

/// Founds the town on a running server and pairs its devices.
std::vector<MachineSpec> found(Town& town, Hub& hub, Scene& scene);

/// The acts of the people at the server while the world runs. Each returns what to say, or nothing
/// when it did not happen.
std::optional<std::string> issue_ticket(Town& town, Hub& hub, tests::Rng& rng, Day today);
std::optional<std::string> issue_two_on_one_document(Town& town, Hub& hub, tests::Rng& rng,
                                                     Day today);
std::optional<std::string> revoke_ticket(Town& town, Hub& hub, tests::Rng& rng);
std::optional<std::string> reissue_ticket(Town& town, Hub& hub, tests::Rng& rng);
std::optional<std::string> add_product(Town& town, Hub& hub, tests::Rng& rng, Day today);
std::optional<std::string> rotate_keys(Town& town, Hub& hub, tests::Rng& rng);
/// What a command must be; the rest is chance.
struct CommandWish {
    std::optional<wire::CommandKind> kind = {};
    std::optional<Millis> span = {};
    std::optional<std::uint64_t> from_seq = {};
};
std::optional<std::string> send_command(Town& town, Hub& hub, tests::Rng& rng, SteadyTime now,
                                        const DeviceId& device, std::uint64_t journal_seq,
                                        const CommandWish& wish = {});
/// One that must be answered: everything is healed.
std::optional<std::array<Byte, 16>> ask_device(Hub& hub, const MachineSpec& spec);
bool revoke_device(Hub& hub, const DeviceId& device);
/// After a restore: which tickets does the server still know, and at which generation?
void recall(Town& town, server::Repositories& r);

}  // namespace pf::simulation
