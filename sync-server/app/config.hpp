#pragma once
// What an administrator may set. docs/server.toml.example names every key; a test holds the two
// together.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sync-server/app/log.hpp"
#include "sync-server/orders/orders.hpp"

namespace pf::server::app {

struct Config {
    std::filesystem::path data;      // everything the server keeps
    std::string host = "localhost";  // name or address under which devices reach this server
    std::vector<std::string> names;  // further names and addresses for its certificates

    struct Database {
        std::string url;      // postgresql://…; empty: the file server.db in `data`
        bool prepare = true;  // false behind a PgBouncer that pools transactions
    } database;
    struct Http {
        std::string address = "127.0.0.1";
        std::uint16_t port = 8443;  // 0: the kernel chooses; ports.json says which
        bool tls = true;
        std::filesystem::path certificate;  // empty: issued by our own authority
        std::filesystem::path key;
        std::uint32_t threads = 2;
    } http;
    struct Renewal {
        std::string address = "127.0.0.1";
        std::uint16_t port = 8444;
    } renewal;
    struct Broker {
        bool managed = true;
        std::string address = "127.0.0.1";
        std::uint16_t port = 8883;
        std::string program = "/usr/sbin/mosquitto";
        std::string user = "mosquitto";
        std::string host;  // external: where it is; managed: not used
        // external: whom its certificate must come from, and with what we log in; empty: our own
        // authority, and a certificate of it.
        std::filesystem::path authority;
        std::filesystem::path certificate;
        std::filesystem::path key;
        bool version_3_1_1 = false;
    } broker;
    struct Lists {
        int horizon_days = orders::horizon_days_default;  // how long before its first day a ticket
                                                          // is on a list
    } lists;
    struct LogTo {
        LogLevel level = LogLevel::info;
        LogFormat format = LogFormat::text;
    } log;
};

struct ConfigError {
    std::uint32_t line = 0;  // 0: of the whole file
    std::string message;     // for people
};

/// `text` is the file; every key it has must be known and in range.
std::variant<Config, ConfigError> read_config(std::string_view text);
/// Every key read_config knows, "http.port" and so on.
std::vector<std::string> config_keys();

}  // namespace pf::server::app
