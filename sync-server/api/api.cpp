#include "sync-server/api/api.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/crypto/crypto.hpp"
#include "sync-server/api/answer.hpp"
#include "sync-server/api/follow.hpp"
#include "sync-server/api/kept.hpp"
#include "sync-server/api/route.hpp"

namespace pf::server::api {
namespace {

constexpr std::uint64_t body_bytes_max = 1024 * 1024;
constexpr std::uint32_t retry_after_s = 1;
/// Audit rows of refused acts by people without a key (a pairing code that is none): at most so
/// many in a span. Far above what pairing by hand makes.
constexpr std::size_t outsider_rows_max = 60;
constexpr Millis outsider_span_ms{60LL * 60 * 1000};

/// What repeating the request would do: nothing was done, or nobody knows, or it breaks off again.
std::string_view advice(store::Fault fault, int status) {
    if (fault == store::Fault::uncertain)
        return "whether it was done is not known; ask again, with the same Idempotency-Key if it "
               "was an act";
    if (status == 500) return "nothing was done, and asking again will not help: see the log";
    return "nothing was done; ask again, with the same Idempotency-Key if it was an act";
}

http::Response store_response(store::Fault fault) {
    const int status = status_of(fault);
    auto response =
        http::to_response(problem_of(status, code_of(fault), std::string{advice(fault, status)}));
    if (status != 500) response.headers.add("Retry-After", std::to_string(retry_after_s));
    return response;
}

std::string bearer(const http::Request& request) {
    const auto field = request.headers.find("Authorization");
    constexpr std::string_view scheme = "Bearer ";
    if (!field || !field->starts_with(scheme)) return {};
    return std::string{field->substr(scheme.size())};
}

std::string named_in_path(const http::Request& request) {
    std::string out;
    for (const auto& [name, value] : request.parameters)
        out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, value);
    return out;
}

/// Who asks, once the door has let them pass.
struct Guest {
    std::string actor;  // of the Call and the audit
    std::string id;     // whose Idempotency-Key it is
};

}  // namespace

class Api::Impl : public std::enable_shared_from_this<Impl> {
public:
    explicit Impl(Backend& backend) : backend_{backend}, followers_{backend} {}

    void add_routes(http::Router& router, bool renewal);
    void log_moved();
    void end() { followers_.end(); }

private:
    using Answer = std::function<void(http::Response)>;

    std::variant<http::Problem, Guest> pass(const Endpoint& endpoint, const http::Request& request);
    std::variant<http::Problem, Guest> pass_key(const Endpoint& endpoint,
                                                const http::Request& request);
    void handle(const Endpoint& endpoint, http::Request request, http::Responder responder);
    void read(const Guest& guest, const Read& question, const http::Responder& responder);
    void write(const Endpoint& endpoint, const Guest& guest, const http::Request& request,
               const Digest& fingerprint, Write act, http::Responder responder);
    void audit_refusal(access::Audit audit, std::function<void()> then);
    bool worth_a_row(const Endpoint& endpoint, WallTime now, access::Audit& audit);
    std::unique_ptr<http::BodySink> upload(const Endpoint& endpoint, http::Request request,
                                           http::Responder responder);
    void follow(const Guest& guest, const http::Request& request, http::Responder responder);

    /// Refused acts of people without a key, since when: see outsider_rows_max.
    struct Outsiders {
        WallTime since{};
        std::size_t rows = 0;
    };

    /// An act under way.
    struct Acting {
        Write act;
        access::Audit audit;
        std::optional<access::Question> question;
        Reply reply;
        bool replayed = false;
        WallTime at{};
    };
    void answer_act(const Endpoint& endpoint, const std::shared_ptr<Acting>& state,
                    const http::Responder& responder, std::optional<store::Fault> fault);

    class Sink;
    Backend& backend_;
    Followers followers_;   // posted tasks only
    bool feeding_ = false;  // posted tasks only
    Outsiders outsiders_;   // where acts are answered: the backend's one executor
};

namespace {

std::string action_of(const Endpoint& endpoint) {
    return fmt::format("{} {}", http::to_text(endpoint.method), endpoint.path);
}

http::Response unauthenticated(http::Problem problem) {
    auto response = http::to_response(problem);
    response.headers.add("WWW-Authenticate", "Bearer realm=\"paifang\"");
    return response;
}

}  // namespace

// --- the door
// ----------------------------------------------------------------------------------------

