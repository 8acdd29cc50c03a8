// What the first start makes, and what no later start replaces.
#include "sync-server/app/data_dir.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "common/crypto/x509.hpp"
#include "sync-server/app/certificates.hpp"
#include "sync-server/app/vault.hpp"
#include "tests/support/fixed_entropy.hpp"
#include "tests/support/temp_dir.hpp"

using namespace pf;
using namespace pf::server;
using namespace pf::server::app;

namespace {

const WallTime now = wall_from_ms(1'790'000'000'000);
Log silent{LogLevel::error, LogFormat::text};

unsigned mode_of(const std::filesystem::path& file) {
    struct stat info {};
    REQUIRE(::stat(file.c_str(), &info) == 0);
    return info.st_mode & 0777U;
}

}  // namespace

TEST_CASE("the first start makes keys nobody else may read, and the next finds the same") {
    tests::TempDir folder;
    const DataDir directory{folder / "data"};
    tests::SeededEntropy entropy{1};
    {
        auto opened = open_vault(directory, {}, entropy, now, silent);
        REQUIRE(std::holds_alternative<Vault>(opened));
        const auto& vault = std::get<Vault>(opened);
        CHECK(mode_of(directory.path()) == 0700);
        for (const char* name : {"master.key", "authority.key", "authority.pem"})
            CHECK(mode_of(directory / name) == 0600);
        CHECK_FALSE(crypto::check_chain(
            server_certificate(vault.keys, {"localhost", "127.0.0.1"}, entropy).certificate_pem,
            vault.keys.authority_pem, wall_from_ms(0)));
        // A second process is told so.
        auto second = open_vault(directory, {}, entropy, now, silent);
        REQUIRE(std::holds_alternative<StartFailure>(second));
        CHECK(std::get<StartFailure>(second).exit == Exit::in_use);
    }
    const auto master = read_file(directory / "master.key");
    auto again = open_vault(directory, {}, entropy, now, silent);
    REQUIRE(std::holds_alternative<Vault>(again));
    CHECK(read_file(directory / "master.key") == master);
    CHECK(to_hex(std::get<Vault>(again).keys.master) + "\n" == *master);
}

TEST_CASE("the admin key is made once, and opens") {
    tests::TempDir folder;
    const DataDir directory{folder / "data"};
    tests::SeededEntropy entropy{2};
    auto opened = open_vault(directory, {}, entropy, now, silent);
    REQUIRE(std::holds_alternative<Vault>(opened));
    auto& store = *std::get<Vault>(opened).store;
    const auto first = first_key(directory, store, entropy, now);
    REQUIRE(std::holds_alternative<std::optional<std::string>>(first));
    const auto& text = std::get<0>(first);
    REQUIRE(text.has_value());
    CHECK(mode_of(directory / "admin.key") == 0600);
    CHECK(read_file(directory / "admin.key") == *text + "\n");
    (void)store.read([&](Repositories& r) {
        const auto key = access::authenticate(r, *text);
        REQUIRE(key.has_value());
        CHECK(key->name == "admin");
    });
    const auto second = first_key(directory, store, entropy, now);
    CHECK(std::get<0>(second) == std::nullopt);
}

TEST_CASE("a database in use gets no new key in the place of a missing one") {
    for (const std::vector<const char*>& gone :
         {std::vector{"master.key"}, std::vector{"authority.key"}, std::vector{"authority.pem"},
          std::vector{"authority.key", "authority.pem"}}) {
        CAPTURE(gone.front());
        tests::TempDir folder;
        const DataDir directory{folder / "data"};
        tests::SeededEntropy entropy{3};
        {
            auto opened = open_vault(directory, {}, entropy, now, silent);
            REQUIRE(std::holds_alternative<Vault>(opened));
            (void)first_key(directory, *std::get<Vault>(opened).store, entropy, now);
        }
        for (const char* name : gone) std::filesystem::remove(directory / name);
        auto again = open_vault(directory, {}, entropy, now, silent);
        REQUIRE(std::holds_alternative<StartFailure>(again));
        CHECK(std::get<StartFailure>(again).exit == Exit::data_unusable);
        CHECK(std::get<StartFailure>(again).message.find(gone.front()) != std::string::npos);
        for (const char* name : gone) CHECK_FALSE(std::filesystem::exists(directory / name));
    }
}

TEST_CASE("keys that are not what they should be are refused, not replaced") {
    struct Row {
        const char *why, *file, *content;
    };
    const Row rows[] = {
        {"no hexadecimal", "master.key", "zz\n"},
        {"too short", "master.key", "00ff\n"},
        {"no key", "authority.key", "hello\n"},
        {"no certificate", "authority.pem", "hello\n"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.why);
        tests::TempDir folder;
        const DataDir directory{folder / "data"};
        tests::SeededEntropy entropy{4};
        REQUIRE(std::holds_alternative<Vault>(open_vault(directory, {}, entropy, now, silent)));
        REQUIRE(write_private(directory / row.file, row.content));
        auto opened = open_vault(directory, {}, entropy, now, silent);
        CHECK(std::holds_alternative<StartFailure>(opened));
        CHECK(read_file(directory / row.file) == row.content);
    }
}
