// Sites, points, windows.
#include <fmt/format.h>

#include "common/wire/limits.hpp"
#include "sync-server/api/answer.hpp"
#include "sync-server/api/decode.hpp"
#include "sync-server/api/handlers.hpp"
#include "sync-server/store/store.hpp"

namespace pf::server::api {

std::optional<SiteId> site_in(const http::Request& request) {
    const auto number = number_of(request.parameter("site"), UINT32_MAX);
    if (!number) return std::nullopt;
    return SiteId{static_cast<std::uint32_t>(*number)};
}

Prepared<Write> create_site(const http::Request& request) {
    Body body{request};
    Object root = body.root();
    fleet::SiteDraft draft;
    draft.name_zh = root.text("name_zh", 1, wire::text_bytes_max);
    draft.name_en = root.text("name_en", 1, wire::text_bytes_max);
    draft.calendar.utc_offset_min = root.number_or<std::int32_t>("utc_offset_min", 480, -720, 840);
    draft.calendar.day_begins_min = root.number_or<std::int32_t>("day_begins_min", 0, 0, 720);
    root.done();
    if (body.bad()) return body.problem();
    return [draft](const Context& c) -> Reply {
        const SiteId id = fleet::create_site(c.r, c.call, c.keys, draft);
        return {.response =
                    created(to_json(fleet::Site{id, draft}), fmt::format("/v1/sites/{}", id.value)),
                .committed = {.effects = {.messages = {}, .moved = {id}}, .revoked = {}},
                .target = fmt::format("site {}", id.value)};
    };
}

Prepared<Read> list_sites(const http::Request& request) {
    const auto page_wanted = page_of(request);
    if (const auto* problem = std::get_if<http::Problem>(&page_wanted)) return *problem;
    const Page wanted = std::get<Page>(page_wanted);
    const auto cursor = from_cursor("site", wanted.cursor);
    if (!wanted.cursor.empty() && !cursor) return query_problem("cursor", "is not one of ours");
    return [wanted, after = cursor ? cursor->first : 0](const Context& c) {
        Out items = Out::array();
        std::string next;
        for (const fleet::Site& site : fleet::sites(c.r)) {
            if (site.id.value <= after) continue;
            if (items.size() == wanted.limit) {
                next = to_cursor("site", items.back()["id"].get<std::uint64_t>());
                break;
            }
            items.push_back(to_json(site));
        }
        return page(std::move(items), next);
    };
}

Prepared<Read> get_site(const http::Request& request) {
    const auto id = site_in(request);
    if (!id) return not_found("site_unknown");
    return [id = *id](const Context& c) {
        const auto site = fleet::site(c.r, id);
        return site ? answer(to_json(*site)) : http::to_response(not_found("site_unknown"));
    };
}

Prepared<Write> create_point(const http::Request& request) {
    const auto site = site_in(request);
    if (!site) return not_found("site_unknown");
    Body body{request};
    Object root = body.root();
    catalog::Point point{.id = {}, .site = *site, .name_zh = {}, .name_en = {}};
    point.name_zh = root.text("name_zh", 1, wire::text_bytes_max);
    point.name_en = root.text("name_en", 1, wire::text_bytes_max);
    root.done();
    if (body.bad()) return body.problem();
    return [point](const Context& c) -> Reply {
        const auto id = catalog::add_point(c.r, c.call, point.site, point.name_zh, point.name_en);
        if (id.has_error()) return refuse(id.error());
        catalog::Point made = point;
        made.id = *id;
        return {.response =
                    created(to_json(made), fmt::format("/v1/sites/{}/points", point.site.value)),
                .target = fmt::format("site {}, point {}", point.site.value, id->value)};
    };
}

Prepared<Read> list_points(const http::Request& request) {
    const auto site = site_in(request);
    if (!site) return not_found("site_unknown");
    return [site = *site](const Context& c) {
        if (!fleet::site(c.r, site)) return http::to_response(not_found("site_unknown"));
        Out items = Out::array();
        for (const auto& point : catalog::points(c.r, site)) items.push_back(to_json(point));
        return page(std::move(items), {});
    };
}

Prepared<Write> create_window(const http::Request& request) {
    const auto site = site_in(request);
    if (!site) return not_found("site_unknown");
    Body body{request};
    Object root = body.root();
    admission::Window window{.id = {}};
    window.from_min = root.number<std::uint16_t>("from_min", 0, 1439);
    window.until_min = root.number<std::uint16_t>("until_min", 1, 1440);
    root.done();
    if (body.bad()) return body.problem();
    return [site = *site, window](const Context& c) -> Reply {
        const auto id = catalog::add_window(c.r, c.call, site, window.from_min, window.until_min);
        if (id.has_error()) return refuse(id.error());
        admission::Window made = window;
        made.id = *id;
        return {.response = created(to_json(made), fmt::format("/v1/sites/{}/windows", site.value)),
                .committed = {.effects = {.messages = {}, .moved = {site}}, .revoked = {}},
                .target = fmt::format("site {}, window {}", site.value, id->value)};
    };
}

Prepared<Read> list_windows(const http::Request& request) {
    const auto site = site_in(request);
    if (!site) return not_found("site_unknown");
    return [site = *site](const Context& c) {
        if (!fleet::site(c.r, site)) return http::to_response(not_found("site_unknown"));
        Out items = Out::array();
        for (const auto& window : catalog::table(c.r, site).windows)
            items.push_back(to_json(window));
        return page(std::move(items), {});
    };
}

}  // namespace pf::server::api
