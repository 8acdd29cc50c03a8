// Remote commands: they expire (invariant 8), and whoever sent one can see what became of it.
#include <fmt/format.h>

#include "common/wire/limits.hpp"
#include "sync-server/api/answer.hpp"
#include "sync-server/api/decode.hpp"
#include "sync-server/api/handlers.hpp"

namespace pf::server::api {
namespace {

constexpr std::uint32_t expires_in_s_default = 30;
constexpr std::uint32_t expires_in_s_max = 24 * 60 * 60;
/// An arm that opens minutes after somebody wished it is a danger, so "open" lives shortest.
constexpr std::uint32_t open_expires_in_s_max = 120;

}  // namespace

Prepared<Write> send_command(const http::Request& request) {
    const auto id = DeviceId::parse(request.parameter("device"));
    if (!id) return not_found("device_unknown");
    Body body{request};
    Object root = body.root();
    wire::Command command;
    command.kind = root.word<wire::CommandKind>("kind", wire::CommandKind::open, command_kind_from);
    const bool open = command.kind == wire::CommandKind::open;
    const bool scan = command.kind == wire::CommandKind::test_scan;
    const auto expires_in_s = root.number_or<std::uint32_t>(
        "expires_in_s", expires_in_s_default, 1, open ? open_expires_in_s_max : expires_in_s_max);
    if (open) {
        command.persons = root.number_or<std::uint16_t>("persons", 1, 1, ticket::persons_max);
        command.text = root.text("text", 1, wire::command_text_bytes_max);  // the reason given
    }
    if (scan) command.text = root.text("text", 1, wire::command_text_bytes_max);
    if (command.kind == wire::CommandKind::resend)
        command.from_seq = root.number<std::uint64_t>("from_seq", 0, INT64_MAX);
    root.done();
    if (body.bad()) return body.problem();
    return [id = *id, command, expires_in_s](const Context& c) -> Reply {
        wire::Command sent = command;
        const Bytes name = derive(c.call, "api/command", sent.id.size());
        std::copy(name.begin(), name.end(), sent.id.begin());
        sent.issuer = c.call.actor;
        sent.expires_at = c.call.now + std::chrono::seconds{expires_in_s};
        auto done = fleet::send_command(c.r, c.call, c.keys, id, sent);
        if (done.has_error()) return refuse(done.error());
        const fleet::CommandRecord& record = done->first;
        http::Response response = answer(to_json(record), 202);
        const std::string name_hex = to_hex(record.command.id);
        response.headers.add("Location", "/v1/commands/" + name_hex);
        return {.response = std::move(response),
                .committed = {.effects = std::move(done->second), .revoked = {}},
                .target = fmt::format("device {}, command {} {}", id.text(), word(command.kind),
                                      name_hex)};
    };
}

Prepared<Read> get_command(const http::Request& request) {
    const auto id = array_from_hex<16>(request.parameter("command"));
    if (!id) return not_found("command_unknown");
    return [id = *id](const Context& c) {
        const auto record = fleet::command(c.r, id);
        return record ? answer(to_json(*record)) : http::to_response(not_found("command_unknown"));
    };
}

}  // namespace pf::server::api
