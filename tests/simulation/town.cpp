#include "tests/simulation/town.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/crypto/x509.hpp"
#include "sync-server/catalog/catalog.hpp"
#include "sync-server/orders/orders.hpp"

namespace pf::simulation {
namespace {

namespace orders = server::orders;
namespace fleet = server::fleet;
namespace catalog = server::catalog;
using server::Call;
using server::Repositories;
using server::app::Committed;

constexpr std::string_view staff = "S001";
constexpr std::size_t tickets_at_first = 54;
constexpr int shared_documents_at_first = 3;

admission::Product product(std::string_view zh, std::string_view en) {
    admission::Product out;
    out.name_zh = zh;
    out.name_en = en;
    return out;
}

/// The same five products at every site, so that numbers agree.
void add_products(Town& town, Repositories& r, const Call& call, SiteId site) {
    town.front = *catalog::add_point(r, call, site, "前门", "Front gate");
    town.back = *catalog::add_point(r, call, site, "后门", "Back gate");
    town.morning = *catalog::add_window(r, call, site, morning_from_min, morning_until_min);
    town.plain = *catalog::add_product(r, call, site, product("成人票", "Day ticket"));
    auto concession = product("优惠票", "Concession");
    concession.certificate = {ticket::PersonType::child, ticket::PersonType::senior};
    concession.stale = admission::StaleRule::ask;
    town.concession = *catalog::add_product(r, call, site, concession);
    auto other_point = product("后山票", "Back hill");
    other_point.points = {town.back};
    town.other_point = *catalog::add_product(r, call, site, other_point);
    town.windowed = *catalog::add_product(r, call, site, product("早场票", "Early show"));
    auto strict = product("预约票", "Booked ticket");
    strict.stale = admission::StaleRule::refuse;
    town.strict = *catalog::add_product(r, call, site, strict);
}

MachineSpec pair_device(Town& town, Hub& hub, Entropy& entropy, std::string_view name, SiteId site,
                        wire::DeviceKind kind, PointId point) {
    const DeviceId id = *DeviceId::parse(name);
    const auto key = crypto::PrivateKey::generate(entropy);
    std::optional<fleet::Identity> identity;
    hub.act("S001", [&](Repositories& r, const Call& call) -> std::optional<Committed> {
        const wire::Configuration configuration{.number = std::string{name},
                                                .name_zh = "闸机",
                                                .name_en = "Gate",
                                                .kind = kind,
                                                .spot = {},
                                                .point = point,
                                                .products = {},
                                                .lane = {.pulse_ms = 200, .passage_wait_ms = 2'500},
                                                .online_within_ms = 60'000};
        const auto code = fleet::invite(r, call, hub.keys(), site, id, configuration);
        if (code.has_error()) return std::nullopt;
        auto paired =
            fleet::pair(r, call, hub.keys(), code->text, crypto::make_request(key, id.text()));
        if (paired.has_error()) return std::nullopt;
        identity = *paired;
        return Committed{};
    });
    static_cast<void>(town);
    if (!identity) throw std::logic_error{"a device can't be paired"};
    return {.id = id,
            .site = site,
            .point = point,
            .kind = kind,
            .topic_root = identity->topic_root,
            .site_authority = *crypto::PublicKey::from_point(identity->site_authority),
            .key = key};
}

struct Plan {
    std::string label;
    orders::TicketDraft draft;
};

Plan plan_ticket(const Town& town, tests::Rng& rng, Day today) {
    Plan plan;
    ticket::Entitlement e{.site = town.hill,
                          .product = town.plain,
                          .first_day = today,
                          .last_day = today + static_cast<int>(rng.below(3)),
                          .window = {},
                          .entries = 1,
                          .scope = ticket::Scope::validity};
    auto& draft = plan.draft;
    const std::uint64_t kind = rng.below(100);
    const auto many = [&] { draft.persons = static_cast<std::uint16_t>(rng.between(2, 6)); };
    std::string name = "single";
    if (kind < 26) {
    } else if (kind < 34) {
        e.site = town.lake;
    } else if (kind < 48) {
        name = "group";
        many();
    } else if (kind < 55) {
        name = "multi";
        e.entries = 3;
    } else if (kind < 62) {
        name = "daily";
        e.scope = ticket::Scope::day;
        e.last_day = today + 2;
    } else if (kind < 72) {
        name = "joint";
        auto other = e;
        other.site = town.lake;
        draft.entitlements.push_back(other);
    } else if (kind < 80) {
        name = "ota";
        draft.signed_qr = false;
        draft.carriers.push_back(
            {admission::CarrierKind::code, fmt::format("OTA{:012}", rng.below(1'000'000'000'000))});
    } else if (kind < 86) {
        name = "child";
        draft.person_type = ticket::PersonType::child;
        e.product = town.concession;
    } else if (kind < 89) {
        name = "back";
        e.product = town.other_point;
    } else if (kind < 92) {
        name = "early";
        e.product = town.windowed;
        e.window = town.morning;
    } else if (kind < 96) {
        name = "booked";
        e.product = town.strict;
    } else if (kind < 98) {
        name = "past";
        e.first_day = e.last_day = today + -2;
    } else {
        name = "future";
        e.first_day = e.last_day = today + 6;
    }
    draft.entitlements.push_back(e);
    plan.label = name;
    return plan;
}

std::optional<std::string> issue(Town& town, Hub& hub, const Plan& plan) {
    std::optional<orders::Ticket> made;
    const bool happened = hub.act(
        std::string{staff}, [&](Repositories& r, const Call& call) -> std::optional<Committed> {
            auto issued = orders::issue(r, call, hub.keys(), plan.draft);
            if (issued.has_error()) return std::nullopt;
            made = issued->ticket;
            return Committed{.effects = std::move(issued->effects), .revoked = {}};
        });
    if (!happened || !made) return std::nullopt;
    TicketModel model{.label = fmt::format("{}-{}", plan.label, ++town.labels),
                      .claims = made->claims,
                      .qr = {},
                      .code = {},
                      .document = {}};
    if (made->text) model.qr.push_back(*made->text);
    for (const auto& carrier : plan.draft.carriers)
        (carrier.kind == admission::CarrierKind::code ? model.code : model.document) = carrier.text;
    town.tickets.push_back(std::move(model));
    hub.look();
    return fmt::format("sells {} as ticket {}, {} persons", town.tickets.back().label,
                       to_text(made->claims.id), made->claims.persons);
}

TicketModel* pick_alive(Town& town, tests::Rng& rng) {
    for (int attempt = 0; attempt < 8; ++attempt) {
        TicketModel& one = rng.pick(town.tickets);
        if (!one.revoked && !one.forgotten) return &one;
    }
    return nullptr;
}

}  // namespace

const ticket::Entitlement* TicketModel::at(SiteId site, ProductId product) const {
    for (const auto& e : claims.entitlements)
        if (e.site == site && e.product == product) return &e;
    return nullptr;
}

TicketModel* Town::find(TicketId id) {
    for (TicketModel& one : tickets)
        if (one.claims.id == id) return &one;
    return nullptr;
}

std::vector<MachineSpec> found(Town& town, Hub& hub, Scene& scene) {
    tests::Rng rng = scene.rng.fork(30);
    tests::SeededEntropy entropy{scene.rng.fork(31).next()};
    town.first_day = Calendar{}.day_of(scene.wall());
    const bool happened = hub.act(
        std::string{staff}, [&](Repositories& r, const Call& call) -> std::optional<Committed> {
            town.hill = fleet::create_site(r, call, hub.keys(), {"青山", "Green Hill", {}});
            town.lake = fleet::create_site(r, call, hub.keys(), {"镜湖", "Mirror Lake", {}});
            for (const SiteId site : town.sites()) add_products(town, r, call, site);
            return Committed{};
        });
    if (!happened) throw std::logic_error{"the town can't be founded"};
    using wire::DeviceKind;
    std::vector<MachineSpec> out;
    const auto pair = [&](std::string_view name, SiteId site, DeviceKind kind, PointId point) {
        out.push_back(pair_device(town, hub, entropy, name, site, kind, point));
    };
    pair("gate-1", town.hill, DeviceKind::gate, town.front);
    pair("gate-2", town.hill, DeviceKind::gate, town.front);
    pair("gate-3", town.hill, DeviceKind::gate, town.back);
    pair("handheld-1", town.hill, DeviceKind::handheld, town.front);
    pair("gate-4", town.lake, DeviceKind::gate, town.front);
    pair("gate-5", town.hill, DeviceKind::gate, town.front);  // will be stolen
    while (town.tickets.size() < tickets_at_first)
        (void)issue(town, hub, plan_ticket(town, rng, town.first_day));
    for (int i = 0; i < shared_documents_at_first; ++i)
        (void)issue_two_on_one_document(town, hub, rng, town.first_day);
    return out;
}

std::optional<std::string> issue_ticket(Town& town, Hub& hub, tests::Rng& rng, Day today) {
    return issue(town, hub, plan_ticket(town, rng, today));
}

std::optional<std::string> issue_two_on_one_document(Town& town, Hub& hub, tests::Rng& rng,
                                                     Day today) {
    const std::string document = fmt::format("11010119900101{:04}", rng.below(10'000));
    // Equal ends: only staff can say which is meant. Different ends: the earlier one is used first.
    const bool equal = rng.chance(1, 2);
    std::optional<std::string> said;
    for (int i = 0; i < 2; ++i) {
        Plan plan{.label = "document", .draft = {}};
        plan.draft.entitlements = {{.site = town.hill,
                                    .product = town.plain,
                                    .first_day = today,
                                    .last_day = today + (equal ? 2 : 1 + i),
                                    .window = {},
                                    .entries = 1,
                                    .scope = ticket::Scope::validity}};
        plan.draft.carriers = {{admission::CarrierKind::document, document}};
        said = issue(town, hub, plan);
    }
    return said;
}

std::optional<std::string> revoke_ticket(Town& town, Hub& hub, tests::Rng& rng) {
    TicketModel* const one = pick_alive(town, rng);
    if (one == nullptr) return std::nullopt;
    one->ever_refused = true;
    const bool happened = hub.act(
        std::string{staff}, [&](Repositories& r, const Call& call) -> std::optional<Committed> {
            auto done = orders::revoke(r, call, hub.keys(), one->claims.id, "refund");
            if (done.has_error()) return std::nullopt;
            return Committed{.effects = std::move(done->effects), .revoked = {}};
        });
    if (!happened) return std::nullopt;
    one->revoked = true;
    return fmt::format("refunds {} ({})", one->label, to_text(one->claims.id));
}

std::optional<std::string> reissue_ticket(Town& town, Hub& hub, tests::Rng& rng) {
    TicketModel* const one = pick_alive(town, rng);
    if (one == nullptr) return std::nullopt;
    one->ever_refused = true;
    std::optional<orders::Ticket> made;
    const bool happened = hub.act(
        std::string{staff}, [&](Repositories& r, const Call& call) -> std::optional<Committed> {
            auto done = orders::reissue(r, call, hub.keys(), one->claims.id);
            if (done.has_error()) return std::nullopt;
            made = done->ticket;
            return Committed{.effects = std::move(done->effects), .revoked = {}};
        });
    if (!happened || !made) return std::nullopt;
    one->claims = made->claims;
    if (made->text && std::ranges::find(one->qr, *made->text) == one->qr.end())
        one->qr.push_back(*made->text);
    return fmt::format("reissues {} ({}) as generation {}", one->label, to_text(one->claims.id),
                       one->claims.generation);
}

std::optional<std::string> add_product(Town& town, Hub& hub, tests::Rng& rng, Day today) {
    std::optional<ProductId> made;
    const bool happened = hub.act(
        std::string{staff}, [&](Repositories& r, const Call& call) -> std::optional<Committed> {
            const auto id =
                catalog::add_product(r, call, town.hill, product("夜游票", "Night walk"));
            if (id.has_error()) return std::nullopt;
            made = *id;
            return Committed{.effects = {.messages = {}, .moved = {town.hill}}, .revoked = {}};
        });
    if (!happened || !made) return std::nullopt;
    Plan plan = plan_ticket(town, rng, today);
    plan.draft = {};
    plan.label = "night";
    plan.draft.entitlements = {{.site = town.hill,
                                .product = *made,
                                .first_day = today,
                                .last_day = today + 2,
                                .window = {},
                                .entries = 1,
                                .scope = ticket::Scope::validity}};
    return issue(town, hub, plan);
}

std::optional<std::string> rotate_keys(Town& town, Hub& hub, tests::Rng& rng) {
    const bool ticket_key = rng.chance(1, 2);
    const bool happened = hub.act(
        std::string{staff}, [&](Repositories& r, const Call& call) -> std::optional<Committed> {
            if (ticket_key) {
                fleet::rotate_ticket_key(r, call, hub.keys());
            } else {
                fleet::rotate_carrier_key(r, call, hub.keys(), town.hill);
                for (const TicketModel& one : town.tickets)
                    if (one.code || one.document)
                        orders::rebuild_carriers(r, call, hub.keys(), one.claims.id);
            }
            return Committed{.effects = {.messages = {}, .moved = {town.hill, town.lake}},
                             .revoked = {}};
        });
    if (!happened) return std::nullopt;
    return ticket_key ? "signs tickets with a new key" : "hashes carriers with a new key";
}

std::optional<std::string> send_command(Town& town, Hub& hub, tests::Rng& rng, SteadyTime now,
                                        const DeviceId& device, std::uint64_t journal_seq,
                                        const CommandWish& wish) {
    wire::Command command;
    constexpr wire::CommandKind kinds[] = {
        wire::CommandKind::open,   wire::CommandKind::open,
        wire::CommandKind::open,   wire::CommandKind::test_scan,
        wire::CommandKind::resend, wire::CommandKind::renew_certificate};
    command.kind = wish.kind.value_or(rng.pick(kinds));
    const Millis span = wish.span.value_or(Millis{rng.between(2'000, 120'000)});
    command.expires_at = hub.now() + span;
    command.persons = static_cast<std::uint16_t>(rng.percent(30) ? rng.between(2, 4) : 1);
    command.text = "wheelchair";
    if (command.kind == wire::CommandKind::test_scan && !town.tickets.front().qr.empty())
        command.text = town.tickets.front().qr.back();
    command.from_seq = wish.from_seq.value_or(rng.below(journal_seq + 1));
    std::optional<fleet::CommandRecord> sent;
    hub.act(std::string{staff}, [&](Repositories& r, const Call& call) -> std::optional<Committed> {
        auto done = fleet::send_command(r, call, hub.keys(), device, command);
        if (done.has_error()) return std::nullopt;
        sent = done->first;
        return Committed{.effects = std::move(done->second), .revoked = {}};
    });
    // Even when the commit is in doubt the command may come back with the server: it is known.
    if (!sent) return std::nullopt;
    town.commands.push_back({.id = sent->command.id,
                             .device = device.text(),
                             .kind = command.kind,
                             .issued_at = now,
                             .span = span});
    return fmt::format("sends {} command {} of kind {}, good until {}", device.text(),
                       to_hex(sent->command.id).substr(0, 6), static_cast<int>(command.kind),
                       to_rfc3339(command.expires_at));
}

std::optional<std::array<Byte, 16>> ask_device(Hub& hub, const MachineSpec& spec) {
    wire::Command command;
    const bool gate = spec.kind == wire::DeviceKind::gate;
    command.kind = gate ? wire::CommandKind::open : wire::CommandKind::test_scan;
    command.expires_at = hub.now() + Millis{60'000};
    command.text = "is anybody there";
    std::optional<std::array<Byte, 16>> id;
    const bool happened = hub.act(
        std::string{staff}, [&](Repositories& r, const Call& call) -> std::optional<Committed> {
            auto done = fleet::send_command(r, call, hub.keys(), spec.id, command);
            if (done.has_error()) return std::nullopt;
            id = done->first.command.id;
            return Committed{.effects = std::move(done->second), .revoked = {}};
        });
    return happened ? id : std::nullopt;
}

bool revoke_device(Hub& hub, const DeviceId& device) {
    return hub.act(
        std::string{staff}, [&](Repositories& r, const Call& call) -> std::optional<Committed> {
            if (fleet::revoke(r, call, device)) return std::nullopt;
            return Committed{.effects = {}, .devices_changed = true, .revoked = {device}};
        });
}

void recall(Town& town, Repositories& r) {
    for (TicketModel& one : town.tickets) {
        const auto known = orders::show(r, one.claims.id);
        one.forgotten = !known;
        if (!known) continue;
        one.claims = known->claims;
        one.revoked = known->state == orders::TicketState::revoked;
    }
}

}  // namespace pf::simulation
