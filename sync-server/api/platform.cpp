// The platform itself: health, the document, findings, the sync log, generations, keys, audit.
#include <fmt/format.h>

#include "common/wire/limits.hpp"
#include "sync-server/api/answer.hpp"
#include "sync-server/api/decode.hpp"
#include "sync-server/api/handlers.hpp"
#include "sync-server/api/openapi.hpp"

namespace pf::server::api {
namespace {

constexpr std::size_t why_bytes_max = 200;

/// The number a list goes on after or before, from `cursor`.
std::variant<http::Problem, std::pair<Page, std::uint64_t>> numbered_page(
    const http::Request& request, std::string_view kind) {
    const auto wanted = page_of(request);
    if (const auto* problem = std::get_if<http::Problem>(&wanted)) return *problem;
    const Page page = std::get<Page>(wanted);
    const auto cursor = from_cursor(kind, page.cursor);
    if (!page.cursor.empty() && !cursor) return query_problem("cursor", "is not one of ours");
    return std::pair{page, cursor ? cursor->first : 0};
}

}  // namespace

Prepared<Read> get_health(const http::Request&) {
    return [](const Context& c) {
        const Health health = c.backend.health();
        const bool ok = health.broker_ok && health.link_up;
        // Reading the generation is what proves the database.
        const Out json{{"status", ok ? "ok" : "degraded"},
                       {"version", PAIFANG_VERSION},
                       {"now", to_rfc3339(c.call.now)},
                       {"generation", c.r.meta.generation().value},
                       {"database", "ok"},
                       {"broker",
                        {{"kind", health.broker},
                         {"ok", health.broker_ok},
                         {"restarts", health.broker_restarts}}},
                       {"share", {{"partitions", health.partitions}, {"servers", health.servers}}},
                       {"link",
                        {{"up", health.link_up},
                         {"messages", health.messages},
                         {"messages_dropped", health.messages_dropped}}}};
        return answer(json, ok ? 200 : 503);
    };
}

Prepared<Read> get_openapi(const http::Request&) {
    return [](const Context&) { return http::json_response(std::string{openapi_document()}); };
}

Prepared<Read> list_findings(const http::Request& request) {
    auto wanted = numbered_page(request, "finding");
    if (auto* problem = std::get_if<http::Problem>(&wanted)) return *problem;
    const auto [page_wanted, before] = std::get<1>(wanted);
    return [limit = page_wanted.limit, before = before](const Context& c) {
        auto found = findings::newest(c.r, before == 0 ? INT64_MAX : before, limit + 1);
        const bool more = found.size() > limit;
        if (more) found.pop_back();
        Out items = Out::array();
        for (const auto& finding : found) items.push_back(to_json(finding));
        return page(std::move(items), more ? to_cursor("finding", found.back().id) : "");
    };
}

Prepared<Read> list_sync_log(const http::Request& request) {
    // `after` is a plain position: the log is numbered, and a follow resumes by the same number.
    auto wanted = page_of(request, {"after", "follow"});
    if (auto* problem = std::get_if<http::Problem>(&wanted)) return *problem;
    const std::size_t limit = std::get<Page>(wanted).limit;
    const auto after = number_of(request.query_value("after").value_or("0"), INT64_MAX);
    if (!after) return query_problem("after", "must be a position of the sync log");
    return [limit, after = *after](const Context& c) {
        const auto events = ingest::log_after(c.r, after, limit);
        Out items = Out::array();
        for (const auto& event : events) items.push_back(to_json(event));
        return answer(Out{{"items", std::move(items)},
                          {"position", events.empty() ? after : events.back().position}});
    };
}

Prepared<Write> begin_generation(const http::Request& request) {
    Body body{request};
    Object root = body.root();
    const std::string why = root.text("why", 1, why_bytes_max);
    root.done();
    if (body.bad()) return body.problem();
    return [why](const Context& c) {
        const Generation generation = c.r.meta.begin_generation(c.call.now, why);
        Reply reply{.response = answer(Out{{"generation", generation.value}}, 201)};
        reply.target = fmt::format("generation {}", generation.value);
        for (const fleet::Site& site : fleet::sites(c.r))
            reply.committed.effects.moved.insert(site.id);
        return reply;
    };
}

Prepared<Write> create_key(const http::Request& request) {
    Body body{request};
    Object root = body.root();
    const std::string name = root.text("name", 1, access::name_chars_max);
    access::Permissions permissions;
    for (const auto permission :
         root.words<access::Permission>("permissions", true, access::permission_count,
                                        access::Permission::sync_read, access::permission_from))
        permissions.add(permission);
    root.done();
    if (body.bad()) return body.problem();
    return [name, permissions](const Context& c) -> Reply {
        const auto made = access::create_key(c.r, c.call, name, permissions);
        if (made.has_error()) return refuse(made.error());
        Out json = to_json(made->key);
        json["key"] = made->text;
        return {.response = created(json, "/v1/keys"), .target = "key " + made->key.id};
    };
}

Prepared<Read> list_keys(const http::Request&) {
    return [](const Context& c) {
        Out items = Out::array();
        for (const auto& key : access::keys(c.r)) items.push_back(to_json(key));
        return page(std::move(items), {});
    };
}

Prepared<Write> revoke_key(const http::Request& request) {
    Body body{request};
    body.root().done();
    if (body.bad()) return body.problem();
    return [id = request.parameter("key")](const Context& c) -> Reply {
        if (const auto refusal = access::revoke_key(c.r, c.call, id)) return refuse(*refusal);
        return {.response = {.status = 204}, .target = "key " + id, .keys_changed = true};
    };
}

Prepared<Read> list_audit(const http::Request& request) {
    auto wanted = numbered_page(request, "audit");
    if (auto* problem = std::get_if<http::Problem>(&wanted)) return *problem;
    const auto [page_wanted, before] = std::get<1>(wanted);
    return [limit = page_wanted.limit, before = before](const Context& c) {
        auto rows = access::audits(c.r, before, limit + 1);
        const bool more = rows.size() > limit;
        if (more) rows.pop_back();
        Out items = Out::array();
        for (const auto& audit : rows) items.push_back(to_json(audit));
        return page(std::move(items), more ? to_cursor("audit", rows.back().number) : "");
    };
}

}  // namespace pf::server::api