std::variant<http::Problem, Guest> Api::Impl::pass_key(const Endpoint& endpoint,
                                                       const http::Request& request) {
    const std::string text = bearer(request);
    if (text.empty())
        return problem_of(401, "key_missing", "send a key: Authorization: Bearer pfk_…");
    std::optional<Result<access::Key, access::Refusal>> known;
    const auto fault = backend_.read(
        "door", [&](Repositories& r, const Call&) { known = access::authenticate(r, text); });
    if (fault) return problem_of(status_of(*fault), code_of(*fault));
    if (known->has_error()) return problem_of(known->error());
    const access::Key& key = **known;
    const access::Permission needed = endpoint.door.permission();
    if (key.permissions.has(needed)) return Guest{key.name, key.id};
    const bool act = !std::holds_alternative<ReadRoute>(endpoint.run);
    if (act)
        audit_refusal({.actor = key.name,
                       .action = action_of(endpoint),
                       .target = named_in_path(request),
                       .outcome = "permission_missing",
                       .request_id = request.request_id},
                      {});
    return problem_of(403, "permission_missing",
                      fmt::format("this needs the permission {}", access::to_text(needed)));
}

std::variant<http::Problem, Guest> Api::Impl::pass(const Endpoint& endpoint,
                                                   const http::Request& request) {
    switch (endpoint.door.kind()) {
        case Door::Kind::key:
            return pass_key(endpoint, request);
        case Door::Kind::open:
            return Guest{"anybody", "anybody"};
        case Door::Kind::pairing_code: {
            // Kept answers hold the certificate; only who knows the same body may have it again.
            const Digest body = crypto::sha256(as_bytes(request.body));
            return Guest{"pairing", "pairing/" + to_hex(body)};
        }
        case Door::Kind::client_certificate:
            if (!request.client_certificate_pem)
                return problem_of(401, "certificate_missing",
                                  "this listener knows its callers by their certificates");
            return Guest{
                "renewal",
                "renewal/" + to_hex(crypto::sha256(as_bytes(*request.client_certificate_pem)))};
    }
    std::abort();
}

// --- reading and writing
// -----------------------------------------------------------------------------

void Api::Impl::read(const Guest& guest, const Read& question, const http::Responder& responder) {
    http::Response response;
    const auto fault = backend_.read(guest.actor, [&](Repositories& r, const Call& call) {
        response = question(Context{r, call, backend_.keys(), backend_});
    });
    responder(fault ? store_response(*fault) : std::move(response));
}

void Api::Impl::audit_refusal(access::Audit audit, std::function<void()> then) {
    auto kept = std::make_shared<access::Audit>(std::move(audit));
    backend_.call(
        kept->actor,
        [kept](Repositories& r, const Call& call) -> std::optional<Committed> {
            access::record(r, call, *kept);
            return Committed{};
        },
        // A refusal is answered even when its audit row could not be kept: nothing was done.
        [then = std::move(then)](std::optional<store::Fault>) {
            if (then) then();
        });
}

/// Whoever has no key may try as often as they like, but not fill the audit with it: an hour has
/// outsider_rows_max rows of them, the last of which says that there were more.
bool Api::Impl::worth_a_row(const Endpoint& endpoint, WallTime now, access::Audit& audit) {
    if (endpoint.door.kind() == Door::Kind::key) return true;
    if (now < outsiders_.since || now - outsiders_.since >= outsider_span_ms)
        outsiders_ = {.since = now, .rows = 0};
    if (outsiders_.rows >= outsider_rows_max) return false;
    if (++outsiders_.rows == outsider_rows_max) audit.outcome = "too_many_refused";
    return true;
}

