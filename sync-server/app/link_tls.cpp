#include "sync-server/app/link_tls.hpp"

#include <fmt/format.h>

#include "sync-server/app/certificates.hpp"
#include "sync-server/app/data_dir.hpp"

namespace pf::server::app {

std::optional<mqtt::Tls> link_tls(const Config::Broker& broker, const fleet::Keys& keys,
                                  const std::string& name, Entropy& entropy, std::string& wrong) {
    mqtt::Tls tls{.authority_pem = keys.authority_pem, .certificate_pem = {}, .key_pem = {}};
    const auto take = [&](const std::filesystem::path& file, std::string& into) {
        auto text = read_file(file);
        if (!text) wrong = fmt::format("{} can't be read", file.string());
        into = text.value_or("");
        return text.has_value();
    };
    if (!broker.authority.empty() && !take(broker.authority, tls.authority_pem))
        return std::nullopt;
    if (broker.certificate.empty()) {
        auto own = client_certificate(keys, name, entropy);
        tls.certificate_pem = std::move(own.certificate_pem);
        tls.key_pem = std::move(own.key_pem);
        return tls;
    }
    if (!take(broker.certificate, tls.certificate_pem) || !take(broker.key, tls.key_pem))
        return std::nullopt;
    return tls;
}

}  // namespace pf::server::app
