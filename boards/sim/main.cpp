// paifang-device: the verifier on the sim board.
#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "boards/sim/build_time.hpp"
#include "boards/sim/control.hpp"
#include "boards/sim/ports.hpp"
#include "firmware/app/runner.hpp"

namespace {

using namespace pf;
using namespace pf::boards::sim;
using firmware::app::Device;
using firmware::app::Runner;
using nlohmann::json;

constexpr std::string_view version = "0.1.0";
/// Nothing can happen before the program's source was: one leg of the clock floor.
const WallTime build_time = wall_from_ms(build_time_ms);

constexpr std::chrono::seconds control_wait_max{5};

struct Arguments {
    std::string data;
    std::string kind = "gate";
    std::string server;
    std::string code;
    std::string serial;
    std::string camera;
    int camera_width = 1280;
    int camera_height = 720;
    std::int64_t wall_offset_ms = 0;
    bool no_sensor = false;
    int walk_ms = -1;
};

std::optional<wire::DeviceKind> kind_of(const std::string& text) {
    if (text == "gate") return wire::DeviceKind::gate;
    if (text == "terminal") return wire::DeviceKind::terminal;
    if (text == "handheld") return wire::DeviceKind::handheld;
    return std::nullopt;
}

json status_of(Device& device) {
    const auto sync = device.sync_status();
    const auto end = device.journal().end();
    static constexpr std::string_view lanes[] = {"idle", "open", "fault", "emergency"};
    static constexpr std::string_view clocks[] = {"", "unset", "unsure", "unconfirmed",
                                                  "confirmed"};
    return {{"online", device.online()},
            {"link_up", sync.link_up},
            {"ready", device.standing().configuration.has_value() &&
                          device.standing().products.has_value() &&
                          !device.standing().ticket_keys.empty() &&
                          !device.standing().secrets.carrier_keys.empty()},
            {"unconfirmed_events", sync.unconfirmed},
            {"revoked_version", sync.revoked_version},
            {"tickets_version", sync.tickets_version},
            {"uses_position", sync.uses_position},
            {"list_update_under_way", sync.list_update_under_way},
            {"ticket_snapshots_begun", sync.ticket_snapshots_begun},
            {"storage_faults", sync.storage_faults},
            {"epoch", to_hex(to_be8(end.epoch.value))},
            {"last_seq", end.seq},
            {"head", to_hex(end.head)},
            {"lane", lanes[device.lane_state().index()]},
            {"clock", clocks[static_cast<std::size_t>(device.timekeeper().quality())]}};
}

json answer_of(const firmware::verify::Answer& answer) {
    static constexpr std::string_view kinds[] = {"", "admit", "ask", "refuse"};
    json j{{"verdict", kinds[static_cast<std::size_t>(answer.verdict.kind)]},
           {"reason", admission::words(answer.verdict.reason).key},
           {"persons", answer.verdict.persons},
           {"persons_left", answer.verdict.persons_left}};
    if (answer.claims) j["ticket"] = to_text(answer.claims->id);
    if (answer.grant_seq) j["grant_seq"] = *answer.grant_seq;
    for (const auto& candidate : answer.candidates)
        j["candidates"].push_back(to_text(candidate.id));
    return j;
}

std::optional<firmware::ports::BarrierEvent> sensed(const std::string& word) {
    using firmware::ports::BarrierEvent;
    if (word == "pass") return BarrierEvent::passed;
    if (word == "wrong-way") return BarrierEvent::wrong_way;
    if (word == "force") return BarrierEvent::forced;
    if (word == "fault") return BarrierEvent::fault;
    if (word == "fixed") return BarrierEvent::fixed;
    if (word == "fire-on") return BarrierEvent::fire_on;
    if (word == "fire-off") return BarrierEvent::fire_off;
    return std::nullopt;
}

constexpr std::string_view help_text =
    "scan CODE | document NUMBER | admit [N] [confirm] [TICKET] | undo | pass | wrong-way | force "
    "| fault | fixed |"
    " fire-on | fire-off | uplink on|off | clock OFFSET_MS | status";

/// One line from somebody at the device. On the device's thread.
class Hands {
public:
    Hands(LoggedBarrier* barrier, LoggedCue& cue, ScanLog& scans, ControlledIdReader& id_reader,
          SystemClock& clock, Runner& runner)
        : barrier_{barrier},
          cue_{cue},
          scans_{scans},
          id_reader_{id_reader},
          clock_{clock},
          runner_{runner} {}

