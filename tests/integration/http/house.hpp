#pragma once
// A server with a route for every way of answering, and what its handlers were given.
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sync-server/http/server.hpp"

namespace pf::tests {

namespace http = pf::server::http;

struct Seen {
    std::mutex mutex;
    std::vector<http::Access> accesses;
    std::vector<std::string> bugs;
    std::vector<http::Responder> kept;  // GET /kept leaves its responder here
    std::vector<http::StreamWriter> streams;
    std::vector<http::BodyFault> broken;
    std::uint64_t uploaded = 0;
    std::size_t pieces_waiting_max = 0;
    std::size_t pieces_waiting = 0;
};

class House {
public:
    House();
    ~House();
    House(const House&) = delete;
    House& operator=(const House&) = delete;

    http::ServerOptions options;  // to be changed before open()
    std::shared_ptr<http::Router> router;

    void open();
    void close();
    std::uint16_t port(std::size_t listener = 0) const { return endpoints_.at(listener).port; }
    http::Server& server() { return *server_; }
    Seen& seen() { return *seen_; }

    http::StreamWriter stream();  // the last one asked for; waits for it
    http::Responder kept();       // likewise
    std::vector<http::BodyFault> broken();
    std::vector<http::Access> accesses(std::size_t at_least);
    bool all_gone();

private:
    void add_large_routes();
    std::shared_ptr<Seen> seen_ = std::make_shared<Seen>();
    std::unique_ptr<http::Server> server_;
    std::vector<http::Endpoint> endpoints_;
    std::vector<std::thread> helpers_;
};

/// "GET /x HTTP/1.1" with a host and these further lines ("A: b\r\n").
std::string request(std::string_view line, std::string_view fields = "",
                    std::string_view body = "");

}  // namespace pf::tests
