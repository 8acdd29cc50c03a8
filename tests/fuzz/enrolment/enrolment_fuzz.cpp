// Whatever stands in a device's vault as its identity, which is what a pairing answered: what loads
// is what was written, numbers too, and whatever loads can be asked for its renewal and its keys.
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "firmware/app/enrol.hpp"
#include "firmware/ports/key_vault.hpp"

namespace {

using namespace pf;
using nlohmann::json;

void require(bool holds) {
    if (!holds) std::abort();
}

class OneSecret final : public firmware::ports::KeyVault {
public:
    explicit OneSecret(BytesView value) : value_{value.begin(), value.end()} {}
    std::optional<Bytes> get(std::string_view name) const override {
        return name == "identity" ? std::optional{value_} : std::nullopt;
    }
    bool put(std::string_view, BytesView) override { return false; }
    bool erase(std::string_view) override { return false; }

private:
    Bytes value_;
};

void check(const firmware::app::Enrolment& enrolment, const json& written) {
    require(written.at("device") == enrolment.device);
    require(written.at("site") == enrolment.site);
    require(written.at("topic_root") == enrolment.topic_root);
    require(written.at("certificate_pem") == enrolment.certificate_pem);
    require(written.at("authority_pem") == enrolment.authority_pem);
    require(written.at("key_pem") == enrolment.key_pem);
    require(written.at("broker").at("host") == enrolment.broker_host);
    require(written.at("broker").at("port") == enrolment.broker_port);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto enrolment = firmware::app::load_enrolment(OneSecret{{data, size}});
    if (!enrolment) return 0;
    check(*enrolment, json::parse(data, data + size));
    (void)firmware::app::renewal_due(*enrolment, wall_from_ms(1'790'000'000'000));
    const auto identity = firmware::app::identity_of(*enrolment, wire::DeviceKind::gate, "0", {});
    require(!identity || identity->device.text() == enrolment->device);
    return 0;
}
