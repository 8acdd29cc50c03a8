// Devices: invited, seen, remotely coded 远程编码, revoked.
#include <fmt/format.h>

#include <algorithm>

#include "common/wire/limits.hpp"
#include "sync-server/api/answer.hpp"
#include "sync-server/api/configuration.hpp"
#include "sync-server/api/handlers.hpp"
#include "sync-server/ingest/ingest.hpp"
#include "sync-server/lists/lists.hpp"

namespace pf::server::api {
namespace {

constexpr std::uint32_t pulse_ms_min = 20, pulse_ms_max = 5'000;
constexpr std::uint32_t passage_wait_ms_min = 500, passage_wait_ms_max = 60'000;
constexpr std::uint32_t online_within_ms_min = 5'000, online_within_ms_max = 3'600'000;

std::optional<DeviceId> device_in(const http::Request& request) {
    return DeviceId::parse(request.parameter("device"));
}

/// Configurations carry the version devices are told, so their tag is that version.
std::string tag_of_configuration(Repositories& r, const fleet::Device& device) {
    for (const auto& [type, version] : fleet::document_versions(r, device))
        if (type == static_cast<std::uint8_t>(wire::DocumentType::configuration))
            return fmt::format("\"{}\"", version);
    return "\"0\"";
}

std::string_view document_word(std::uint8_t type) {
    switch (static_cast<wire::DocumentType>(type)) {
        case wire::DocumentType::key_ring:
            return "key_ring";
        case wire::DocumentType::product_table:
            return "product_table";
        case wire::DocumentType::configuration:
            return "configuration";
        case wire::DocumentType::secrets:
            return "secrets";
        case wire::DocumentType::list_manifest:
        case wire::DocumentType::command:
            break;  // not kept by devices
    }
    return "other";
}

/// What the server has for the device: the newest versions it will be told of.
Out versions_for(Repositories& r, const fleet::Device& device) {
    Out out;
    for (const auto& [type, version] : fleet::document_versions(r, device))
        out["documents"][std::string{document_word(type)}] = version;
    for (const wire::ListScope scope : wire::list_scopes)
        out["lists"][std::string{word(scope)}] = lists::state(r, device.site, scope).version;
    return out;
}

/// What the device holds, by its own word, and how much of its journal is here; null: it was never
/// heard.
Out reported_by(Repositories& r, const fleet::Device& device) {
    const auto said = fleet::report(r, device.id);
    if (!said) return {};
    const wire::Birth& birth = said->birth;
    const auto epoch = to_hex(to_be8(birth.journal.epoch.value));
    const auto here = ingest::cursor(r, device.id, birth.journal.epoch);
    const std::uint64_t confirmed_seq = here ? here->seq : 0;
    const std::uint64_t last_seq = std::max(birth.journal.seq, confirmed_seq);
    Out out{{"at", to_rfc3339(said->at)},
            {"firmware", birth.firmware},
            {"boot", to_hex(to_be8(birth.boot.value))},
            {"clock", word(birth.clock)},
            {"wall", to_rfc3339(birth.wall)},
            {"lists", Out::object()},
            {"documents", Out::object()},
            {"uses_position", birth.uses_position},
            // Events written since it connected are not known of before they arrive.
            {"journal",
             {{"epoch", epoch},
              {"last_seq", last_seq},
              {"confirmed_seq", confirmed_seq},
              {"unconfirmed", last_seq - confirmed_seq}}}};
    const Generation ours = r.meta.generation();
    for (const wire::ListState& list : birth.lists)
        out["lists"][std::string{word(list.scope)}] = {
            {"version", list.version},
            {"generation", list.generation.value},
            {"of_this_generation", list.generation == ours}};
    for (const auto& [type, version] : birth.documents)
        out["documents"][std::string{document_word(type)}] = version;
    return out;
}

}  // namespace

wire::Configuration configuration_from(Object root) {
    wire::Configuration c;
    c.number = root.text("number", 1, wire::number_bytes_max);
    c.name_zh = root.text("name_zh", 1, wire::text_bytes_max);
    c.name_en = root.text("name_en", 1, wire::text_bytes_max);
    c.kind = root.word<wire::DeviceKind>("kind", wire::DeviceKind::gate, device_kind_from);
    c.spot = SpotId{root.number_or<std::uint32_t>("spot", 0)};
    c.point = PointId{root.number_or<std::uint32_t>("point", 0)};
    for (const auto product :
         root.numbers_or_none<std::uint32_t>("products", wire::products_max, 1))
        c.products.push_back(ProductId{product});
    Object lane = root.object("lane", false);
    c.lane.pulse_ms =
        lane.number_or<std::uint32_t>("pulse_ms", c.lane.pulse_ms, pulse_ms_min, pulse_ms_max);
    c.lane.passage_wait_ms = lane.number_or<std::uint32_t>(
        "passage_wait_ms", c.lane.passage_wait_ms, passage_wait_ms_min, passage_wait_ms_max);
    lane.done();
    c.online_within_ms = root.number_or<std::uint32_t>("online_within_ms", c.online_within_ms,
                                                       online_within_ms_min, online_within_ms_max);
    root.done();
    return c;
}

namespace {

/// A point or a product the site does not have would leave a device that admits nobody, in silence.
std::optional<http::Problem> misses(Repositories& r, SiteId site, const wire::Configuration& c,
                                    std::string_view pointer) {
    const auto wrong = [&](std::string_view field, std::string_view code) {
        auto problem = problem_of(422, code);
        problem.errors.push_back(
            {fmt::format("{}/{}", pointer, field), std::string{code}, "the site has no such one"});
        return problem;
    };
    const auto points = catalog::points(r, site);
    if (c.point.value != 0 &&
        std::ranges::find(points, c.point, &catalog::Point::id) == points.end())
        return wrong("point", "point_unknown");
    const auto table = catalog::table(r, site);
    for (const ProductId product : c.products)
        if (table.find(product) == nullptr) return wrong("products", "product_unknown");
    return std::nullopt;
}

}  // namespace

Prepared<Write> invite_device(const http::Request& request) {
    Body body{request};
    Object root = body.root();
    const std::string name = root.text("id", 1, DeviceId::length_max);
    const auto id = DeviceId::parse(name);
    if (!id && !name.empty()) root.refuse("id", "device_id_bad", "1 to 32 of [a-z0-9-]");
    const SiteId site{root.number<std::uint32_t>("site", 1)};
    const wire::Configuration configuration =
        configuration_from(root.object("configuration", true));
    root.done();
    if (body.bad() || !id) return body.problem();
    return [id = *id, site, configuration](const Context& c) -> Reply {
        if (!fleet::site(c.r, site)) return refuse(problem_of(422, "site_unknown"));
        if (auto problem = misses(c.r, site, configuration, "/configuration"))
            return refuse(std::move(*problem));
        const auto code = fleet::invite(c.r, c.call, c.keys, site, id, configuration);
        if (code.has_error()) return refuse(code.error());
        const Out json{{"device", id.text()},
                       {"pairing_code", code->text},
                       {"expires_at", to_rfc3339(code->expires_at)},
                       {"server_url", c.backend.places().server_url}};
        return {.response = created(json, "/v1/devices/" + id.text()),
                .target = "device " + id.text()};
    };
}

Prepared<Read> list_devices(const http::Request& request) {
    const auto page_wanted = page_of(request, {"site"});
    if (const auto* problem = std::get_if<http::Problem>(&page_wanted)) return *problem;
    const Page wanted = std::get<Page>(page_wanted);
    std::optional<SiteId> site;
    if (const auto text = request.query_value("site")) {
        const auto number = number_of(*text, UINT32_MAX);
        if (!number) return query_problem("site", "must be the number of a site");
        site = SiteId{static_cast<std::uint32_t>(*number)};
    }
    const auto after = from_hex(wanted.cursor);
    if (!after) return query_problem("cursor", "is not one of ours");
    return [wanted, site, after = std::string{as_text(*after)}](const Context& c) {
        auto devices = site ? fleet::devices_of(c.r, *site) : fleet::devices(c.r);
        std::ranges::sort(devices, {}, &fleet::Device::id);
        Out items = Out::array();
        std::string last;
        bool more = false;
        for (const fleet::Device& device : devices) {
            if (device.id.text() <= after) continue;
            more = items.size() == wanted.limit;
            if (more) break;
            items.push_back(to_json(device, c.call.now));
            last = device.id.text();
        }
        return page(std::move(items), more ? to_hex(as_bytes(last)) : "");
    };
}

Prepared<Read> get_device(const http::Request& request) {
    const auto id = device_in(request);
    if (!id) return not_found("device_unknown");
    return [id = *id](const Context& c) {
        const auto device = fleet::device(c.r, id);
        if (!device) return http::to_response(not_found("device_unknown"));
        Out json = to_json(*device, c.call.now);
        json["newest"] = versions_for(c.r, *device);
        json["reported"] = reported_by(c.r, *device);
        return answer(json);
    };
}

Prepared<Read> get_device_keys(const http::Request& request) {
    const auto id = device_in(request);
    if (!id) return not_found("device_unknown");
    return [id = *id](const Context& c) {
        if (!fleet::device(c.r, id)) return http::to_response(not_found("device_unknown"));
        Out items = Out::array();
        for (const crypto::PublicKey& key : fleet::keys_of(c.r, id))
            items.push_back(
                {{"id", to_hex(crypto::key_id(key))}, {"public_key_pem", key.to_pem()}});
        return answer({{"items", std::move(items)}});
    };
}

Prepared<Read> get_configuration(const http::Request& request) {
    const auto id = device_in(request);
    if (!id) return not_found("device_unknown");
    return [id = *id](const Context& c) {
        const auto device = fleet::device(c.r, id);
        if (!device) return http::to_response(not_found("device_unknown"));
        http::Response response = answer(to_json(device->configuration));
        response.headers.add("ETag", tag_of_configuration(c.r, *device));
        return response;
    };
}

Prepared<Write> configure_device(const http::Request& request) {
    const auto id = device_in(request);
    if (!id) return not_found("device_unknown");
    Body body{request};
    const wire::Configuration configuration = configuration_from(body.root());
    if (body.bad()) return body.problem();
    return [id = *id, configuration, headers = request.headers](const Context& c) -> Reply {
        const auto device = fleet::device(c.r, id);
        if (!device) return refuse(not_found("device_unknown"));
        if (auto problem = unmet(headers, tag_of_configuration(c.r, *device)))
            return refuse(std::move(*problem));
        if (auto problem = misses(c.r, device->site, configuration, ""))
            return refuse(std::move(*problem));
        auto effects = fleet::configure(c.r, c.call, c.keys, id, configuration);
        if (effects.has_error()) return refuse(effects.error());
        http::Response response = answer(to_json(configuration));
        response.headers.add("ETag", tag_of_configuration(c.r, *device));
        return {.response = std::move(response),
                .committed = {.effects = std::move(*effects), .revoked = {}}};
    };
}

Prepared<Write> revoke_device(const http::Request& request) {
    const auto id = device_in(request);
    if (!id) return not_found("device_unknown");
    Body body{request};
    body.root().done();
    if (body.bad()) return body.problem();
    return [id = *id](const Context& c) -> Reply {
        if (const auto refusal = fleet::revoke(c.r, c.call, id)) return refuse(*refusal);
        const auto device = fleet::device(c.r, id);
        // Here it is refused from now on; 202 says that the broker may still let it in.
        return {.response = answer(to_json(*device, c.call.now)),
                .committed = {.effects = {}, .devices_changed = true, .revoked = {id}},
                .status_if_pending = 202};
    };
}

}  // namespace pf::server::api
