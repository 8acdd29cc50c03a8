#pragma once
// The API's table of routes over a real store, without router, doors and audit: what an act decides
// is looked at and undone, so every input meets the same house.
#include <functional>
#include <memory>
#include <string>

#include "sync-server/api/route.hpp"
#include "sync-server/store/store.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/temp_dir.hpp"

namespace pf::fuzz {

namespace api = server::api;
namespace http = server::http;

/// Site 1 with point, window and product 1, ticket and key, and gate-1 paired with the example key
/// of the protocol documents, so that batches of the corpus are really its own.
class House final : public api::Backend {
public:
    House();

    /// The route "POST /v1/sites/{site}/points"; null when there is none.
    static const api::Endpoint* route(std::string_view name);
    /// A request for that route, its parameters naming what the house has.
    http::Request request(const api::Endpoint& endpoint) const;

    /// In a transaction that is undone; a fault of the store is a finding.
    void look(const std::function<void(const api::Context&)>& looker);

    // --- Backend: only places() and health() are asked inside a transaction.
    void call(std::string, Act, Then) override;
    std::optional<server::store::Fault> read(
        std::string,
        const std::function<void(server::Repositories&, const server::Call&)>&) override;
    void post(std::function<void()>) override;
    const server::fleet::Keys& keys() const override { return keys_; }
    api::Places places() const override { return {"gate.example", 8883, "https://gate.example:1"}; }
    api::Health health() const override { return {.broker_ok = true, .broker = "managed"}; }

private:
    void transact(const std::function<void(const api::Context&)>& work,
                  server::store::Decision decision);
    std::string make(std::string_view route, const std::string& body, const char* wanted);

    tests::TempDir folder_;
    tests::SeededEntropy entropy_{1};
    server::fleet::Keys keys_;
    std::unique_ptr<server::store::Store> store_;
    std::string ticket_ = "00000000000000aa", key_ = "none";
};

/// Ends the program: the property does not hold. What is said goes to the log of the run.
void require(bool holds, const char* what);

}  // namespace pf::fuzz
