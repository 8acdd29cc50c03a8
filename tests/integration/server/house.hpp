#pragma once
// A running paifang-server with a data directory of its own, and who talks to it.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "common/crypto/x509.hpp"
#include "common/wire/messages.hpp"
#include "firmware/https/client.hpp"
#include "tests/support/database/database.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/mqtt/listener.hpp"
#include "tests/support/mqtt/loop.hpp"
#include "tests/support/temp_dir.hpp"

namespace pf::tests {

using Json = nlohmann::json;

/// Until the condition holds, at most that long.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds patience = std::chrono::seconds{60});

/// One run of a program: started, waited for, ended with the object.
class Process {
public:
    /// What it says on standard error and output goes to `log`.
    Process(const std::vector<std::string>& command, const std::string& log);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    void signal(int number) const;
    /// Exit code, or 128 + signal; nothing when it still runs after that long.
    std::optional<int> wait(std::chrono::milliseconds patience = std::chrono::seconds{60});

private:
    pid_t process_ = -1;
    std::optional<int> ended_;
};

struct Answer {
    int status = 0;
    Json json;
    std::string code;
    std::optional<std::string> etag;
};

class Server {
public:
    Server() : Server{std::make_shared<Database>()} {}
    /// One of several on that database.
    explicit Server(std::shared_ptr<Database> database) : database_{std::move(database)} {}

    void start();
    /// The keys of another server, as its administrator copies them.
    void take_keys_of(const Server& other) const;
    void signal(int number) const { process_->signal(number); }
    /// The exit code of the server that runs, when it ends by itself.
    std::optional<int> ended() { return process_->wait(); }
    /// SIGTERM; the exit code.
    int stop();
    void kill();
    int port(const std::string& name) const { return ports_.at(name).get<int>(); }
    std::string url() const;
    std::string admin_key() const;
    std::string authority_pem() const;
    std::string data() const { return folder_ / "data"; }
    std::string log() const;
    std::string config_file();
    /// Lines for [broker] in the place of "port = 0", and for [lists].
    std::string broker_settings = "port = 0";
    std::string list_settings;
    /// Another run of the program with this server's settings; its exit code, and what it said.
    struct Ran {
        int code = -1;
        std::string said;
    };
    Ran run(const std::vector<std::string>& arguments);

    firmware::https::Options options() const;
    Answer ask(const std::string& method, const std::string& path, const std::string& body = {},
               firmware::https::Fields headers = {}, const std::string& type = "application/json");
    Answer get(const std::string& path) { return ask("GET", path); }
    Answer post(const std::string& path, const Json& body = Json::object()) {
        return ask("POST", path, body.dump());
    }
    /// A site with a point and a product.
    void furnish();
    std::string invite(const std::string& id);

    std::string file(const std::string& name) const { return folder_ / name; }

private:
    TempDir folder_;
    std::shared_ptr<Database> database_;  // on PostgreSQL: the server's
    std::unique_ptr<Process> process_;
    Json ports_;
};

/// A broker of somebody else's, and its administrator: copies the rules, tells it to read them.
struct Elsewhere {
    explicit Elsewhere(Server& of) : server{of} {}

    void start(const std::string& settings);
    void obey() const { process->signal(SIGHUP); }

    Server& server;
    std::unique_ptr<Process> process;
};

/// A furnished server that is told of an external broker, and the settings its kit gives for that.
std::string hand_out_kit(Server& server);

/// A board that has been paired, and its link.
class Board {
public:
    explicit Board(std::uint64_t seed) : entropy_{std::make_shared<SeededEntropy>(seed)} {}

    /// Knows the server by the fingerprint of its code alone, as a new board does.
    Answer claim(const Server& server, const std::string& code);
    Answer renew();
    void connect(Loop& loop, std::vector<std::string> subscriptions = {});
    void disconnect() { link_.reset(); }
    mqtt::Link& link() { return *link_; }
    Listener heard;

    std::string root;
    std::string certificate_pem;
    std::string renewal_url;
    std::string authority_pem;
    crypto::PrivateKey key() const { return *key_; }

    wire::Birth birth(std::uint64_t counter) const;
    /// Signed, from genesis.
    wire::Batch batch(std::uint64_t events) const;

private:
    std::shared_ptr<SeededEntropy> entropy_;
    std::optional<crypto::PrivateKey> key_;
    std::string id_;
    std::string broker_host_;
    std::uint16_t broker_port_ = 0;
    std::unique_ptr<mqtt::Link> link_;
};

}  // namespace pf::tests
