#pragma once
// The running server: everything wired, from the open database to the last listener.
#include <memory>
#include <optional>
#include <string>

#include "sync-server/app/config.hpp"

namespace pf::server::app {

/// Exit codes of the program.
enum class Exit : int {
    ok = 0,
    failed = 1,         // while running, or something it could not start with
    usage = 2,          // command line or configuration
    in_use = 3,         // another server has this data directory
    data_unusable = 4,  // the directory, a key or the database can't be used
};
struct StartFailure {
    Exit exit = Exit::failed;
    std::string message;  // for people: what is wrong and what to do
};

class Program {
public:
    explicit Program(Config config);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    /// Opens, creates, listens. Nothing on success.
    std::optional<StartFailure> start();
    /// Serves until SIGTERM or SIGINT, then stops cleanly.
    Exit run();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pf::server::app
