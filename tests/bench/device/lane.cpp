#include "tests/bench/device/lane.hpp"

#include <boost/asio/post.hpp>

#include "firmware/scan/camera_format.hpp"
#include "firmware/scan/picture_file.hpp"
#include "firmware/scan/sources.hpp"
#include "tests/bench/row.hpp"

namespace pf::bench {

namespace asio = boost::asio;
namespace scan = firmware::scan;

namespace {
constexpr std::chrono::seconds patience{10};
constexpr scan::CameraMode camera{
    .format = scan::PixelFormat::grey, .width = 1280, .height = 720, .stride = 1280};
}  // namespace

Lane::Lane(Gate& gate)
    : gate_{gate},
      looks_{[this] { asio::post(context_, [this] { take_looks(); }); }},
      keeper_{{gate.clock(), &gate.barrier(), gate.cue()},
              [this](firmware::app::Keeper::Beginning)
                  -> Result<std::unique_ptr<firmware::app::Device>, firmware::journal::Fault> {
                  return gate_.start();
              },
              {.started = {}, .ended = {}, .notice = {}}} {
    require(!keeper_.start(), "the device starts");
    scanner_.on_code([this](firmware::ports::ScannedCode code) { return keeper_.on_code(code); });
    gate_.barrier().on_event(
        [this](firmware::ports::BarrierEvent event) { keeper_.on_barrier(event); });
    gate_.barrier().on_pulse([this] { pulse_.set_value(Clock::now()); });
    executor_ = std::thread{[this] { context_.run(); }};
}

Lane::~Lane() {
    context_.stop();
    executor_.join();
    gate_.barrier().on_pulse({});
}

void Lane::take_looks() {
    for (scan::Look& look : looks_.take()) scanner_.see(std::move(look));
}

void Lane::on_executor(const std::function<void()>& task) {
    std::promise<void> done;
    asio::post(context_, [&] {
        task();
        done.set_value();
    });
    done.get_future().wait();
}

double Lane::scan(BytesView buffer) {
    pulse_ = {};
    auto pulse = pulse_.get_future();
    const scan::CameraOptions defaults;
    const auto stopwatch = [this] {
        return std::chrono::microseconds{gate_.clock().steady().time_since_epoch()};
    };

    // Between two visitors a camera sees nobody.
    const auto nobody = scan::LumaFrame::filled(camera.width, camera.height, 200);
    const auto budget = [&] {
        return scan::camera_budget(++frames_, defaults.frame_work, defaults.frame_budget,
                                   stopwatch);
    };
    (void)pipeline_.read(nobody, budget());

    const auto begin = Clock::now();
    const SteadyTime at = gate_.clock().steady();
    const auto frame = scan::luma_from_camera(camera, buffer);
    require(frame.has_value(), "the buffer is a frame");
    scan::Outcome outcome = pipeline_.read(*frame, budget());
    auto look = scan::look_from(std::move(outcome), "camera-0", at);
    require(look.has_value(), "the frame is read");
    look->will_repeat = true;
    looks_.push(std::move(*look));
    require(pulse.wait_for(patience) == std::future_status::ready, "the arm opens");
    const double us = std::chrono::duration<double, std::micro>(pulse.get() - begin).count();

    on_executor([this] { gate_.barrier().sense(firmware::ports::BarrierEvent::passed); });
    return us;
}

}  // namespace pf::bench
