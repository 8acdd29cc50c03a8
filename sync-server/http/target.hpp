#pragma once
// The request target and its percent-encoding (RFC 3986, RFC 9112 section 3.2).
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pf::server::http {

enum class PlusSign : std::uint8_t { literal, space };

/// Nothing on a broken escape, a control character, or bytes that are not UTF-8.
std::optional<std::string> percent_decoded(std::string_view text, PlusSign plus);

struct Target {
    std::string path;  // as sent
    std::map<std::string, std::string, std::less<>> query;
};

enum class TargetFault : std::uint8_t { not_origin_form = 1, bad_encoding, repeated_key };

/// Reads "/path?query". "key" without '=' is a key with an empty value; empty parts are skipped.
struct TargetRead {
    std::optional<Target> target;
    TargetFault fault{};  // when there is no target
};
TargetRead read_target(std::string_view text);

}  // namespace pf::server::http
