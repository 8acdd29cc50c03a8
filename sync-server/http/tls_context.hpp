#pragma once
// From TlsOptions to an OpenSSL context.
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "sync-server/http/server.hpp"

namespace pf::server::http {

Result<std::shared_ptr<boost::asio::ssl::context>, StartError> make_tls_context(
    const TlsOptions& options, const std::string& listener);

}  // namespace pf::server::http
