#include "firmware/app/enrol.hpp"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "common/crypto/x509.hpp"
#include "firmware/https/client.hpp"

namespace pf::firmware::app {

using nlohmann::json;

namespace {

constexpr std::string_view identity_name = "identity";
constexpr std::string_view next_key_name = "key.next";
constexpr std::string_view vault_failed = "vault_failed: the key vault could not be written";

json to_json(const Enrolment& e) {
    return {{"device", e.device},
            {"site", e.site},
            {"topic_root", e.topic_root},
            {"site_authority", e.site_authority_hex},
            {"certificate_pem", e.certificate_pem},
            {"authority_pem", e.authority_pem},
            {"broker", {{"host", e.broker_host}, {"port", e.broker_port}}},
            {"server_url", e.server_url},
            {"renewal_url", e.renewal_url}};
}

/// All of the number or nothing: the library would cut a port of 70000 to 4464.
template <class Number>
std::optional<Number> whole(const json& value) {
    if (!value.is_number_unsigned()) return std::nullopt;
    const auto number = value.get<std::uint64_t>();
    if (number > std::numeric_limits<Number>::max()) return std::nullopt;
    return static_cast<Number>(number);
}

std::optional<Enrolment> from_json(const std::string& text) {
    const json j = json::parse(text, nullptr, false);
    if (!j.is_object()) return std::nullopt;
    try {
        Enrolment e;
        e.device = j.at("device").get<std::string>();
        const auto site = whole<std::uint32_t>(j.at("site"));
        const auto port = whole<std::uint16_t>(j.at("broker").at("port"));
        if (!site || !port) return std::nullopt;
        e.site = *site;
        e.topic_root = j.at("topic_root").get<std::string>();
        e.site_authority_hex = j.at("site_authority").get<std::string>();
        e.certificate_pem = j.at("certificate_pem").get<std::string>();
        e.authority_pem = j.at("authority_pem").get<std::string>();
        e.broker_host = j.at("broker").at("host").get<std::string>();
        e.broker_port = *port;
        e.server_url = j.value("server_url", std::string{});
        e.renewal_url = j.value("renewal_url", std::string{});
        return e;
    } catch (const json::exception&) {
        return std::nullopt;  // another shape than ours: as good as nothing
    }
}

EnrolError error_of(https::Fault fault, const std::string& words) {
    const bool untrusted = fault == https::Fault::tls_untrusted ||
                           fault == https::Fault::no_authority ||
                           fault == https::Fault::plain_http_refused;
    return {untrusted ? EnrolFault::untrusted : EnrolFault::unreachable,
            words.empty() ? std::string{https::to_text(fault)}
                          : fmt::format("{}: {}", https::to_text(fault), words)};
}

std::string refusal_of(const https::Response& response) {
    const json problem = json::parse(response.body, nullptr, false);
    if (problem.is_object() && problem.contains("code") && problem["code"].is_string())
        return problem["code"].get<std::string>();
    return fmt::format("status {}", response.status);
}

/// Reads the server's answer and keeps it, the new key with it. The key moves last: until then the
/// old certificate and the old key belong together.
Result<Enrolment, EnrolError> keep(const https::Response& response, const std::string& server_url,
                                   const crypto::PrivateKey& key, ports::KeyVault& vault,
                                   const Enrolment* present) {
    if (response.status != 200 && response.status != 201)
        return EnrolError{EnrolFault::refused, refusal_of(response)};
    auto enrolment = from_json(response.body);
    if (!enrolment)
        return EnrolError{EnrolFault::answer_malformed,
                          "answer_malformed: the server's answer has another shape"};
    if (present != nullptr && !renews(*present, *enrolment))
        return EnrolError{EnrolFault::untrusted,
                          "renewal_untrusted: the renewal names another device, site or site "
                          "authority"};
    enrolment->server_url = server_url;
    enrolment->key_pem = key.to_pem();
    const auto certificate = crypto::read_certificate(enrolment->certificate_pem);
    if (!certificate || !(certificate->key == key.public_key()))
        return EnrolError{EnrolFault::answer_malformed,
                          "answer_malformed: the certificate is not for our key"};
    json stored = to_json(*enrolment);
    stored["key_pem"] =
        enrolment->key_pem;  // one value, written at once: never a certificate without its key
    if (!vault.put(identity_name, as_bytes(stored.dump())))
        return EnrolError{EnrolFault::vault_failed, std::string{vault_failed}};
    (void)vault.erase(next_key_name);
    return *enrolment;
}

/// The key for a request: made once and kept until an answer for it is, so that a repeated try
/// reuses it.
std::optional<crypto::PrivateKey> next_key(ports::KeyVault& vault, Entropy& entropy) {
    if (const auto kept = vault.get(next_key_name)) {
        if (auto key = crypto::PrivateKey::from_pem(as_text(*kept))) return key;
    }
    const auto key = crypto::PrivateKey::generate(entropy);
    if (!vault.put(next_key_name, as_bytes(key.to_pem()))) return std::nullopt;
    return key;
}

}  // namespace

Result<Enrolment, EnrolError> pair(const std::string& server_url, const std::string& code,
                                   ports::KeyVault& vault, Entropy& entropy) {
    const auto dot = code.find('.');
    const auto pin = dot == std::string::npos
                         ? std::nullopt
                         : array_from_hex<32>(std::string_view{code}.substr(dot + 1));
    if (!pin)
        return EnrolError{EnrolFault::code_malformed,
                          "code_malformed: the code lacks the server's fingerprint behind a dot"};
    const auto key = next_key(vault, entropy);
    if (!key) return EnrolError{EnrolFault::vault_failed, std::string{vault_failed}};

    https::Options options;
    options.base_url = server_url;
    options.pin_sha256 = *pin;
    options.ignore_certificate_dates = true;  // a new board's clock stands at 1970
    https::Client client{options};
    https::Request request{.method = "POST", .target = "/v1/pairings/claim"};
    request.headers.emplace_back("Content-Type", "application/json");
    request.body =
        json{{"code", code}, {"request_pem", crypto::make_request(*key, "new-device")}}.dump();
    const auto response = client.request(request);
    if (response.has_error()) return error_of(response.error(), client.explain());
    return keep(*response, server_url, *key, vault, nullptr);
}

bool renews(const Enrolment& present, const Enrolment& renewed) {
    return renewed.device == present.device && renewed.site == present.site &&
           renewed.topic_root == present.topic_root &&
           renewed.site_authority_hex == present.site_authority_hex;
}

std::optional<Enrolment> load_enrolment(const ports::KeyVault& vault) {
    const auto bytes = vault.get(identity_name);
    if (!bytes) return std::nullopt;
    auto enrolment = from_json(std::string{as_text(*bytes)});
    const json j = json::parse(as_text(*bytes), nullptr, false);
    if (!enrolment || !j.contains("key_pem") || !j["key_pem"].is_string()) return std::nullopt;
    enrolment->key_pem = j["key_pem"].get<std::string>();
    return enrolment;
}

Result<Enrolment, EnrolError> renew(const Enrolment& present, ports::KeyVault& vault,
                                    Entropy& entropy) {
    const auto key = next_key(vault, entropy);
    if (!key) return EnrolError{EnrolFault::vault_failed, std::string{vault_failed}};
    https::Options options;
    options.base_url = present.renewal_url;
    options.ca_pem = present.authority_pem;
    options.certificate_pem = present.certificate_pem;
    options.private_key_pem = present.key_pem;
    options.ignore_certificate_dates = true;
    https::Client client{options};
    https::Request request{.method = "POST", .target = "/v1/certificates/renew"};
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = json{{"request_pem", crypto::make_request(*key, present.device)}}.dump();
    const auto response = client.request(request);
    if (response.has_error()) return error_of(response.error(), client.explain());
    return keep(*response, present.server_url, *key, vault, &present);
}

bool renewal_due(const Enrolment& enrolment, WallTime now) {
    const auto certificate = crypto::read_certificate(enrolment.certificate_pem);
    if (!certificate) return true;
    // Certificates are dated from 1970 for boards without a clock, so their life is counted from
    // its end: a year, of which a third is left.
    constexpr std::chrono::days last_third{122};
    return now >= certificate->validity.until - last_third;
}

std::optional<sync::Identity> identity_of(const Enrolment& enrolment, wire::DeviceKind kind,
                                          std::string firmware, BootId boot) {
    const auto device = DeviceId::parse(enrolment.device);
    const auto point = from_hex(enrolment.site_authority_hex);
    const auto authority = point ? crypto::PublicKey::from_point(*point) : std::nullopt;
    auto key = crypto::PrivateKey::from_pem(enrolment.key_pem);
    if (!device || !authority || !key) return std::nullopt;
    return sync::Identity{.device = *device,
                          .site = SiteId{enrolment.site},
                          .topic_root = enrolment.topic_root,
                          .site_authority = *authority,
                          .key = *key,
                          .kind = kind,
                          .firmware = std::move(firmware),
                          .boot = boot};
}

}  // namespace pf::firmware::app
