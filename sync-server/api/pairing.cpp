// How a board becomes a device and stays one. No key: the one-time code or the old certificate is
// the credential.
#include "sync-server/api/answer.hpp"
#include "sync-server/api/decode.hpp"
#include "sync-server/api/handlers.hpp"

namespace pf::server::api {
namespace {

constexpr std::size_t code_bytes_max = 160;
constexpr std::size_t request_bytes_max = 8 * 1024;

Reply paired(const Context& c, const Result<fleet::Identity, fleet::Refusal>& identity,
             bool replaces) {
    if (identity.has_error()) return refuse(identity.error());
    // The broker must know the device before it hears where to connect, or its first try fails.
    // By a code the device may be a new board in an old one's place: the old one is thrown out.
    std::vector<DeviceId> out;
    if (replaces) out.push_back(identity->device);
    return {.response = answer(to_json(*identity, c.backend.places()), 201),
            .committed = {.effects = {}, .devices_changed = true, .revoked = std::move(out)},
            .target = "device " + identity->device.text()};
}

}  // namespace

Prepared<Write> claim_pairing(const http::Request& request) {
    Body body{request};
    Object root = body.root();
    const std::string code = root.text("code", 1, code_bytes_max);
    const std::string csr = root.block("request_pem", request_bytes_max);
    root.done();
    if (body.bad()) return body.problem();
    return [code, csr](const Context& c) {
        return paired(c, fleet::pair(c.r, c.call, c.keys, code, csr), true);
    };
}

Prepared<Write> renew_certificate(const http::Request& request) {
    Body body{request};
    Object root = body.root();
    const std::string csr = root.block("request_pem", request_bytes_max);
    root.done();
    if (body.bad()) return body.problem();
    return [csr, present = request.client_certificate_pem.value_or("")](const Context& c) {
        return paired(c, fleet::renew(c.r, c.call, c.keys, present, csr), false);
    };
}

}  // namespace pf::server::api
