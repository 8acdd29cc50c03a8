// The process: started, killed, started again, stopped, and never left behind.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iostream>

#include "tests/integration/broker/house.hpp"

using namespace pf;
using namespace pf::tests;
using server::broker::Broker;
using server::broker::Config;

namespace {

void no_log(std::string_view) {}

}  // namespace

TEST_CASE("killed, the broker is started again and the links come back") {
    House house;
    house.start();
    auto server = house.visit(server_id, {"pf/1/+/d/+/up/#"});
    auto gate = house.visit(gate_1, {root_1 + "dn/#"});
    const std::uint16_t port = house.broker->port();

    for (unsigned round = 1; round <= 2; ++round) {
        const pid_t killed = house.broker->health().process;
        REQUIRE(killed > 0);
        REQUIRE(::kill(killed, SIGKILL) == 0);
        REQUIRE(house.loop.run_until(
            [&] { return server->heard.ups == round + 1 && gate->heard.ups == round + 1; }));
        CHECK(house.broker->health().restarts == round);
        CHECK(house.broker->health().process != killed);
        CHECK(house.broker->port() == port);
        CHECK(house.fate(*server, root_1 + "dn/ack") == std::nullopt);
        CHECK(house.loop.run_until([&] { return gate->heard.count(root_1 + "dn/ack") == round; }));
    }
}

TEST_CASE("rules changed while the broker is down hold when it is back") {
    House house;
    house.start();
    REQUIRE(::kill(house.broker->health().process, SIGKILL) == 0);
    REQUIRE(house.loop.run_until([&] { return !house.broker->health().running; }));
    REQUIRE(house.broker->set_access(house.access({gate_2})).has_value());
    REQUIRE(house.broker->revoke({gate_1}, house.material(), house.access({gate_2})).has_value());
    CHECK(house.broker->health().running);
    auto gate = house.visit(gate_1, {});
    CHECK(house.fate(*gate, root_1 + "up/events") == mqtt::Fault::not_authorised);
}

TEST_CASE("a clean stop leaves no process, and a start after it works") {
    House house;
    house.start();
    auto gate = house.visit(gate_1, {});
    for (int i = 0; i < 2; ++i) {
        const pid_t process = house.broker->health().process;
        REQUIRE(user_of(process).has_value());
        house.broker->stop();
        house.broker->stop();
        CHECK_FALSE(user_of(process).has_value());
        CHECK_FALSE(house.broker->health().running);
        CHECK(house.broker->health().process == 0);
        CHECK(house.loop.run_until([&] { return !gate->link->up(); }));
        REQUIRE(house.broker->start().has_value());
        CHECK(house.loop.run_until([&] { return gate->link->up(); }));
    }
}

TEST_CASE("a broker that can't be started says why") {
    House house;
    Config config = house.config();
    config.start_ms_max = 700;
    const auto error_of = [](const Config& of) {
        Broker broker{of, no_log};
        return to_text(broker.start().error());
    };

    SUBCASE("no program") {
        config.program = house.directory / "mosquitto";
        CHECK(error_of(config) == "program_missing");
    }
    SUBCASE("no place") {
        std::ofstream{house.directory / "file"} << "in the way";
        config.directory = house.directory.path() / "file" / "broker";
        CHECK(error_of(config) == "directory_unusable");
    }
    SUBCASE("port taken") {
        house.start();
        config.directory = house.directory.path() / "second";
        config.port = house.broker->port();
        CHECK(error_of(config) == "not_answering");
    }
    SUBCASE("a key of somebody else") {
        config.material.key = house.authority.client("stranger").key_pem;
        CHECK(error_of(config) == "not_answering");
    }
    SUBCASE("never started") {
        Broker broker{config, no_log};
        CHECK(to_text(broker.set_access(config.access).error()) == "stopped");
        CHECK_FALSE(broker.health().running);
        broker.stop();
    }
}

TEST_CASE("the broker runs as a user of its own where that user can get") {
    if (::geteuid() != 0) return;  // nothing to give up
    struct stat root {};
    REQUIRE(::stat("/", &root) == 0);
    if ((root.st_mode & S_IXOTH) == 0) return;  // a machine where only root gets anywhere
    House open{true};
    open.start();
    CHECK_FALSE(open.broker->health().runs_as_root);
    const auto user = user_of(open.broker->health().process);
    REQUIRE(user.has_value());
    CHECK(*user != 0);
    // Its files are readable to it later too, not only while it started.
    auto gate = open.visit(gate_1, {});
    REQUIRE(open.broker->set_access(open.access({gate_2})).has_value());
    CHECK(open.fate(*gate, root_1 + "up/events") == mqtt::Fault::not_authorised);

    House closed;
    closed.start();
    CHECK(closed.broker->health().runs_as_root);
    CHECK(user_of(closed.broker->health().process) == 0U);
}

// Run as a process of its own by the next case.
TEST_CASE("helper: a server with a broker that waits to be killed" * doctest::skip()) {
    House house{true};
    house.start();
    std::ofstream{"/proc/self/fd/3"} << house.broker->health().process << std::endl;
    ::pause();
}

TEST_CASE("a server that is killed takes its broker with it") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], 3);
    std::string name = "/proc/self/exe";
    std::string filter = "-tc=helper: a server*";
    std::string all = "-ns";
    char* arguments[] = {name.data(), filter.data(), all.data(), nullptr};
    pid_t server = 0;
    REQUIRE(::posix_spawn(&server, name.c_str(), &actions, nullptr, arguments, environ) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    char text[32] = {};
    REQUIRE(::read(ends[0], text, sizeof(text) - 1) > 0);
    ::close(ends[0]);
    const pid_t broker = static_cast<pid_t>(std::stol(text));
    CHECK(user_of(broker).has_value());

    REQUIRE(::kill(server, SIGKILL) == 0);
    REQUIRE(::waitpid(server, nullptr, 0) == server);
    Loop loop;
    CHECK(loop.run_until([&] { return !user_of(broker).has_value(); }));
}
