#pragma once
// A small HTTPS client: one blocking request at a time, to a server whose authority is pinned.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"

namespace pf::firmware::https {

enum class Fault : std::uint8_t {
    bad_url = 1,          // base_url or a target can't be used
    bad_request,          // a method or header field that can't be sent, a source that ends early
    plain_http_refused,   // http:// to an address that isn't loopback
    bad_credentials,      // a PEM is unreadable, or key and certificate differ
    no_authority,         // https:// with neither ca_pem nor pin_sha256
    unresolved,           // no such host
    unreachable,          // nobody accepts there
    tls_untrusted,        // not issued by the pinned authority, another name, or out of date
    certificate_refused,  // the server doesn't accept our certificate, or wants one
    tls_failed,           // no TLS spoken there, or broken off
    timeout,
    too_large,     // more than response_bytes_max, or a line over line_bytes_max
    bad_response,  // not HTTP/1.1
    closed_early,  // the server went in the middle of its answer
    cancelled,
};
std::string_view to_text(Fault fault) noexcept;  // "tls_untrusted"

struct Options {
    std::string base_url = {};  // "https://host[:port][/prefix]"
    std::string ca_pem = {};    // the only authorities trusted
    /// Instead of ca_pem, for pairing: SHA-256 of the DER of the authority's certificate, which the
    /// server must present in its chain.
    std::optional<Digest> pin_sha256 = {};
    std::string certificate_pem = {};  // our own, with its key; both or none
    std::string private_key_pem = {};
    std::string server_name =
        {};  // the name or address its certificate must bear; empty: the URL's
    bool ignore_certificate_dates = false;  // the clock is unset

    using ms = std::chrono::milliseconds;
    ms connect_timeout{10'000};  // resolve, connect, handshake
    ms request_timeout{30'000};  // then until the whole answer is there (streams: its header)
    ms silence_timeout{60'000};  // streams: longest pause; the server pings every 15 s
    std::uint64_t response_bytes_max = 16ULL * 1024 * 1024;
    std::size_t line_bytes_max = 1024 * 1024;
};

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Request {
    std::string method = "GET";
    std::string target = "/";  // path and query, percent-encoded; the URL's prefix is put before it
    Fields headers = {};
    std::string body = {};  // sent with a Content-Length when not empty, and for POST, PUT, PATCH
    /// Instead of `body`, for what is too large to hold: fills a part of `room` from its beginning
    /// and says how much; 0 before all body_bytes were given ends the call with bad_request.
    using Source = std::function<std::size_t(std::span<char> room)>;
    Source source = {};
    std::uint64_t body_bytes = 0;
    /// Instead of Options::request_timeout; with a source it begins anew with every piece sent.
    std::optional<std::chrono::milliseconds> timeout = {};
};

struct Response {
    int status = 0;
    Fields headers;
    std::string body;
    /// The pinned authority that vouched for the server; after pairing by fingerprint this is what
    /// is kept as ca_pem. Empty over plain http.
    std::string authority_pem;

    /// The first field of that name, compared without regard to case.
    std::optional<std::string_view> header(std::string_view name) const noexcept;
};

/// One thread at a time, except cancel(). Each call opens its own connection.
class Client {
public:
    explicit Client(Options options);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Any status is a response; only what kept it from arriving whole is a fault.
    Result<Response, Fault> request(const Request& request);

    /// Gives each line of a 200 response, without its end of line, as it arrives; returns when
    /// `on_line` returns false or the server ends the stream. Any other status: as request().
    using OnLine = std::function<bool(std::string_view line)>;
    Result<Response, Fault> stream(const Request& request, const OnLine& on_line);

    /// The same with raw pieces, for bodies too large to hold; response_bytes_max doesn't apply.
    using OnPiece = std::function<bool(std::string_view piece)>;
    Result<Response, Fault> download(const Request& request, const OnPiece& on_piece);

    /// Ends the call in flight and all later ones with `cancelled`. Any thread.
    void cancel();

    /// More about the last fault, in words for people. Empty after a success.
    std::string explain() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pf::firmware::https
