#pragma once
// The one thing between the commands and a socket, so that tests can stand in for the server.
#include <functional>
#include <memory>
#include <string>

#include "firmware/https/client.hpp"

namespace pf::firmware::ctl {

class Wire {
public:
    virtual ~Wire() = default;
    virtual Result<https::Response, https::Fault> request(const https::Request& request) = 0;
    virtual Result<https::Response, https::Fault> stream(const https::Request& request,
                                                         const https::Client::OnLine& on_line) = 0;
    /// More about the last fault, for people.
    virtual std::string explain() const = 0;
};

using Connect = std::function<std::unique_ptr<Wire>(const https::Options&)>;

/// TLS to a pinned authority (firmware/https).
std::unique_ptr<Wire> connect_https(const https::Options& options);

}  // namespace pf::firmware::ctl
