#pragma once
// Routes as data: who may, how it runs, what it does. A route without a door does not compile.
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "sync-server/access/access.hpp"
#include "sync-server/api/backend.hpp"
#include "sync-server/http/message.hpp"
#include "sync-server/http/problem.hpp"

namespace pf::server::api {

/// Who may pass. There is no default: leaving it out of a route is a compile error.
class Door {
public:
    enum class Kind : std::uint8_t {
        key,                 // a key with `permission`
        open,                // nobody in particular: says nothing that is not public
        pairing_code,        // the code in the body is the credential
        client_certificate,  // the certificate of the connection is; on the renewal listener alone
    };
    static constexpr Door open() { return Door{Kind::open}; }
    static constexpr Door pairing_code() { return Door{Kind::pairing_code}; }
    static constexpr Door client_certificate() { return Door{Kind::client_certificate}; }
    constexpr Door(access::Permission permission) : kind_{Kind::key}, permission_{permission} {}

    constexpr Kind kind() const { return kind_; }
    constexpr access::Permission permission() const { return permission_; }

private:
    explicit constexpr Door(Kind kind) : kind_{kind} {}
    Kind kind_;
    access::Permission permission_ = access::Permission::admin;
};

/// What an act or a question sees inside its transaction.
struct Context {
    Repositories& r;
    const Call& call;
    const fleet::Keys& keys;
    const Backend& backend;
};

/// What an act answers. A refusal (`refused`) undoes the transaction.
struct Reply {
    http::Response response;
    Committed committed = {};
    std::string target = {};   // for the audit: "ticket 00c0ffee…"
    std::string refused = {};  // code of the refusal; empty: done
    /// Status instead of the response's own when the broker has not taken the rules yet; 0: the
    /// same.
    int status_if_pending = 0;
    bool keys_changed = false;  // somebody may have lost the right to follow
};

using Read = std::function<http::Response(const Context&)>;
using Write = std::function<Reply(const Context&)>;
/// First the request is read completely, outside any transaction; what it asks for then runs in
/// one.
template <class Run>
using Prepared = std::variant<http::Problem, Run>;

using ReadRoute = Prepared<Read> (*)(const http::Request&);
using WriteRoute = Prepared<Write> (*)(const http::Request&);

/// A question whose answer is worth a row in the audit: it gives away what opens a gate, or finds a
/// person by a document.
struct LookRoute {
    WriteRoute look;
};

/// A body that is read in pieces.
class Upload {
public:
    virtual ~Upload() = default;
    virtual void feed(std::string_view piece) = 0;
    virtual Prepared<Write> finish() = 0;
};
struct UploadRoute {
    std::string_view content_type;
    std::uint64_t bytes_max;
    std::variant<http::Problem, std::unique_ptr<Upload>> (*begin)(const http::Request&);
};
/// Answers a page, or follows when the request asks for it (text/event-stream).
struct FollowRoute {
    ReadRoute page;
};

struct Endpoint {
    http::Method method;
    std::string_view path;
    Door door;
    std::variant<ReadRoute, WriteRoute, LookRoute, UploadRoute, FollowRoute> run;
};

/// Every route of the server, in the order of the OpenAPI document.
std::span<const Endpoint> endpoints();

}  // namespace pf::server::api
