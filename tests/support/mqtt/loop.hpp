#pragma once
// The owner's executor of a real link in a test: what links post is run by the test's own thread.
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "common/mqtt/paho_link.hpp"

namespace pf::tests {

class Loop {
public:
    mqtt::Post post() {
        return [this](std::function<void()> task) {
            const std::scoped_lock lock{mutex_};
            tasks_.push_back(std::move(task));
            changed_.notify_one();
        };
    }

    /// Runs what comes until the condition holds; false when it still does not at the deadline.
    bool run_until(const std::function<bool()>& condition,
                   std::chrono::milliseconds patience = std::chrono::seconds{20}) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!condition()) {
            std::function<void()> task;
            {
                std::unique_lock lock{mutex_};
                // Conditions of other processes change without a task: look again now and then.
                const auto again = std::chrono::steady_clock::now() + std::chrono::milliseconds{20};
                if (!changed_.wait_until(lock, again, [this] { return !tasks_.empty(); })) {
                    if (std::chrono::steady_clock::now() > deadline) return condition();
                    continue;
                }
                task = std::move(tasks_.front());
                tasks_.pop_front();
            }
            task();
        }
        return true;
    }

    /// How many tasks wait; for links whose owner is slow.
    std::size_t waiting() const {
        const std::scoped_lock lock{mutex_};
        return tasks_.size();
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> tasks_;
};

}  // namespace pf::tests