void Api::Impl::write(const Endpoint& endpoint, const Guest& guest, const http::Request& request,
                      const Digest& fingerprint, Write act, http::Responder responder) {
    auto state = std::make_shared<Acting>();
    state->act = std::move(act);
    state->audit = {.actor = guest.actor,
                    .action = action_of(endpoint),
                    .target = named_in_path(request),
                    .outcome = {},
                    .request_id = request.request_id};
    const auto key = request.headers.find("Idempotency-Key");
    // A look is looked at every time, and every time it is written down.
    if (key && !std::holds_alternative<LookRoute>(endpoint.run)) {
        if (!kept_key_ok(*key))
            return void(responder.refuse(problem_of(
                400, "idempotency_key_bad", "1 to 128 printable characters without blanks")));
        state->question = access::Question{guest.id, std::string{*key}, fingerprint};
    }
    backend_.call(
        guest.actor,
        [this, state](Repositories& r, const Call& call) -> std::optional<Committed> {
            const fleet::Keys& keys = backend_.keys();
            state->replayed = false;
            state->at = call.now;
            if (state->question) {
                const auto before = access::answered(r, call, keys.master, *state->question);
                if (before.has_error()) {
                    state->reply =
                        refuse(problem_of(422, access::to_text(before.error()),
                                          "this Idempotency-Key was used for another request"));
                    return std::nullopt;
                }
                if (*before) {
                    state->replayed = true;
                    state->reply = Reply{.response = response_from_kept(**before)};
                    return std::nullopt;
                }
            }
            state->reply = state->act(Context{r, call, keys, backend_});
            if (!state->reply.refused.empty()) return std::nullopt;
            access::Audit audit = state->audit;
            if (!state->reply.target.empty()) audit.target = state->reply.target;
            audit.outcome = "done";
            access::record(r, call, audit);
            if (state->question)
                access::remember(r, call, keys.master, *state->question,
                                 to_kept(state->reply.response));
            // Into the copy: what the state itself held would keep it alive for good.
            Committed committed = state->reply.committed;
            if (state->reply.status_if_pending != 0)
                committed.broker_told = [state](bool taken) {
                    if (!taken) state->reply.response.status = state->reply.status_if_pending;
                };
            return committed;
        },
        [self = shared_from_this(), &endpoint, state,
         responder](std::optional<store::Fault> fault) {
            self->answer_act(endpoint, state, responder, fault);
        });
}

void Api::Impl::answer_act(const Endpoint& endpoint, const std::shared_ptr<Acting>& state,
                           const http::Responder& responder, std::optional<store::Fault> fault) {
    if (fault) return void(responder(store_response(*fault)));
    // Who follows under a key that was just revoked is shown out at once.
    if (state->reply.keys_changed)
        backend_.post([self = shared_from_this()] { self->log_moved(); });
    access::Audit audit = state->audit;
    audit.outcome = state->reply.refused;
    const bool refused = !state->replayed && !state->reply.refused.empty();
    if (!refused || !worth_a_row(endpoint, state->at, audit))
        return void(responder(std::move(state->reply.response)));
    audit_refusal(std::move(audit),
                  [state, responder] { responder(std::move(state->reply.response)); });
}

void Api::Impl::handle(const Endpoint& endpoint, http::Request request, http::Responder responder) {
    auto passed = pass(endpoint, request);
    if (const auto* problem = std::get_if<http::Problem>(&passed)) {
        if (problem->status == 401) return void(responder(unauthenticated(*problem)));
        return void(responder.refuse(*problem));
    }
    const Guest& guest = std::get<Guest>(passed);
    if (const auto* route = std::get_if<ReadRoute>(&endpoint.run)) {
        auto prepared = (*route)(request);
        if (auto* problem = std::get_if<http::Problem>(&prepared))
            return void(responder.refuse(std::move(*problem)));
        return read(guest, std::get<Read>(prepared), responder);
    }
    const auto* look = std::get_if<LookRoute>(&endpoint.run);
    const auto* act = std::get_if<WriteRoute>(&endpoint.run);
    if (look != nullptr || act != nullptr) {
        auto prepared = look != nullptr ? look->look(request) : (*act)(request);
        if (auto* problem = std::get_if<http::Problem>(&prepared))
            return void(responder.refuse(std::move(*problem)));
        const Digest fingerprint = fingerprint_of(request, crypto::sha256(as_bytes(request.body)));
        return write(endpoint, guest, request, fingerprint, std::get<Write>(std::move(prepared)),
                     std::move(responder));
    }
    if (const auto* route = std::get_if<FollowRoute>(&endpoint.run)) {
        if (wants_stream(request)) return follow(guest, request, std::move(responder));
        auto prepared = route->page(request);
        if (auto* problem = std::get_if<http::Problem>(&prepared))
            return void(responder.refuse(std::move(*problem)));
        return read(guest, std::get<Read>(prepared), responder);
    }
}

// --- uploads
// ------------------------------------------------------------------------------------------

class Api::Impl::Sink final : public http::BodySink {
public:
    Sink(std::shared_ptr<Impl> api, const Endpoint& endpoint, Guest guest, http::Request request,
         http::Responder responder, std::unique_ptr<Upload> upload)
        : api_{std::move(api)},
          endpoint_{endpoint},
          guest_{std::move(guest)},
          request_{std::move(request)},
          responder_{std::move(responder)},
          upload_{std::move(upload)} {}

