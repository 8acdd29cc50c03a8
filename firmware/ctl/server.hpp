#pragma once
// The server's HTTP API as the commands use it: JSON in, JSON or a failure in words out.
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "firmware/ctl/exit.hpp"
#include "firmware/ctl/place.hpp"
#include "firmware/ctl/wire.hpp"

namespace pf::firmware::ctl {

/// Fields keep the order the server wrote them in.
using Json = nlohmann::ordered_json;

/// JSON converts to and from nearly everything, so a result of it is made by name.
inline Got<Json> got(Json json) { return {boost::system::in_place_value, std::move(json)}; }

class Server {
public:
    /// `idempotency_key` goes with every act: an act repeated with it is done once.
    Server(std::unique_ptr<Wire> wire, Place place, std::string idempotency_key);

    Got<Json> get(const std::string& target);
    Got<Json> post(const std::string& target, const Json& body = Json::object());
    Got<Json> upload(const std::string& target, const std::string& content_type,
                     std::string content);
    /// What is too large to hold, and takes the server its minutes.
    Got<Json> upload(const std::string& target, const std::string& content_type,
                     std::uint64_t bytes, https::Request::Source source);

    /// Every item of a list, page by page, until `each` says false or `items_max` were given.
    using Each = std::function<bool(const Json& item)>;
    Got<std::uint64_t> list(const std::string& target, std::uint64_t items_max, const Each& each);

    /// Each `data:` of a stream of server-sent events, until `each` says false.
    Got<std::uint64_t> follow(const std::string& target, const Each& each);

    const Place& place() const noexcept { return place_; }

private:
    https::Request request(std::string method, const std::string& target) const;
    https::Request act(const std::string& target, const std::string& content_type);
    Got<Json> send(const https::Request& request);
    Failure failure_of(https::Fault fault) const;

    std::unique_ptr<Wire> wire_;
    Place place_;
    std::string idempotency_key_;
    int acts_ = 0;  // several acts of one command must not share a key
};

/// One part of a path or a query, percent-encoded.
std::string encoded(std::string_view text);

/// What a refusing answer says, in words: the problem's detail and every field it names.
Failure failure_of_problem(int status, const std::string& body);

}  // namespace pf::firmware::ctl
