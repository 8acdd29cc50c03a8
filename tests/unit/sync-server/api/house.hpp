#pragma once
// The API without sockets: requests go to the router's handlers, acts to a store that commits on
// the caller.
#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "common/crypto/x509.hpp"
#include "sync-server/access/access.hpp"
#include "sync-server/api/api.hpp"
#include "sync-server/store/store.hpp"
#include "tests/support/database/database.hpp"
#include "tests/support/fixed_entropy.hpp"

namespace pf::tests {

using Json = nlohmann::json;

class House : public server::api::Backend {
public:
    explicit House(std::uint64_t seed = 1) : entropy_{seed} {
        auto opened = server::store::Store::open(
            {.database = database_.where(), .vfs = {}, .threaded = false, .now = now});
        REQUIRE(opened.has_value());
        store_ = std::move(*opened);
        key = make_key("admin", {server::access::Permission::admin});
        main_ = api.main_router();
        renewal_ = api.renewal_router();
    }

    struct Answer {
        int status = 0;
        Json json;
        std::string code;  // of a problem
        server::http::Headers headers;
        std::string text;
    };
    struct Ask {
        std::string method = "GET";
        std::string path;
        std::string body = {};
        server::http::Headers headers = {};
        std::string key = "admin";  // "admin": the first; "": none; else a key's text
        std::string certificate = {};
        std::string content_type = "application/json";
    };

    Answer ask(const Ask& ask);
    Answer get(const std::string& path) { return ask({.method = "GET", .path = path}); }
    Answer post(const std::string& path, const Json& body) {
        return ask({.method = "POST", .path = path, .body = body.is_null() ? "" : body.dump()});
    }
    std::string make_key(const std::string& name, server::access::Permissions permissions);

    // --- Backend
    void call(std::string actor, Act act, Then then) override;
    std::optional<server::store::Fault> read(
        std::string actor,
        const std::function<void(server::Repositories&, const server::Call&)>& reader) override;
    void post(std::function<void()> task) override { posted.push_back(std::move(task)); }
    const server::fleet::Keys& keys() const override { return keys_; }
    server::api::Places places() const override {
        return {"gate.example", 8883, "https://gate.example:8444", "https://gate.example:8443"};
    }
    server::api::Health health() const override { return health_; }

    WallTime now = wall_from_ms(1'790'000'000'000);
    std::string key;
    std::vector<server::api::Committed> committed;  // what acts wanted done, in order
    std::deque<std::function<void()>> posted;
    std::optional<server::store::Fault> fail_with;
    server::api::Health health_{.broker_ok = true, .broker = "managed", .link_up = true};
    server::api::Api api{*this};

private:
    server::Call call_of(std::string actor) {
        server::Call out{.now = now, .seed = {}, .actor = std::move(actor)};
        entropy_.fill(out.seed);
        return out;
    }

    Database database_;
    SeededEntropy entropy_;
    server::fleet::Keys keys_ = make_keys();
    std::unique_ptr<server::store::Store> store_;
    std::shared_ptr<const server::http::Router> main_, renewal_;

    server::fleet::Keys make_keys() {
        const auto authority = crypto::PrivateKey::generate(entropy_);
        crypto::Serial serial{};
        serial[0] = 0x41;
        server::fleet::Keys out{.master = {}, .authority = authority, .authority_pem = {}};
        entropy_.fill(out.master);
        out.authority_pem =
            crypto::make_authority(authority, "Test authority", serial,
                                   {wall_from_ms(0), wall_from_ms(253'402'300'799'000)});
        return out;
    }
};

}  // namespace pf::tests
