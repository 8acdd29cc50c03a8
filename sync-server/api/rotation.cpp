// New keys in the place of old ones, without reprinting a ticket.
#include <fmt/format.h>

#include "sync-server/api/answer.hpp"
#include "sync-server/api/decode.hpp"
#include "sync-server/api/handlers.hpp"

namespace pf::server::api {
namespace {

Out keys_of(const Context& c, SiteId site) {
    const auto secrets = fleet::site_secrets(c.r, c.keys, site);
    return {{"site", site.value},
            {"carrier_key", secrets.carrier_keys.front().id},
            {"rebuilding", orders::rebuilding(c.r, site)},
            {"ticket_keys", fleet::ticket_public_keys(c.r).size()}};
}

}  // namespace

Prepared<Read> get_site_keys(const http::Request& request) {
    const auto site = site_in(request);
    if (!site) return not_found("site_unknown");
    return [site = *site](const Context& c) {
        if (!fleet::site(c.r, site)) return http::to_response(not_found("site_unknown"));
        return answer(keys_of(c, site));
    };
}

Prepared<Write> rotate_carrier_key(const http::Request& request) {
    const auto site = site_in(request);
    if (!site) return not_found("site_unknown");
    Body body{request};
    body.root().done();
    if (body.bad()) return body.problem();
    return [site = *site](const Context& c) -> Reply {
        if (!fleet::site(c.r, site)) return refuse(not_found("site_unknown"));
        auto effects = orders::rotate_carrier_key(c.r, c.call, c.keys, site);
        if (effects.has_error()) return refuse(effects.error());
        Reply reply{.response = answer(keys_of(c, site), 202)};
        reply.committed.effects = std::move(*effects);
        reply.target = fmt::format("carrier key of site {}", site.value);
        return reply;
    };
}

Prepared<Write> rotate_ticket_key(const http::Request& request) {
    Body body{request};
    body.root().done();
    if (body.bad()) return body.problem();
    return [](const Context& c) -> Reply {
        if (const auto refusal = fleet::rotate_ticket_key(c.r, c.call, c.keys))
            return refuse(*refusal);
        const auto count = fleet::ticket_public_keys(c.r).size();
        Reply reply{.response = answer(Out{{"ticket_keys", count}}, 201)};
        reply.target = fmt::format("ticket key {}", count);
        for (const fleet::Site& site : fleet::sites(c.r))
            reply.committed.effects.moved.insert(site.id);
        return reply;
    };
}

}  // namespace pf::server::api
