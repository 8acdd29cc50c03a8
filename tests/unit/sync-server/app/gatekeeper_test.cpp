// Who may connect must reach the broker, however often it says no.
#include "sync-server/app/gatekeeper.hpp"

#include <doctest/doctest.h>

#include <future>

#include "tests/unit/sync-server/ingest/world.hpp"

using namespace pf;
using namespace pf::server;

namespace {

/// Rule files that can't be written as often as told.
struct Disk {
    bool write(const std::filesystem::path& file, std::string_view) {
        if (file.filename() == "access" && failures > 0) {
            --failures;
            return false;
        }
        if (file.filename() == "crl.pem") written.set_value();
        return true;
    }
    int failures = 0;
    std::promise<void> written;
};

struct Post : tests::World {
    std::unique_ptr<app::Gatekeeper> keeper(Disk& disk) {
        return std::make_unique<app::Gatekeeper>(app::Gatekeeper::Parts{
            .store = store(),
            .keys = keys(),
            .log = log,
            .broker = nullptr,
            .material = {},
            .directory = "rules",
            .now = [] { return tests::start; },
            .retry_after = std::chrono::milliseconds{1},
            .write = [&disk](const std::filesystem::path& file,
                             std::string_view content) { return disk.write(file, content); }});
    }
    app::Log log{app::LogLevel::error, app::LogFormat::text};
};

}  // namespace

TEST_CASE("rules that could not be written are written later, also when nobody was revoked") {
    for (const bool revoked : {false, true}) {
        CAPTURE(revoked);
        Post post;
        Disk disk;
        disk.failures = 3;
        auto keeper = post.keeper(disk);
        std::promise<bool> answer;
        std::vector<DeviceId> out;
        if (revoked) out.push_back(*DeviceId::parse("gate-1"));
        keeper->refresh(out, [&](bool taken) { answer.set_value(taken); });
        CHECK_FALSE(answer.get_future().get());
        disk.written.get_future().get();  // nobody asked again
        keeper.reset();
        CHECK(disk.failures == 0);
    }
}

TEST_CASE("rules that were written are said to be") {
    Post post;
    Disk disk;
    auto keeper = post.keeper(disk);
    std::promise<bool> answer;
    keeper->refresh({}, [&](bool taken) { answer.set_value(taken); });
    CHECK(answer.get_future().get());
}
