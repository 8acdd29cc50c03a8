#pragma once
// Routes as data: which method and path goes to which handler.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sync-server/http/responder.hpp"

namespace pf::server::http {

struct Route {
    Method method = Method::get;
    std::string path;  // "/v1/tickets/{id}"; a parameter is a whole segment, never empty
    Handler handler = {};
    UploadHandler upload = {};         // instead of `handler`: the body is streamed
    std::uint64_t body_bytes_max = 0;  // 0: Limits::body_bytes_max or upload_bytes_max
};

class Router {
public:
    /// Registers a route. A pattern that is malformed or registered twice for one method, or a
    /// route without exactly one handler, is a bug and aborts.
    void add(Route route);
    void add(Method method, std::string path, Handler handler);

    const std::vector<Route>& routes() const noexcept { return routes_; }

    struct Found {
        const Route* route;
        std::map<std::string, std::string, std::less<>> parameters;
    };
    struct NotFound {};
    struct BadPath {};  // percent-encoding that decodes to nothing printable
    struct OtherMethods {
        std::string allow;  // value of the Allow field: "GET, HEAD, OPTIONS"
    };
    using Match = std::variant<Found, NotFound, BadPath, OtherMethods>;

    /// `path` as sent, without query. A literal segment beats a parameter; HEAD falls back to GET.
    Match find(Method method, std::string_view path) const;

private:
    struct Pattern {
        std::vector<std::string> segments;  // "{name}" kept with its braces
    };
    std::vector<Route> routes_;
    std::vector<Pattern> patterns_;
};

}  // namespace pf::server::http
