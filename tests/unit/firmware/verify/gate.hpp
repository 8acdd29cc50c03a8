#pragma once
// A device's mind without its body: real journal, cache, keys and verifier, and a clock one sets.
#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "firmware/verify/verifier.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/temp_dir.hpp"

namespace pf::tests {

namespace fv = pf::firmware::verify;
namespace fj = pf::firmware::journal;
namespace fc = pf::firmware::cache;
using admission::CarrierKind;
using pf::journal::ClockQuality;
using wire::ListScope;

inline constexpr SiteId here{3};
inline constexpr SiteId elsewhere{4};
inline constexpr ProductId adult{5};
inline constexpr ProductId show{6};
inline constexpr PointId main_gate{1};
inline constexpr Day today{20'750};
inline constexpr Generation life{7};
inline const WallTime noon = Calendar{}.begin_of(today) + std::chrono::hours{12};

inline fv::Reading reading(WallTime wall, std::int64_t steady_ms = 1'000) {
    return {wall, SteadyTime{Millis{steady_ms}}};
}

inline ticket::Entitlement entitlement(SiteId site = here, ProductId product = adult,
                                       Day last = today) {
    ticket::Entitlement out;
    out.site = site;
    out.product = product;
    out.first_day = today;
    out.last_day = last;
    return out;
}

inline ticket::Claims claims(std::uint64_t id, std::uint16_t persons = 1, Day last = today) {
    ticket::Claims out;
    out.id = TicketId{id};
    out.persons = persons;
    out.entitlements = {entitlement(here, adult, last)};
    return out;
}

inline wire::SiteKey site_key(std::uint16_t id) {
    wire::SiteKey key;
    key.id = id;
    key.key.fill(static_cast<Byte>(id));
    return key;
}

/// "admit ok 1 left 0": an answer in one line.
inline std::string text_of(const fv::Answer& answer) {
    using Kind = admission::Verdict::Kind;
    const auto& verdict = answer.verdict;
    std::string out = verdict.kind == Kind::admit ? "admit "
                      : verdict.kind == Kind::ask ? "ask "
                                                  : "refuse ";
    out += admission::words(verdict.reason).key;
    if (verdict.kind == Kind::admit)
        out +=
            " " + std::to_string(verdict.persons) + " left " + std::to_string(verdict.persons_left);
    return out;
}

struct Place {
    std::string dir;
    std::string vfs;
    std::string device = "gate-1";
};

class Gate {
public:
    explicit Gate(SiteId site = here) : Gate{Place{}, site} {}
    explicit Gate(Place place, SiteId site = here) : place_{std::move(place)} {
        if (place_.dir.empty()) place_.dir = own_dir_.path().string();
        standing.site = site;
        standing.configuration = wire::Configuration{};
        standing.configuration->point = main_gate;
        standing.products = admission::ProductTable{};
        standing.products->site = site;
        for (const ProductId id : {adult, show}) {
            admission::Product product;
            product.id = id;
            product.name_zh = id == adult ? "成人票" : "演出票";
            product.name_en = id == adult ? "Adult" : "Show";
            standing.products->products.push_back(std::move(product));
        }
        standing.ticket_keys.emplace_back(crypto::key_id(issuer.public_key()), issuer.public_key());
        standing.secrets.carrier_keys = {site_key(1)};
        open();
        give_list(ListScope::revoked, {});
        give_list(ListScope::tickets, {});
    }

    void open() {
        const DeviceId device = *DeviceId::parse(place_.device);
        auto opened = fj::Journal::open(
            {.path = place_.dir + "/events.db", .vfs = place_.vfs, .device = device}, entropy_,
            stamp());
        REQUIRE(opened.has_value());
        journal = std::move(*opened);
        auto told = fc::Cache::open({.path = place_.dir + "/cache.v2.db", .vfs = place_.vfs});
        REQUIRE(told.has_value());
        cache = std::move(*told);
        verifier = std::make_unique<fv::Verifier>(*journal, *cache, device);
    }

    /// The next version of a list, whole.
    void give_list(ListScope scope, std::vector<wire::ListRow> rows,
                   WallTime fresh_until = noon + std::chrono::hours{48}) {
        std::ranges::sort(rows, {}, &wire::ListRow::key);
        wire::ListDigest digest;
        for (const wire::ListRow& row : rows) digest.add(row.key, *row.body);
        const std::uint64_t version = cache->list(scope).state.version + 1;
        REQUIRE(cache
                    ->begin_stage(scope, {.what = wire::Want::What::snapshot,
                                          .generation = life,
                                          .from_version = 0,
                                          .to_version = version,
                                          .bucket = 0,
                                          .after = {}})
                    .has_value());
        if (!rows.empty()) REQUIRE(cache->stage_rows(scope, rows).has_value());
        REQUIRE(cache
                    ->apply_stage(scope, {scope, digest.root(), rows.size(), fresh_until}, life,
                                  version)
                    .has_value());
    }
    void revoke(std::uint64_t ticket, std::uint32_t below = admission::generation_all) {
        give_list(ListScope::revoked,
                  {wire::row_of(wire::Revoked{TicketId{ticket}, below, today})});
    }
    void age_lists() {
        give_list(ListScope::revoked, {}, noon - std::chrono::hours{1});
        give_list(ListScope::tickets, {}, noon - std::chrono::hours{1});
    }

    fv::Answer check(const fv::Request& request) {
        (void)clock.observe(now);
        return verifier->check(request, standing, clock, now, boot, online);
    }
    fv::Answer present(std::string text, fv::Presented::Kind kind = fv::Presented::Kind::code) {
        return check({.presented = {kind, std::move(text)}, .persons = {}, .chosen = {}});
    }
    fv::Answer scan(const ticket::Claims& what) { return present(sealed(what)); }
    fv::Answer scan(const ticket::Claims& what, std::uint16_t persons) {
        return check({.presented = {fv::Presented::Kind::code, sealed(what)},
                      .persons = persons,
                      .chosen = {}});
    }
    fv::Answer document(std::string number) {
        return present(std::move(number), fv::Presented::Kind::document);
    }

    std::string sealed(const ticket::Claims& what) const {
        return ticket::seal(what, issuer, crypto::key_id(issuer.public_key()));
    }

    fj::Stamp stamp() const { return {now.wall, now.steady, boot, ClockQuality::confirmed}; }

    /// The lane's word on a grant.
    void end_grant(std::uint64_t seq, std::uint16_t passed, std::uint16_t returned,
                   pf::journal::Outcome::How how) {
        REQUIRE(
            journal
                ->append(stamp(),
                         pf::journal::Outcome{
                             .grant_seq = seq, .passed = passed, .returned = returned, .how = how})
                .has_value());
    }

    /// The newest event of the journal.
    pf::journal::Event last_event() const {
        const auto end = journal->end();
        const auto stored = journal->after(end.epoch, end.seq - 1, 1, 4'096);
        REQUIRE(stored.size() == 1);
        const auto event = pf::journal::decode(stored.front().event);
        REQUIRE(event.has_value());
        return *event;
    }

    fv::Standing standing;
    fv::Reading now = reading(noon);
    fv::Timekeeper clock{noon - std::chrono::hours{24}, reading(noon)};
    BootId boot{11};
    bool online = true;
    std::unique_ptr<fj::Journal> journal;
    std::unique_ptr<fc::Cache> cache;
    std::unique_ptr<fv::Verifier> verifier;

    /// Every gate of these tests believes the same issuer.
    static inline SeededEntropy issuer_entropy{42};
    static inline const crypto::PrivateKey issuer = crypto::PrivateKey::generate(issuer_entropy);

private:
    TempDir own_dir_;
    Place place_;
    SeededEntropy entropy_{1};
};

inline wire::ListRow carried(CarrierKind kind, std::string_view text, const ticket::Claims& what,
                             std::uint16_t key = 1) {
    return wire::row_of(wire::Carried{
        kind, wire::carrier_hash(site_key(key).key, kind, wire::normalise(kind, text)), what});
}

inline wire::UseItem told_use(std::uint64_t ticket, const GrantId& grant, std::uint16_t persons) {
    return {.grant = grant,
            .ticket = TicketId{ticket},
            .product = adult,
            .day = today,
            .last_day = today,
            .persons = persons,
            .return_pending = false,
            .at = noon - std::chrono::hours{2}};
}

inline GrantId grant_of(std::string_view device, std::uint64_t seq) {
    return {*DeviceId::parse(device), Epoch{99}, seq};
}

}  // namespace pf::tests
