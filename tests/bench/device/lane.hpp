#pragma once
// A gate from its camera's buffer to its arm: the parts that firmware/app/runner.cpp wires, wired
// in the same way, with frames handed in by the bench where the driver would hand them in.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <future>
#include <thread>

#include "firmware/app/keeper.hpp"
#include "firmware/scan/look.hpp"
#include "firmware/scan/pipeline.hpp"
#include "tests/bench/device/gate.hpp"

namespace pf::bench {

class Lane {
public:
    explicit Lane(Gate& gate);
    ~Lane();
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    /// Microseconds from the filled buffer (1280×720, grey) to the pulse; afterwards the visitor
    /// has walked through. Throws when the arm does not open within ten seconds.
    double scan(BytesView buffer);

private:
    using Clock = std::chrono::steady_clock;
    void take_looks();
    void on_executor(const std::function<void()>& task);

    Gate& gate_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        context_.get_executor()};
    firmware::scan::LookQueue looks_;
    firmware::scan::LaneScanner scanner_;
    firmware::app::Keeper keeper_;
    firmware::scan::Pipeline pipeline_;
    std::uint64_t frames_ = 0;
    std::promise<Clock::time_point> pulse_;
    std::thread executor_;
};

}  // namespace pf::bench
