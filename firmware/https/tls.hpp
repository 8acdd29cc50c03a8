#pragma once
// Whom we believe: one authority, by its certificate or by its fingerprint.
#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <optional>
#include <string>

#include "firmware/https/client.hpp"

namespace pf::firmware::https {

struct Trust {
    explicit Trust(const Options& options);
    Trust(const Trust&) = delete;
    Trust& operator=(const Trust&) = delete;

    boost::asio::ssl::context context;
    std::optional<Digest> pin;
    std::optional<Fault> fault;  // the options can't be used; `why` says more
    std::string why;

private:
    void configure(const Options& options);
    void refuse(Fault what, std::string words);
};

/// Sets name and date rules for one connection. False on a name OpenSSL won't take.
bool expect_server(SSL* connection, const std::string& name, bool ignore_dates);

/// The root of the chain that was verified, PEM.
std::string authority_of(SSL* connection);

/// What an error of a TLS operation means.
Fault tls_fault(SSL* connection, const boost::system::error_code& error);
std::string tls_words(SSL* connection, const boost::system::error_code& error);

}  // namespace pf::firmware::https
