#pragma once
// Two sites with products, and what devices would find on their lists.
#include "common/wire/lists.hpp"
#include "sync-server/catalog/catalog.hpp"
#include "sync-server/lists/lists.hpp"
#include "sync-server/lists/repository.hpp"
#include "sync-server/orders/orders.hpp"
#include "tests/unit/sync-server/desk.hpp"

namespace pf::tests {

namespace orders = server::orders;
using admission::CarrierKind;
using wire::ListScope;

inline constexpr SiteId here{1}, there{2};
inline const Day first_day{20574}, last_day{20580};

inline ticket::Entitlement entitlement(SiteId site = here, std::uint32_t product = 1) {
    return {.site = site,
            .product = ProductId{product},
            .first_day = first_day,
            .last_day = last_day,
            .window = {}};
}

inline orders::TicketDraft draft(std::vector<orders::CarrierDraft> carriers = {}) {
    orders::TicketDraft out;
    out.entitlements = {entitlement()};
    out.carriers = std::move(carriers);
    return out;
}

struct Shop : Desk {
    Shop() {
        for (const SiteId site : {here, there}) {
            add_site();
            act([&](Repositories& r, const Call& call) {
                REQUIRE(server::catalog::add_product(r, call, site, product()).has_value());
                REQUIRE(server::catalog::add_product(r, call, site, product()).has_value());
                REQUIRE(server::catalog::add_window(r, call, site, 480, 720).has_value());
                return true;
            });
        }
    }
    static admission::Product product() {
        return {.id = {},
                .name_zh = "成人票",
                .name_en = "Adult",
                .points = {},
                .stale = admission::StaleRule::admit,
                .certificate = {}};
    }
    Result<orders::Issued, orders::Refusal> issue(const orders::TicketDraft& what) {
        return attempt([&](Repositories& r, const Call& call) {
            return orders::issue(r, call, keys(), what);
        });
    }
    TicketId sold(const orders::TicketDraft& what) {
        const auto issued = issue(what);
        REQUIRE(issued.has_value());
        return issued->ticket.claims.id;
    }
    Result<orders::Issued, orders::Refusal> reissue(TicketId id) {
        return attempt([&](Repositories& r, const Call& call) {
            return orders::reissue(r, call, keys(), id);
        });
    }
    Result<orders::Issued, orders::Refusal> revoke(TicketId id, const char* why = "refund") {
        return attempt([&](Repositories& r, const Call& call) {
            return orders::revoke(r, call, keys(), id, why);
        });
    }
    std::optional<orders::Ticket> show(TicketId id) {
        return act([&](Repositories& r, const Call&) { return orders::show(r, id); });
    }
    std::optional<std::string> text_of(TicketId id) {
        return act([&](Repositories& r, const Call& call) {
            return orders::text_of(r, call, keys(), id);
        });
    }
    std::vector<TicketId> on_carrier(CarrierKind kind, const std::string& text) {
        return act([&](Repositories& r, const Call&) {
            return orders::on_carrier(r, keys(), kind, text);
        });
    }
    std::size_t tickets() {
        return act([&](Repositories& r, const Call&) {
            return orders::newest(r, std::nullopt, 1'000'000).size();
        });
    }
    std::vector<wire::ListRow> rows(SiteId site, ListScope scope) {
        return act([&](Repositories& r, const Call&) {
            return r.lists.alive_at(site, scope, server::lists::version(r, site, scope),
                                    std::nullopt, {}, 1'000'000);
        });
    }
    std::vector<wire::Carried> carried(SiteId site) {
        std::vector<wire::Carried> out;
        for (const auto& row : rows(site, ListScope::tickets)) {
            const auto read = wire::carried_of(row);
            REQUIRE(read.has_value());
            out.push_back(*read);
        }
        return out;
    }
    std::vector<wire::Revoked> revoked(SiteId site) {
        std::vector<wire::Revoked> out;
        for (const auto& row : rows(site, ListScope::revoked)) {
            const auto read = wire::revoked_of(row);
            REQUIRE(read.has_value());
            out.push_back(*read);
        }
        return out;
    }
    wire::ListState state(SiteId site, ListScope scope = ListScope::tickets) {
        return act(
            [&](Repositories& r, const Call&) { return server::lists::state(r, site, scope); });
    }
    wire::CarrierHash hash(SiteId site, CarrierKind kind, const std::string& text) {
        return act([&](Repositories& r, const Call&) {
            const auto secrets = server::fleet::site_secrets(r, keys(), site);
            return wire::carrier_hash(secrets.carrier_keys.front().key, kind,
                                      wire::normalise(kind, text));
        });
    }
};

}  // namespace pf::tests
