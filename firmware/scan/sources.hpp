#pragma once
// Where looks come from. Each source has a thread of its own, because decoding a frame takes longer
// than anything may block the executor; everything it tells goes through `Deliver`.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "common/base/time.hpp"
#include "firmware/scan/look.hpp"
#include "firmware/scan/pipeline.hpp"
#include "firmware/scan/serial_frames.hpp"

namespace pf::firmware::scan {

/// Called on the source's thread; must not block (LookQueue::push is meant for it).
using Deliver = std::function<void(Look)>;
/// Called on the source's thread: the board's steady clock.
using SteadyClock = std::function<SteadyTime()>;

/// For the health report; numbers count since the source was made.
struct SourceHealth {
    bool up = false;
    std::string trouble{};       // why it is not up, in words for scenic-area IT; empty when it is
    std::uint64_t looks = 0;     // frames, files or lines looked at
    std::uint64_t codes = 0;     // delivered, repetitions included
    std::uint64_t unread = 0;    // frames or files that could not be unpacked, codes cut short
    std::uint64_t skipped = 0;   // camera frames passed over because newer ones were there
    std::uint64_t failures = 0;  // tries the decoder ended with an exception
};

/// Runs from its making to its end and repairs itself: a folder, line or camera that is absent or
/// goes away is tried again every second.
class Source {
public:
    /// Returns when the thread has ended; nothing is delivered after that.
    virtual ~Source() = default;
    virtual std::string name() const = 0;
    virtual SourceHealth health() const = 0;  // any thread
};

/// Pictures put into a folder, each once, oldest name first; the sim board's camera, and a way to
/// try real photographs on a device. Files arrive by rename or are closed after writing.
struct FolderOptions {
    std::string name = "folder";
    std::filesystem::path folder{};  // made when absent
    /// Looked-at files move to `folder`/done while fewer than `done_files_max` lie there;
    /// otherwise, and when false, they are removed.
    bool keep_done = false;
    Symbologies symbologies{};
};
inline constexpr int done_files_max = 500;
std::unique_ptr<Source> watch_folder(FolderOptions options, Deliver deliver, SteadyClock clock);

/// A QR module on a UART or USB CDC-ACM: 8 data bits, no parity, 1 stop bit, no flow control.
struct SerialOptions {
    std::string name = "serial";
    std::filesystem::path
        device;          // "/dev/ttyS1"; for USB the by-id path, which survives replugging
    int baud = 115'200;  // 9600, 19200, 38400, 57600, 115200; another is `trouble`
    SerialFraming framing{};
};
std::unique_ptr<Source> listen_serial(SerialOptions options, Deliver deliver, SteadyClock clock);

/// A V4L2 camera. Takes the newest frame and lets older ones go.
struct CameraOptions {
    std::string name = "camera";
    std::filesystem::path device{};  // "/dev/video0"
    int width = 1280;                // wished for; the driver's nearest is taken
    int height = 720;
    Work frame_work = camera_work_max;
    std::chrono::microseconds frame_budget{80'000};  // no further try on a frame after this
    Symbologies symbologies{};
};
std::unique_ptr<Source> watch_camera(CameraOptions options, Deliver deliver, SteadyClock clock);

}  // namespace pf::firmware::scan
