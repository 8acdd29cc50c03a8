#include "firmware/https/url.hpp"

#include <doctest/doctest.h>

using namespace pf::firmware::https;

namespace {

std::string told(std::string_view text) {
    const auto url = read_url(text);
    if (!url) return "no";
    return std::string{url->tls ? "tls " : "plain "} + url->host + ' ' + std::to_string(url->port) +
           " '" + url->prefix + "' " + url->authority;
}

}  // namespace

TEST_CASE("a server's address is read or refused") {
    struct Row {
        std::string_view text;
        std::string_view expected;
        std::string_view why;
    };
    const Row rows[] = {
        {"https://gate.example", "tls gate.example 443 '' gate.example", "usual port"},
        {"http://127.0.0.1:8080/", "plain 127.0.0.1 8080 '' 127.0.0.1:8080", "root path"},
        {"https://h:443/api/", "tls h 443 '/api' h", "usual port written out, prefix"},
        {"https://[::1]:8443/x", "tls ::1 8443 '/x' [::1]:8443", "version 6"},
        {"https://[::1]", "tls ::1 443 '' [::1]", "version 6 without port"},
        {"", "no", "nothing"},
        {"gate.example", "no", "no scheme"},
        {"HTTPS://h", "no", "scheme in capitals"},
        {"https://", "no", "no host"},
        {"https://:1", "no", "no host but a port"},
        {"https://h:", "no", "no digits"},
        {"https://h:0", "no", "port 0"},
        {"https://h:65536", "no", "port too large"},
        {"https://h:1x", "no", "not a number"},
        {"https://[::1", "no", "open bracket"},
        {"https://[::1]8443", "no", "port without colon"},
        {"https://me@h", "no", "a user"},
        {"https://h?x=1", "no", "a query"},
        {"https://h/#x", "no", "a fragment"},
        {"https://h h", "no", "a space"},
        {"https://h\r\nX: y", "no", "a line break"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        CHECK(told(row.text) == row.expected);
    }
}