    json obey(Device& device, const std::string& line) {
        const auto space = line.find(' ');
        const std::string word = line.substr(0, space);
        const std::string rest =
            space == std::string::npos ? std::string{} : line.substr(space + 1);
        if (word == "scan" || word == "document" || word == "admit")
            scans_.write({to_bytes(rest), word, {}});
        if (word == "scan") return answer_of(device.on_code({to_bytes(rest), word, {}}));
        if (word == "document") {
            id_reader_.present(rest);
            return json::parse(cue_.last());
        }
        if (word == "admit") return admit(device, rest);
        if (word == "undo") return {{"undone", device.undo()}};
        if (word == "status") return status_of(device);
        if (word == "uplink") {
            runner_.set_uplink(rest == "on");
            return {{"uplink", rest == "on" ? "on" : "off"}};
        }
        if (word == "clock") {
            clock_.set_wall_offset(Millis{std::atoll(rest.c_str())});
            device.tick();
            return status_of(device);
        }
        if (const auto event = sensed(word); event && barrier_ != nullptr) {
            barrier_->sense(*event);
            return status_of(device);
        }
        return {{"help", help_text}};
    }

private:
    static json admit(Device& device, const std::string& rest) {
        std::optional<std::uint16_t> persons;
        std::optional<TicketId> chosen;
        bool confirmed = false;
        std::istringstream words{rest};
        for (std::string word; words >> word;) {
            if (word == "confirm")
                confirmed = true;
            else if (const auto ticket = ticket_id_from(word))
                chosen = ticket;
            else
                persons = static_cast<std::uint16_t>(std::atoi(word.c_str()));
        }
        return answer_of(device.admit(persons, confirmed, chosen));
    }

