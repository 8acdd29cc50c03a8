#pragma once
// What a handler is given and what it gives back. Plain values: no library type of the transport
// shows here, so the api rooms can be tested without a socket.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pf::server::http {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options };

std::string_view to_text(Method method) noexcept;                    // "GET", "DELETE", …
std::optional<Method> method_from(std::string_view token) noexcept;  // case matters (RFC 9110)

/// Header fields in the order they were added. Names compare without regard to case.
class Headers {
public:
    using Field = std::pair<std::string, std::string>;

    Headers() = default;
    Headers(std::initializer_list<Field> fields) : fields_(fields) {}

    /// The first field of that name.
    std::optional<std::string_view> find(std::string_view name) const noexcept;
    bool has(std::string_view name) const noexcept { return find(name).has_value(); }
    std::size_t count(std::string_view name) const noexcept;

    void add(std::string name, std::string value);
    /// Replaces every field of that name by this one.
    void set(std::string name, std::string value);
    void erase(std::string_view name);

    const std::vector<Field>& all() const noexcept { return fields_; }

private:
    std::vector<Field> fields_;
};

struct Request {
    Method method = Method::get;
    std::string path;                                            // as sent, without the query
    std::string route;                                           // the pattern that matched
    std::map<std::string, std::string, std::less<>> query;       // percent-decoded, each key once
    std::map<std::string, std::string, std::less<>> parameters;  // of the path, percent-decoded
    Headers headers;
    std::string body;          // whole; empty for upload routes, whose sink gets it
    std::string peer_address;  // "127.0.0.1", without the port
    std::string listener;      // name of the listener it came in by
    std::string request_id;    // the client's own when it sent a usable X-Request-Id
    /// The client certificate, already verified against the listener's client CA. On a listener
    /// that accepts expired ones its dates are the handler's business.
    std::optional<std::string> client_certificate_pem;

    /// A path parameter of the matched route. Asking for one the pattern doesn't have is a bug.
    const std::string& parameter(std::string_view name) const;
    std::optional<std::string_view> query_value(std::string_view name) const noexcept;
};

struct Response {
    int status = 200;
    Headers headers = {};   // Content-Length, Connection and X-Request-Id are the server's to set
    std::string body = {};  // never sent for HEAD, 204 and 304
};

/// 200 with `Content-Type: application/json`.
Response json_response(std::string body, int status = 200);

}  // namespace pf::server::http
