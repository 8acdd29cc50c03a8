#pragma once
// Inside the room: transactions that run together, and one that was overtaken too often.
#include <condition_variable>
#include <mutex>

namespace pf::server::store {

/// Lets everybody through together, or one alone. Who wants to be alone is next.
class Turns {
public:
    class Turn {
    public:
        Turn(Turns& turns, bool alone) : turns_{turns}, alone_{alone} {
            std::unique_lock guard{turns_.mutex_};
            if (alone_) {
                ++turns_.wanting_;
                turns_.changed_.wait(guard, [&] { return turns_.inside_ == 0; });
                --turns_.wanting_;
                turns_.inside_ = -1;
            } else {
                turns_.changed_.wait(guard,
                                     [&] { return turns_.inside_ >= 0 && turns_.wanting_ == 0; });
                ++turns_.inside_;
            }
        }
        ~Turn() {
            {
                const std::lock_guard guard{turns_.mutex_};
                turns_.inside_ = alone_ ? 0 : turns_.inside_ - 1;
            }
            turns_.changed_.notify_all();
        }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

    private:
        Turns& turns_;
        bool alone_;
    };

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int inside_ = 0;  // -1: one, alone
    int wanting_ = 0;
};

}  // namespace pf::server::store
