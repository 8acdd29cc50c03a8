#pragma once
// A folder of one's own, a real clock, and a mailbox that waits for a condition and not for a time.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "firmware/scan/sources.hpp"

namespace pf::tests {

/// Long enough for a loaded machine; only a failing test ever waits for it.
inline constexpr std::chrono::seconds patience{20};

struct TempFolder {
    std::filesystem::path path;
    TempFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "pf-scan-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    TempFolder(const TempFolder&) = delete;
    ~TempFolder() { std::filesystem::remove_all(path); }
};

inline firmware::scan::SteadyClock steady_clock() {
    return [] {
        return SteadyTime{std::chrono::duration_cast<Millis>(
            std::chrono::steady_clock::now().time_since_epoch())};
    };
}

/// Polls until true or out of patience.
inline bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
}

/// Collects what a source delivers.
class Mailbox {
public:
    firmware::scan::Deliver deliver() {
        return [this](firmware::scan::Look look) {
            const std::scoped_lock lock{mutex_};
            looks_.push_back(std::move(look));
        };
    }
    std::vector<firmware::scan::Look> looks() const {
        const std::scoped_lock lock{mutex_};
        return looks_;
    }
    std::vector<std::string> texts() const {
        std::vector<std::string> all;
        for (const auto& look : looks()) {
            for (const auto& code : look.codes) all.emplace_back(as_text(code.bytes));
        }
        return all;
    }
    /// The first `count` codes, once they are there.
    std::vector<std::string> wait_for(std::size_t count) const {
        eventually([&] { return texts().size() >= count; });
        return texts();
    }

private:
    mutable std::mutex mutex_;
    std::vector<firmware::scan::Look> looks_;
};

}  // namespace pf::tests
