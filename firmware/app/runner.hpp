#pragma once
// A device at work: one executor, one link, its sources and its clock ticks. The only piece of the
// firmware with Asio in it. Boards call it from main with their ports.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/entropy.hpp"
#include "firmware/app/device.hpp"
#include "firmware/app/enrol.hpp"
#include "firmware/ports/key_vault.hpp"
#include "firmware/scan/sources.hpp"

namespace pf::firmware::app {

struct RunnerOptions {
    std::string data_dir;
    Enrolment enrolment;
    wire::DeviceKind kind = wire::DeviceKind::gate;
    std::string firmware;
    BootId boot;
    WallTime build_time;
    std::vector<scan::FolderOptions> folders;
    std::vector<scan::SerialOptions> serial_lines;
    std::vector<scan::CameraOptions> cameras;
    /// Told of each scan before it is decided, for whoever watches the device.
    std::function<void(const ports::ScannedCode&)> on_scan;
};

struct RunnerPorts {
    ports::Clock& clock;
    ports::Barrier* barrier = nullptr;
    ports::Cue& cue;
    ports::IdReader* id_reader = nullptr;
    ports::KeyVault& vault;
    std::shared_ptr<Entropy> entropy;
};

class Runner {
public:
    /// Opens the device's files. The link starts with run(). The runner goes on without its files
    /// when it must, from the start on: it refuses everybody and opens them again (keeper.hpp).
    /// A fault only when the files, or the enrolment, are not this device's.
    static Result<std::unique_ptr<Runner>, journal::Fault> make(RunnerOptions options,
                                                                RunnerPorts ports);
    ~Runner();
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    /// Until stop(). Everything of the device happens on this thread.
    void run();
    /// Any thread, also a signal-handling one.
    void stop();
    /// Runs something on the device's thread: control sockets and tests. Any thread. Dropped while
    /// there is no device.
    void post(std::function<void(Device&)> task);
    /// The same, `wait` later. On the device's thread.
    void post_after(Millis wait, std::function<void(Device&)> task);
    /// Cuts the uplink and restores it, as somebody who pulls the cable would. Any thread.
    void set_uplink(bool plugged_in);

private:
    struct Impl;
    explicit Runner(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace pf::firmware::app
