#include "sync-server/app/doors.hpp"

#include <fmt/format.h>

#include "sync-server/app/certificates.hpp"
#include "sync-server/app/data_dir.hpp"

namespace pf::server::app {
namespace {

/// An import is one act: a season's codes on a small machine take their minutes, and an answer
/// given up earlier would leave the caller not knowing.
constexpr std::chrono::minutes answer_within{5};

std::optional<http::TlsOptions> main_tls(const Config& config, const fleet::Keys& keys,
                                         Entropy& entropy, std::string& wrong) {
    if (!config.http.certificate.empty()) {
        const auto chain = read_file(config.http.certificate);
        const auto key = read_file(config.http.key);
        if (chain && key) return http::TlsOptions{*chain, *key};
        wrong = fmt::format("{} or {} can't be read", config.http.certificate.string(),
                            config.http.key.string());
        return std::nullopt;
    }
    const auto own = server_certificate(keys, own_names(config), entropy);
    // The authority is part of the chain: a device that is being paired knows its fingerprint only.
    return http::TlsOptions{own.certificate_pem + keys.authority_pem, own.key_pem};
}

void tell_access(Log& log, const http::Access& access) {
    // The route, not the path: a path may name a ticket.
    if (log.wants(LogLevel::debug) || access.status >= 500)
        log.say(access.status >= 500 ? LogLevel::warning : LogLevel::debug, "request",
                {{"id", access.request_id},
                 {"route", access.method + " " + access.route},
                 {"status", std::to_string(access.status)},
                 {"took_us", std::to_string(access.took.count())}});
}

}  // namespace

std::vector<std::string> own_names(const Config& config) {
    std::vector<std::string> names{config.host, "localhost", "127.0.0.1"};
    // Our own link dials the managed broker where it listens, and checks its name like any other.
    if (config.broker.managed && config.broker.address != "0.0.0.0")
        names.push_back(config.broker.address);
    names.insert(names.end(), config.names.begin(), config.names.end());
    return names;
}

std::variant<http::ServerOptions, std::string> doors(const Config& config, const fleet::Keys& keys,
                                                     const api::Api& api, Entropy& entropy,
                                                     Log& log) {
    http::ServerOptions options;
    options.threads = config.http.threads;
    options.timeouts.answer = answer_within;
    options.on_bug = [&log](std::string_view what) {
        log.say(LogLevel::error, "bug in a handler", {{"what", std::string{what}}});
    };
    options.on_access = [&log](const http::Access& access) { tell_access(log, access); };
    http::ListenerOptions main{.name = "main",
                               .address = config.http.address,
                               .port = config.http.port,
                               .router = api.main_router()};
    if (config.http.tls) {
        std::string wrong;
        main.tls = main_tls(config, keys, entropy, wrong);
        if (!main.tls) return wrong;
    }
    const auto own = server_certificate(keys, own_names(config), entropy);
    http::ListenerOptions renewal{
        .name = "renewal",
        .address = config.renewal.address,
        .port = config.renewal.port,
        .tls = http::TlsOptions{.certificate_chain_pem = own.certificate_pem + keys.authority_pem,
                                .private_key_pem = own.key_pem,
                                .client_certificate = http::ClientCertificate::required,
                                .client_ca_pem = keys.authority_pem,
                                .accept_expired_client_certificates = true},
        .router = api.renewal_router()};
    options.listeners = {std::move(main), std::move(renewal)};
    return options;
}

}  // namespace pf::server::app
