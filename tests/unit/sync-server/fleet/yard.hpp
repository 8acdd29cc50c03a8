#pragma once
// Sites and devices through the room's own doors.
#include "common/wire/documents.hpp"
#include "tests/unit/sync-server/desk.hpp"

namespace pf::tests {

namespace fleet = server::fleet;

inline DeviceId device_id(const std::string& name) { return *DeviceId::parse(name); }

struct Yard : Desk {
    Yard() {
        add_site();
        add_site();
    }
    static wire::Configuration configuration(const std::string& number = "1") {
        wire::Configuration out;
        out.number = number;
        out.name_zh = "一号";
        out.name_en = "One";
        out.point = PointId{1};
        return out;
    }
    Result<fleet::PairingCode, fleet::Refusal> invite(const std::string& name,
                                                      SiteId site = SiteId{1}) {
        return attempt([&](Repositories& r, const Call& call) {
            return fleet::invite(r, call, keys(), site, device_id(name), configuration());
        });
    }
    Result<fleet::Identity, fleet::Refusal> pair(const std::string& code,
                                                 const std::string& request) {
        return attempt([&](Repositories& r, const Call& call) {
            return fleet::pair(r, call, keys(), code, request);
        });
    }
    /// A device with a key of its own, invited and paired.
    struct Paired {
        fleet::Identity identity;
        crypto::PrivateKey key;
    };
    Paired add_device(const std::string& name, SiteId site = SiteId{1}) {
        const auto code = invite(name, site);
        REQUIRE(code.has_value());
        auto key = new_key();
        auto identity = pair(code->text, crypto::make_request(key, name));
        REQUIRE(identity.has_value());
        return {*identity, key};
    }
    Result<fleet::Identity, fleet::Refusal> renew(const std::string& certificate,
                                                  const std::string& request) {
        return attempt([&](Repositories& r, const Call& call) {
            return fleet::renew(r, call, keys(), certificate, request);
        });
    }
    std::optional<fleet::Refusal> revoke(const std::string& name) {
        return attempt([&](Repositories& r, const Call& call) {
            return fleet::revoke(r, call, device_id(name));
        });
    }
    fleet::Device device(const std::string& name) {
        return *act(
            [&](Repositories& r, const Call&) { return fleet::device(r, device_id(name)); });
    }
};

}  // namespace pf::tests
