#include "tests/integration/http/house.hpp"

#include <atomic>
#include <stdexcept>

#include "tests/integration/http/raw_client.hpp"

namespace pf::tests {
namespace {

using http::Method;
using http::Request;
using http::Responder;

http::Response text(std::string body) {
    return {200, {{"Content-Type", "text/plain"}}, std::move(body)};
}

/// Counts what comes; asks for the next piece from another thread.
class CountingSink final : public http::BodySink {
public:
    CountingSink(std::shared_ptr<Seen> seen, Responder respond)
        : seen_(std::move(seen)), respond_(std::move(respond)) {}
    ~CountingSink() override {
        for (auto& asker : askers_) asker.join();
    }

    void on_piece(std::string bytes, std::function<void()> more) override {
        {
            const std::lock_guard lock{seen_->mutex};
            seen_->uploaded += bytes.size();
            seen_->pieces_waiting_max =
                std::max(seen_->pieces_waiting_max, ++seen_->pieces_waiting);
        }
        askers_.emplace_back([seen = seen_, more = std::move(more)] {
            {
                const std::lock_guard lock{seen->mutex};
                --seen->pieces_waiting;
            }
            more();
        });
    }
    void on_end() override {
        const std::lock_guard lock{seen_->mutex};
        respond_(text(std::to_string(seen_->uploaded)));
    }
    void on_broken(http::BodyFault fault) override {
        const std::lock_guard lock{seen_->mutex};
        seen_->broken.push_back(fault);
    }

private:
    std::shared_ptr<Seen> seen_;
    Responder respond_;
    std::vector<std::thread> askers_;
};

/// Says no at the first piece and never asks for another.
class RefusingSink final : public http::BodySink {
public:
    RefusingSink(std::shared_ptr<Seen> seen, Responder respond)
        : seen_(std::move(seen)), respond_(std::move(respond)) {}
    void on_piece(std::string, std::function<void()>) override {
        respond_.refuse({.status = 422, .code = "bad_line"});
    }
    void on_end() override {}
    void on_broken(http::BodyFault fault) override {
        const std::lock_guard lock{seen_->mutex};
        seen_->broken.push_back(fault);
    }

private:
    std::shared_ptr<Seen> seen_;
    Responder respond_;
};

http::BodySource numbers(int last, http::Pulled::Next end) {
    return [n = 0, last, end]() mutable {
        http::Pulled piece;
        piece.bytes = std::to_string(++n) + "\n";
        if (n == last) piece.next = end;
        return piece;
    };
}

}  // namespace

House::House() : router(std::make_shared<http::Router>()) {
    auto& routes = *router;
    const auto seen = seen_;
    routes.add(Method::get, "/echo/{word}", [](const Request& request, const Responder& respond) {
        std::string told = request.parameter("word");
        for (const auto& [key, value] : request.query) told += ' ' + key + '=' + value;
        respond(text(told + ' ' + request.peer_address));
    });
    routes.add(Method::post, "/echo", [](Request request, const Responder& respond) {
        respond(text(std::move(request.body)));
    });
    routes.add({.method = Method::post,
                .path = "/small",
                .handler = [](const Request&, const Responder& respond) { respond(text("ok")); },
                .body_bytes_max = 8});
    routes.add(Method::get, "/later", [this](const Request&, Responder respond) {
        helpers_.emplace_back([respond = std::move(respond)] { respond(text("later")); });
    });
    routes.add(Method::get, "/nothing", [](const Request&, const Responder&) {});
    routes.add(Method::get, "/throws", [](const Request&, const Responder&) {
        throw std::runtime_error("a handler's bug");
    });
    routes.add(Method::get, "/empty",
               [](const Request&, const Responder& respond) { respond({.status = 204}); });
    routes.add(Method::get, "/kept", [seen](const Request&, Responder respond) {
        const std::lock_guard lock{seen->mutex};
        seen->kept.push_back(std::move(respond));
    });
    routes.add(Method::get, "/who", [](const Request& request, const Responder& respond) {
        respond(text(request.listener + ' ' + request.client_certificate_pem.value_or("nobody")));
    });
    add_large_routes();
    options.listeners.push_back({.name = "main", .router = router});
    options.timeouts.linger = http::Timeouts::ms{200};  // some of our clients never say goodbye
    options.on_access = [seen](const http::Access& access) {
        const std::lock_guard lock{seen->mutex};
        seen->accesses.push_back(access);
    };
    options.on_bug = [seen](std::string_view what) {
        const std::lock_guard lock{seen->mutex};
        seen->bugs.emplace_back(what);
    };
}

void House::add_large_routes() {
    auto& routes = *router;
    const auto seen = seen_;
    routes.add({.method = Method::post,
                .path = "/upload",
                .upload = [seen](const Request&, Responder respond) {
                    return std::make_unique<CountingSink>(seen, std::move(respond));
                }});
    routes.add(
        {.method = Method::post,
         .path = "/upload/refused",
         .upload = [](const Request&, const Responder& respond) -> std::unique_ptr<http::BodySink> {
             respond.refuse({.status = 403, .code = "scope_missing"});
             return nullptr;
         }});
    routes.add({.method = Method::post,
                .path = "/upload/bad",
                .upload = [seen](const Request&, Responder respond) {
                    return std::make_unique<RefusingSink>(seen, std::move(respond));
                }});
    routes.add(Method::get, "/numbers", [](const Request&, const Responder& respond) {
        respond.pull({200, {}, ""}, numbers(1000, http::Pulled::Next::end));
    });
    routes.add(Method::get, "/numbers/broken", [](const Request&, const Responder& respond) {
        respond.pull({200, {}, ""}, numbers(10, http::Pulled::Next::broken));
    });
    routes.add(Method::get, "/numbers/endless", [](const Request&, const Responder& respond) {
        respond.pull({200, {}, ""}, [] { return http::Pulled{std::string(65536, 'x')}; });
    });
    routes.add(Method::get, "/follow", [seen](const Request&, const Responder& respond) {
        auto writer = respond.stream({200, {{"Content-Type", "text/event-stream"}}, ": hello\n\n"});
        const std::lock_guard lock{seen->mutex};
        seen->streams.push_back(std::move(writer));
    });
}

House::~House() {
    close();
    for (auto& helper : helpers_) helper.join();
}

void House::open() {
    server_ = std::make_unique<http::Server>(options);
    auto started = server_->start();
    if (started.has_error()) throw std::runtime_error(started.error().message);
    endpoints_ = std::move(*started);
}

void House::close() { server_.reset(); }

http::StreamWriter House::stream() {
    http::StreamWriter last;
    eventually([&] {
        const std::lock_guard lock{seen_->mutex};
        if (seen_->streams.empty()) return false;
        last = seen_->streams.back();
        seen_->streams.clear();
        return true;
    });
    return last;
}

http::Responder House::kept() {
    http::Responder last;
    eventually([&] {
        const std::lock_guard lock{seen_->mutex};
        if (seen_->kept.empty()) return false;
        last = seen_->kept.back();
        seen_->kept.clear();
        return true;
    });
    return last;
}

std::vector<http::BodyFault> House::broken() {
    const std::lock_guard lock{seen_->mutex};
    return seen_->broken;
}

std::vector<http::Access> House::accesses(std::size_t at_least) {
    std::vector<http::Access> all;
    eventually([&] {
        const std::lock_guard lock{seen_->mutex};
        all = seen_->accesses;
        return all.size() >= at_least;
    });
    return all;
}

bool House::all_gone() {
    return eventually([this] { return server_->connections() == 0; });
}

std::string request(std::string_view line, std::string_view fields, std::string_view body) {
    std::string out{line};
    out += " HTTP/1.1\r\nHost: localhost\r\n";
    out += fields;
    if (!body.empty()) out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return out.append("\r\n").append(body);
}

}  // namespace pf::tests
