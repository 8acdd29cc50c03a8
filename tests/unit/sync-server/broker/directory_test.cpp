#include "sync-server/broker/directory.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "tests/support/temp_dir.hpp"

using namespace pf::server::broker;
using pf::tests::TempDir;

namespace {

unsigned mode_of(const std::string& path) {
    struct stat of {};
    REQUIRE(::stat(path.c_str(), &of) == 0);
    return of.st_mode & 07777U;
}

std::string read(const std::string& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

TEST_CASE("the directory and its files are the broker's alone") {
    const TempDir temp;
    const std::filesystem::path directory = temp.path() / "deep" / "broker";
    REQUIRE(prepare_directory(directory, std::nullopt));
    CHECK(mode_of(directory) == 0700);
    REQUIRE(write_file(directory, "key.pem", "one", std::nullopt));
    CHECK(mode_of(directory / "key.pem") == 0600);
    REQUIRE(write_file(directory, "key.pem", "two", std::nullopt));
    CHECK(read(directory / "key.pem") == "two");
    CHECK(std::distance(std::filesystem::directory_iterator{directory}, {}) == 1);
}

TEST_CASE("an existing directory is closed") {
    const TempDir temp;
    const std::string directory = temp / "broker";
    REQUIRE(::mkdir(directory.c_str(), 0755) == 0);
    REQUIRE(prepare_directory(directory, std::nullopt));
    CHECK(mode_of(directory) == 0700);
}

TEST_CASE("what can't be written is told") {
    const TempDir temp;
    CHECK_FALSE(write_file(temp.path() / "missing", "key.pem", "one", std::nullopt));
    std::ofstream{temp / "file"} << "in the way";
    CHECK_FALSE(prepare_directory(temp.path() / "file" / "broker", std::nullopt));
}

TEST_CASE("another user is chosen only when he can get there") {
    const TempDir temp;  // closed to everyone but its owner
    CHECK_FALSE(account_for(temp.path() / "broker", "nobody").has_value());
    CHECK_FALSE(account_for("/paifang-test-nowhere/broker", "root").has_value());
    // On some machines only root gets past the root folder.
    struct stat root {};
    REQUIRE(::stat("/", &root) == 0);
    const bool passes = ::geteuid() == 0 && (root.st_mode & S_IXOTH) != 0;
    CHECK(account_for("/paifang-broker", "nobody").has_value() == passes);
    CHECK_FALSE(account_for("/paifang-broker", "no such user").has_value());
}

TEST_CASE("a free port is found on loopback, and none on an address of somebody else") {
    CHECK(free_port("127.0.0.1").value_or(0) >= 1024);
    CHECK_FALSE(free_port("192.0.2.1").has_value());
    CHECK_FALSE(free_port("not an address").has_value());
}