    LoggedBarrier* barrier_;
    LoggedCue& cue_;
    ScanLog& scans_;
    ControlledIdReader& id_reader_;
    SystemClock& clock_;
    Runner& runner_;
};

/// Visitors who walk by themselves: `walk_ms` after each pulse somebody has passed.
void let_visitors_walk(LoggedBarrier& barrier, Runner& runner, int walk_ms) {
    barrier.on_pulse([&barrier, &runner, walk_ms] {
        runner.post_after(Millis{walk_ms}, [&barrier](Device&) {
            barrier.sense(firmware::ports::BarrierEvent::passed);
        });
    });
}

std::optional<firmware::app::Enrolment> enrolment_of(const Arguments& arguments, FileVault& vault,
                                                     Entropy& entropy) {
    if (auto enrolment = firmware::app::load_enrolment(vault)) return enrolment;
    if (arguments.code.empty() || arguments.server.empty()) {
        spdlog::error("not paired yet: give --server URL and --code CODE once");
        return std::nullopt;
    }
    auto paired = firmware::app::pair(arguments.server, arguments.code, vault, entropy);
    if (paired.has_error()) {
        spdlog::error("pairing failed: {}", paired.error().detail);
        return std::nullopt;
    }
    spdlog::info("paired as {}", paired->device);
    return *paired;
}

void name_sources(firmware::app::RunnerOptions& options, const Arguments& arguments,
                  const std::filesystem::path& data) {
    options.folders.push_back({.name = "camera", .folder = data / "frames", .keep_done = false});
    if (!arguments.serial.empty())
        options.serial_lines.push_back({.name = "serial", .device = arguments.serial});
    if (!arguments.camera.empty())
        options.cameras.push_back({.name = "camera-0",
                                   .device = arguments.camera,
                                   .width = arguments.camera_width,
                                   .height = arguments.camera_height});
}

int run(const Arguments& arguments) {
    ::umask(0077);  // what lies in this folder is nobody else's (invariant 7)
    const std::filesystem::path data{arguments.data};
    std::filesystem::create_directories(data / "frames");
    const auto kind = kind_of(arguments.kind);
    SystemClock clock{Millis{arguments.wall_offset_ms}};
    const auto entropy = std::make_shared<SystemEntropy>();
    FileVault vault{data / "vault"};
    const auto enrolment = enrolment_of(arguments, vault, *entropy);
    if (!enrolment) return 3;

    LoggedBarrier barrier{data, clock, !arguments.no_sensor};
    LoggedCue cue{data, clock};
    ScanLog scans{data, clock};
    ControlledIdReader id_reader;
    firmware::app::RunnerOptions options{
        .data_dir = data.string(),
        .enrolment = *enrolment,
        .kind = *kind,
        .firmware = std::string{version},
        .boot = BootId{entropy->next_u64()},
        .build_time = build_time,
        .folders = {},
        .serial_lines = {},
        .cameras = {},
        .on_scan = [&scans](const auto& code) { scans.write(code); }};
    name_sources(options, arguments, data);
    const bool lane = *kind == wire::DeviceKind::gate;
    auto runner = Runner::make(std::move(options), {.clock = clock,
                                                    .barrier = lane ? &barrier : nullptr,
                                                    .cue = cue,
                                                    .id_reader = &id_reader,
                                                    .vault = vault,
                                                    .entropy = entropy});
    if (runner.has_error()) {
        spdlog::critical("these are not this device's files: {}",
                         firmware::journal::to_text(runner.error()));
        return 4;
    }
    if (arguments.walk_ms >= 0) let_visitors_walk(barrier, **runner, arguments.walk_ms);
    Hands hands{lane ? &barrier : nullptr, cue, scans, id_reader, clock, **runner};
    Control control{(data / "control.sock").string(), [&](const std::string& line) {
                        // Shared, because a device that is stopping may never run the task.
                        const auto reply = std::make_shared<std::promise<std::string>>();
                        (*runner)->post([&hands, line, reply](Device& device) {
                            reply->set_value(hands.obey(device, line).dump());
                        });
                        auto answer = reply->get_future();
                        const bool answered =
                            answer.wait_for(control_wait_max) == std::future_status::ready;
                        return answered ? answer.get()
                                        : std::string{R"({"error":"the device does not answer"})"};
                    }};
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    std::thread signals{[&] {
        int number = 0;
        sigwait(&ending, &number);
        (*runner)->stop();
    }};
    (*runner)->run();
    signals.join();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    // Blocked before any thread starts, so that only the waiting one sees them.
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);

    Arguments arguments;
    CLI::App app{
        "paifang-device: the verifier on the sim board. Pictures put into DATA/frames are what its "
        "camera "
        "sees; DATA/control.sock is the hands of somebody standing at it."};
    app.add_option("--data", arguments.data, "folder of this device: journal, cache, keys, logs")
        ->required();
    app.add_option("--kind", arguments.kind, "gate, terminal or handheld")
        ->check(CLI::IsMember({"gate", "terminal", "handheld"}));
    app.add_option("--server", arguments.server, "https://host:port of the server, to pair with");
    app.add_option("--code", arguments.code,
                   "one-time pairing code, with the fingerprint behind its dot");
    app.add_option("--serial", arguments.serial, "a serial QR module, e.g. /dev/ttyS1");
    app.add_option("--camera", arguments.camera, "a V4L2 camera, e.g. /dev/video0");
    app.add_option("--camera-width", arguments.camera_width, "pixels wished for; 1280")
        ->check(CLI::Range(64, 8192));
    app.add_option("--camera-height", arguments.camera_height, "pixels wished for; 720")
        ->check(CLI::Range(64, 8192));
    app.add_option("--wall-offset-ms", arguments.wall_offset_ms, "how wrong the wall clock is");
    app.add_option("--walk-ms", arguments.walk_ms,
                   "visitors pass this long after each opening by themselves");
    app.add_flag("--no-sensor", arguments.no_sensor, "the lane has no passage sensor");
    app.set_version_flag("--version", std::string{version});
    app.footer(
        "Exit: 0 stopped, 2 wrong arguments, 3 not paired, 4 the files are another device's.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    return run(arguments);
}
