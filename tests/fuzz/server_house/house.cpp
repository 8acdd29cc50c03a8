#include "tests/fuzz/server_house/house.hpp"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/crypto/x509.hpp"

namespace pf::fuzz {
namespace {

using nlohmann::json;

// RFC 6979 section A.2.5: the key of every example in docs/protocol.
constexpr const char* example_key_pem =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n"
    "AwEHoUQDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8\n"
    "maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n"
    "-----END EC PRIVATE KEY-----\n";

const WallTime may_2026 = *wall_from_rfc3339("2026-05-01T01:00:00Z");
const WallTime forever = *wall_from_rfc3339("9999-12-31T23:59:59Z");

}  // namespace

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "property: %s\n", what);
    std::abort();
}

House::House()
    : keys_{
          .master = {}, .authority = crypto::PrivateKey::generate(entropy_), .authority_pem = {}} {
    keys_.authority_pem = crypto::make_authority(keys_.authority, "Test authority",
                                                 crypto::Serial{0x41}, {wall_from_ms(0), forever});
    auto opened = server::store::Store::open(
        {.database = folder_ / "server.db", .vfs = {}, .threaded = false, .now = may_2026});
    require(opened.has_value(), "the store opens");
    store_ = std::move(*opened);
    const std::string names = R"("name_zh": "青龙山", "name_en": "Qinglong")";
    make("POST /v1/sites", "{" + names + "}", "id");
    make("POST /v1/sites/{site}/points", "{" + names + "}", "id");
    make("POST /v1/sites/{site}/windows", R"({"from_min": 480, "until_min": 720})", "id");
    make("POST /v1/sites/{site}/products", "{" + names + "}", "id");
    ticket_ = make("POST /v1/tickets",
                   R"({"entitlements": [{"site": 1, "product": 1, "first_day": "2026-05-01",
                       "last_day": "2026-05-02"}], "carriers": [{"kind": "code", "text": "C-1"}]})",
                   "id");
    key_ = make("POST /v1/keys", R"({"name": "kiosk", "permissions": ["tickets.read"]})", "id");
    const auto code = make("POST /v1/devices",
                           R"({"id": "gate-1", "site": 1, "configuration": {"number": "1",)" +
                               names + R"(, "kind": "gate", "point": 1}})",
                           "pairing_code");
    const auto key = crypto::PrivateKey::from_pem(example_key_pem);
    require(key.has_value(), "the example key is read");
    make("POST /v1/pairings/claim",
         json{{"code", code}, {"request_pem", crypto::make_request(*key, "new-device")}}.dump(),
         "device");
}

const api::Endpoint* House::route(std::string_view name) {
    for (const api::Endpoint& endpoint : api::endpoints()) {
        const auto method = http::to_text(endpoint.method);
        if (name.starts_with(method) && name.size() > method.size() && name[method.size()] == ' ' &&
            name.substr(method.size() + 1) == endpoint.path)
            return &endpoint;
    }
    return nullptr;
}

http::Request House::request(const api::Endpoint& endpoint) const {
    http::Request request;
    request.method = endpoint.method;
    request.route = endpoint.path;
    request.path = endpoint.path;
    request.request_id = "fuzz";
    request.headers.add("If-Match", "*");
    request.parameters = {{"site", "1"},       {"product", "1"}, {"device", "gate-1"},
                          {"ticket", ticket_}, {"key", key_},    {"command", std::string(32, 'c')}};
    return request;
}

/// Does an act for good; the field of its answer that is wanted.
std::string House::make(std::string_view name, const std::string& body, const char* wanted) {
    const api::Endpoint* endpoint = route(name);
    require(endpoint != nullptr, "the route exists");
    http::Request asked = request(*endpoint);
    asked.body = body;
    const auto act = std::get<api::WriteRoute>(endpoint->run)(asked);
    require(act.index() == 1, "the house's own requests are understood");
    std::string out;
    transact(
        [&](const api::Context& c) {
            const api::Reply reply = std::get<1>(act)(c);
            require(reply.refused.empty(), "the house's own acts are done");
            const json answer = json::parse(reply.response.body);
            out = answer.at(wanted).is_string() ? answer.at(wanted).get<std::string>()
                                                : answer.at(wanted).dump();
        },
        server::store::Decision::keep);
    return out;
}

void House::look(const std::function<void(const api::Context&)>& looker) {
    transact(looker, server::store::Decision::undo);
}

void House::transact(const std::function<void(const api::Context&)>& work,
                     server::store::Decision decision) {
    server::Call call{.now = may_2026, .seed = {}, .actor = "fuzz"};
    if (decision == server::store::Decision::keep) entropy_.fill(call.seed);
    const auto fault = store_->write_now([&](server::Repositories& r) {
        work(api::Context{r, call, keys_, *this});
        return decision;
    });
    require(!fault, "the store takes what the acts ask of it");
}

void House::call(std::string, Act, Then) { require(false, "no act calls the backend"); }
std::optional<server::store::Fault> House::read(
    std::string, const std::function<void(server::Repositories&, const server::Call&)>&) {
    require(false, "no act reads by itself");
    return std::nullopt;
}
void House::post(std::function<void()>) { require(false, "no act posts"); }

}  // namespace pf::fuzz
