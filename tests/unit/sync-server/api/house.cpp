#include "tests/unit/sync-server/api/house.hpp"

namespace pf::tests {

using namespace pf::server;

void House::call(std::string actor, Act act, Then then) {
    const Call call = call_of(std::move(actor));
    std::optional<api::Committed> done;
    auto fault = fail_with;
    if (!fault)
        fault = store_->write_now([&](Repositories& r) {
            done = act(r, call);
            return done ? store::Decision::keep : store::Decision::undo;
        });
    if (!fault && done) committed.push_back(std::move(*done));
    then(fault);
}

std::optional<store::Fault> House::read(
    std::string actor, const std::function<void(Repositories&, const Call&)>& reader) {
    const Call call = call_of(std::move(actor));
    return store_->read([&](Repositories& r) { reader(r, call); });
}

std::string House::make_key(const std::string& name, access::Permissions permissions) {
    const Call call = call_of("test");
    std::string text;
    const auto fault = store_->write_now([&](Repositories& r) {
        const auto made = access::create_key(r, call, name, permissions);
        REQUIRE(made.has_value());
        text = made->text;
        return store::Decision::keep;
    });
    REQUIRE_FALSE(fault.has_value());
    return text;
}

House::Answer House::ask(const Ask& asked) {
    http::Request request;
    const auto method = http::method_from(asked.method);
    REQUIRE(method.has_value());
    request.method = *method;
    request.path = asked.path.substr(0, asked.path.find('?'));
    if (const auto mark = asked.path.find('?'); mark != std::string::npos) {
        std::string_view rest = std::string_view{asked.path}.substr(mark + 1);
        while (!rest.empty()) {
            const auto end = rest.find('&');
            const auto pair = rest.substr(0, end);
            const auto equals = pair.find('=');
            request.query.emplace(pair.substr(0, equals), pair.substr(equals + 1));
            rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
        }
    }
    request.headers = asked.headers;
    if (!asked.key.empty())
        request.headers.add("Authorization", "Bearer " + (asked.key == "admin" ? key : asked.key));
    if (!asked.body.empty() || asked.content_type != "application/json")
        request.headers.set("Content-Type", asked.content_type);
    if (!asked.certificate.empty()) request.client_certificate_pem = asked.certificate;
    request.request_id = "test-request";

    const auto& router = asked.certificate.empty() ? *main_ : *renewal_;
    const auto match = router.find(request.method, request.path);
    const auto* found = std::get_if<http::Router::Found>(&match);
    REQUIRE_MESSAGE(found != nullptr, asked.method << " " << asked.path << " has no route");
    request.route = found->route->path;
    request.parameters = found->parameters;

    std::optional<http::Response> response;
    const http::Responder responder{
        [&response](http::Response given) { response = std::move(given); }};
    if (found->route->upload) {
        const auto sink = found->route->upload(request, responder);
        if (sink) {
            // In small pieces, as a slow network would.
            constexpr std::size_t piece = 7;
            for (std::size_t at = 0; at < asked.body.size(); at += piece)
                sink->on_piece(asked.body.substr(at, piece), [] {});
            sink->on_end();
        }
    } else {
        request.body = asked.body;
        found->route->handler(request, responder);
    }
    REQUIRE_MESSAGE(response.has_value(), asked.method << " " << asked.path << ": no answer");
    Answer out{.status = response->status,
               .json = Json::parse(response->body, nullptr, false),
               .code = {},
               .headers = response->headers,
               .text = response->body};
    if (out.json.is_object() && out.json.contains("code")) out.code = out.json["code"];
    return out;
}

}  // namespace pf::tests
