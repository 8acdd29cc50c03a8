#pragma once
// A server's database with the platform's keys and nothing in it: what the tests of single rooms
// stand on. Refused acts are undone, as the program does it.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>

#include "common/crypto/x509.hpp"
#include "sync-server/fleet/fleet.hpp"
#include "sync-server/store/store.hpp"
#include "tests/support/database/database.hpp"
#include "tests/support/fixed_entropy.hpp"

namespace pf::tests {

using server::Call;
using server::Effects;
using server::Repositories;

class Desk {
    template <class T, class E>
    static bool refused(const Result<T, E>& result) {
        return result.has_error();
    }
    template <class E>
    static bool refused(const std::optional<E>& refusal) {
        return refusal.has_value();
    }

    template <class Act, class Decide>
    auto run(Act& act, Decide decide) {
        Call call{.now = now, .seed = {}, .actor = "tester"};
        entropy_.fill(call.seed);
        std::optional<decltype(act(std::declval<Repositories&>(), call))> out;
        const auto fault = store_->write_now([&](Repositories& r) {
            out.emplace(act(r, call));
            return decide(*out);
        });
        REQUIRE_FALSE(fault.has_value());
        return std::move(*out);
    }

public:
    /// A transaction of its own, under a call of its own; kept.
    template <class Act>
    auto act(Act act) {
        return run(act, [](const auto&) { return server::store::Decision::keep; });
    }
    /// The same for acts that may refuse: a refusal undoes them.
    template <class Act>
    auto attempt(Act act) {
        return run(act, [](const auto& result) {
            return refused(result) ? server::store::Decision::undo : server::store::Decision::keep;
        });
    }

    SiteId add_site() {
        return act([&](Repositories& r, const Call& call) {
            return server::fleet::create_site(r, call, keys(), {"黄山", "Huangshan", Calendar{}});
        });
    }
    crypto::PrivateKey new_key() { return crypto::PrivateKey::generate(entropy_); }
    const server::fleet::Keys& keys() const { return keys_; }

    /// Is that text anywhere in the database?
    bool at_rest(const std::string& text) const { return database_.holds(text); }

    WallTime now = *wall_from_rfc3339("2026-05-01T08:00:00.000Z");

private:
    server::fleet::Keys make_keys() {
        auto key = new_key();
        crypto::Serial serial{};
        serial[0] = 0x41;
        auto pem = crypto::make_authority(key, "Paifang test", serial,
                                          {wall_from_ms(0), now + std::chrono::days{3650}});
        std::array<Byte, 32> master{};
        master.fill(0x4d);
        return {master, std::move(key), std::move(pem)};
    }

    Database database_;
    SeededEntropy entropy_{20'260'501};
    server::fleet::Keys keys_{make_keys()};
    std::unique_ptr<server::store::Store> store_ = [this] {
        auto opened = server::store::Store::open({.database = database_.where(),
                                                  .vfs = {},
                                                  .threaded = false,
                                                  .now = wall_from_ms(1'000)});
        REQUIRE(opened.has_value());
        return std::move(*opened);
    }();
};

}  // namespace pf::tests