    void on_piece(std::string bytes, std::function<void()> more) override {
        hash_.update(as_bytes(bytes));
        upload_->feed(bytes);
        more();
    }
    void on_end() override {
        auto prepared = upload_->finish();
        if (auto* problem = std::get_if<http::Problem>(&prepared))
            return void(responder_.refuse(std::move(*problem)));
        api_->write(endpoint_, guest_, request_, fingerprint_of(request_, hash_.finish()),
                    std::get<Write>(std::move(prepared)), std::move(responder_));
    }
    void on_broken(http::BodyFault) override {}  // nothing was begun

private:
    std::shared_ptr<Impl> api_;
    const Endpoint& endpoint_;
    Guest guest_;
    http::Request request_;
    http::Responder responder_;
    std::unique_ptr<Upload> upload_;
    crypto::Sha256 hash_;
};

std::unique_ptr<http::BodySink> Api::Impl::upload(const Endpoint& endpoint, http::Request request,
                                                  http::Responder responder) {
    const auto& route = std::get<UploadRoute>(endpoint.run);
    auto passed = pass(endpoint, request);
    if (const auto* problem = std::get_if<http::Problem>(&passed)) {
        if (problem->status == 401)
            responder(unauthenticated(*problem));
        else
            responder.refuse(*problem);
        return nullptr;
    }
    const auto type = request.headers.find("Content-Type");
    if (!type || type->substr(0, type->find(';')) != route.content_type) {
        responder.refuse(problem_of(415, "media_type_unsupported",
                                    fmt::format("this route takes {}", route.content_type)));
        return nullptr;
    }
    auto begun = route.begin(request);
    if (auto* problem = std::get_if<http::Problem>(&begun)) {
        responder.refuse(std::move(*problem));
        return nullptr;
    }
    return std::make_unique<Sink>(shared_from_this(), endpoint, std::get<Guest>(std::move(passed)),
                                  std::move(request), std::move(responder),
                                  std::get<std::unique_ptr<Upload>>(std::move(begun)));
}

// --- following
// --------------------------------------------------------------------------------------

void Api::Impl::follow(const Guest& guest, const http::Request& request,
                       http::Responder responder) {
    auto from = follow_from(request);
    if (auto* problem = std::get_if<http::Problem>(&from))
        return void(responder.refuse(std::move(*problem)));
    const auto position = std::get<std::uint64_t>(from);
    backend_.post([self = shared_from_this(), key = guest.id, position, responder] {
        if (self->followers_.full())
            return void(responder.refuse(
                problem_of(503, "followers_full", "too many follow the sync log already")));
        http::Response head;
        head.headers.add("Content-Type", "text/event-stream");
        head.headers.add("Cache-Control", "no-store");
        self->followers_.add(key, position, responder.stream(std::move(head)));
        self->log_moved();
    });
}

void Api::Impl::log_moved() {
    if (feeding_ || !followers_.feed()) return;
    // Whoever is far behind gets page after page, with other tasks in between.
    feeding_ = true;
    backend_.post([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->feeding_ = false;
        self->log_moved();
    });
}

// --- the table
// -------------------------------------------------------------------------------------

void Api::Impl::add_routes(http::Router& router, bool renewal) {
    for (const Endpoint& endpoint : endpoints()) {
        const bool by_certificate = endpoint.door.kind() == Door::Kind::client_certificate;
        if (by_certificate != renewal) continue;
        http::Route route{.method = endpoint.method, .path = std::string{endpoint.path}};
        const auto self = shared_from_this();
        if (const auto* upload_route = std::get_if<UploadRoute>(&endpoint.run)) {
            route.body_bytes_max = upload_route->bytes_max;
            route.upload = [self, &endpoint](http::Request request, http::Responder responder) {
                return self->upload(endpoint, std::move(request), std::move(responder));
            };
        } else {
            route.body_bytes_max = body_bytes_max;
            route.handler = [self, &endpoint](http::Request request, http::Responder responder) {
                self->handle(endpoint, std::move(request), std::move(responder));
            };
        }
        router.add(std::move(route));
    }
}

Api::Api(Backend& backend) : impl_{std::make_shared<Impl>(backend)} {}
Api::~Api() = default;

std::shared_ptr<const http::Router> Api::main_router() const {
    auto router = std::make_shared<http::Router>();
    impl_->add_routes(*router, false);
    return router;
}

std::shared_ptr<const http::Router> Api::renewal_router() const {
    auto router = std::make_shared<http::Router>();
    impl_->add_routes(*router, true);
    return router;
}

void Api::log_moved() { impl_->log_moved(); }
void Api::end() { impl_->end(); }

std::vector<std::string> Api::route_list() {
    std::vector<std::string> out;
    for (const Endpoint& endpoint : endpoints()) out.push_back(action_of(endpoint));
    return out;
}

}  // namespace pf::server::api
