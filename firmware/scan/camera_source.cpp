// A V4L2 camera, read through mapped buffers. No test reaches this file's system calls: it is kept
// to them, and everything that can be wrong about pictures lives in camera_format.cpp.
#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "firmware/scan/camera_format.hpp"
#include "firmware/scan/picture_file.hpp"
#include "firmware/scan/source_thread.hpp"

namespace pf::firmware::scan {

namespace {

constexpr std::uint32_t buffers_wanted = 4;
constexpr std::uint32_t formats_asked_max = 64;
/// A camera that sends damaged frames now and then is well; one that sends only those is not `up`.
constexpr int unread_in_a_row_max = 100;
constexpr Millis frame_due_within{2000};  // a camera silent for longer hangs; open it anew

static_assert(V4L2_PIX_FMT_GREY == v4l2_fourcc('G', 'R', 'E', 'Y'));

int control(int fd, unsigned long request, void* argument) {
    int result = 0;
    do {
        result = ::ioctl(fd, request, argument);
    } while (result < 0 && errno == EINTR);
    return result;
}

/// One buffer of the driver, in our memory.
class Mapping {
public:
    Mapping(int fd, std::uint32_t offset, std::size_t length)
        : start_(::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset)),
          length_(length) {}
    Mapping(Mapping&& other) noexcept
        : start_(std::exchange(other.start_, MAP_FAILED)), length_(other.length_) {}
    Mapping& operator=(Mapping&&) = delete;
    ~Mapping() {
        if (*this) ::munmap(start_, length_);
    }
    explicit operator bool() const { return start_ != MAP_FAILED; }
    BytesView first(std::size_t used) const {
        return {static_cast<const Byte*>(start_), std::min(used, length_)};
    }

private:
    void* start_;
    std::size_t length_;
};

/// An opened, streaming camera.
struct Camera {
    Descriptor fd;
    CameraMode mode;
    std::vector<Mapping> buffers;
};

std::vector<std::uint32_t> offered_formats(int fd) {
    std::vector<std::uint32_t> offered;
    for (std::uint32_t i = 0; i < formats_asked_max; ++i) {
        v4l2_fmtdesc about{};
        about.index = i;
        about.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
        if (control(fd, VIDIOC_ENUM_FMT, &about) < 0) break;
        offered.push_back(about.pixelformat);
    }
    return offered;
}

/// The mode agreed on, or why there is none, in words.
Result<CameraMode, std::string> negotiate(int fd, const CameraOptions& options) {
    const std::string none_we_read = "the camera offers neither GREY nor YUYV nor MJPEG";
    const auto format = choose_format(offered_formats(fd), options.width, options.height);
    if (!format) return none_we_read;
    v4l2_format wish{};
    wish.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    wish.fmt.pix.width = static_cast<std::uint32_t>(options.width);
    wish.fmt.pix.height = static_cast<std::uint32_t>(options.height);
    wish.fmt.pix.pixelformat = fourcc_of(*format);
    wish.fmt.pix.field = V4L2_FIELD_NONE;
    if (control(fd, VIDIOC_S_FMT, &wish) < 0) {
        return system_trouble(errno == EBUSY ? "another program uses the camera"
                                             : "the camera does not take its format");
    }
    // The driver answers with what it will really do, which need not be what was asked.
    const auto agreed = pixel_format_of(wish.fmt.pix.pixelformat);
    if (!agreed) return none_we_read;
    return CameraMode{.format = *agreed,
                      .width = static_cast<int>(wish.fmt.pix.width),
                      .height = static_cast<int>(wish.fmt.pix.height),
                      .stride = static_cast<int>(wish.fmt.pix.bytesperline)};
}

v4l2_buffer buffer_request(std::uint32_t index) {
    v4l2_buffer buffer{};
    buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    buffer.memory = V4L2_MEMORY_MMAP;
    buffer.index = index;
    return buffer;
}

bool map_and_stream(Camera& camera) {
    v4l2_requestbuffers request{};
    request.count = buffers_wanted;
    request.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    request.memory = V4L2_MEMORY_MMAP;
    if (control(camera.fd.get(), VIDIOC_REQBUFS, &request) < 0 || request.count == 0) return false;
    for (std::uint32_t i = 0; i < request.count; ++i) {
        v4l2_buffer buffer = buffer_request(i);
        if (control(camera.fd.get(), VIDIOC_QUERYBUF, &buffer) < 0) return false;
        camera.buffers.emplace_back(camera.fd.get(), buffer.m.offset, buffer.length);
        if (!camera.buffers.back()) return false;
        if (control(camera.fd.get(), VIDIOC_QBUF, &buffer) < 0) return false;
    }
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    return control(camera.fd.get(), VIDIOC_STREAMON, &type) == 0;
}

class CameraSource final : public Source {
public:
    CameraSource(CameraOptions options, Deliver deliver, SteadyClock clock)
        : options_(std::move(options)),
          deliver_(std::move(deliver)),
          clock_(std::move(clock)),
          pipeline_(options_.symbologies) {
        thread_.start([this] { run(); });
    }
    ~CameraSource() override { thread_.stop(); }

    std::string name() const override { return options_.name; }
    SourceHealth health() const override { return thread_.health(); }

private:
    void run() {
        do {
            const auto camera = open();
            if (camera && !serve(*camera)) return;
        } while (thread_.pause());
    }

    std::optional<Camera> open() {
        Camera camera;
        camera.fd = Descriptor{::open(options_.device.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)};
        if (!camera.fd) {
            thread_.down(system_trouble("the camera cannot be opened"));
            return std::nullopt;
        }
        const auto mode = negotiate(camera.fd.get(), options_);
        if (!mode) {
            thread_.down(mode.error());
            return std::nullopt;
        }
        camera.mode = *mode;
        if (!map_and_stream(camera)) {
            thread_.down(system_trouble("the camera does not stream"));
            return std::nullopt;
        }
        thread_.up();
        return camera;
    }

    /// False when told to stop, true when the camera failed.
    bool serve(const Camera& camera) {
        for (;;) {
            switch (thread_.wait(camera.fd.get(), frame_due_within)) {
                case SourceThread::Woke::stop:
                    return false;
                case SourceThread::Woke::timeout:
                    thread_.down("no frame came");
                    return true;
                case SourceThread::Woke::hung_up:
                    thread_.down("the camera went away");
                    return true;
                case SourceThread::Woke::ready:
                    break;
            }
            const SteadyTime at = clock_();
            auto newest = take_newest(camera);
            if (!newest) {
                thread_.down(system_trouble("the camera failed"));
                return true;
            }
            if (newest->none) continue;
            unread_ = look_at(*newest, at) ? 0 : unread_ + 1;
            if (control(camera.fd.get(), VIDIOC_QBUF, &newest->buffer) < 0) {
                thread_.down(system_trouble("the camera failed"));
                return true;
            }
            if (unread_ >= unread_in_a_row_max) {
                unread_ = 0;
                thread_.down("the camera sends nothing that can be unpacked");
                return true;
            }
        }
    }

    struct Taken {
        v4l2_buffer buffer{};
        Result<LumaFrame, FrameFault> frame = FrameFault::damaged;
        bool none = true;
    };

    /// The newest filled buffer, unpacked; older ones go back to the driver. Nothing on failure.
    std::optional<Taken> take_newest(const Camera& camera) {
        Taken taken;
        for (;;) {
            v4l2_buffer buffer = buffer_request(0);
            if (control(camera.fd.get(), VIDIOC_DQBUF, &buffer) < 0) {
                if (errno == EAGAIN) break;
                return std::nullopt;
            }
            if (buffer.index >= camera.buffers.size()) return std::nullopt;
            if (!taken.none) {
                thread_.count([](SourceHealth& health) { ++health.skipped; });
                if (control(camera.fd.get(), VIDIOC_QBUF, &taken.buffer) < 0) return std::nullopt;
            }
            taken.buffer = buffer;
            taken.none = false;
        }
        if (!taken.none && (taken.buffer.flags & V4L2_BUF_FLAG_ERROR) == 0) {
            taken.frame = luma_from_camera(
                camera.mode, camera.buffers[taken.buffer.index].first(taken.buffer.bytesused));
        }
        return taken;
    }

    /// False: the frame could not be unpacked.
    bool look_at(const Taken& taken, SteadyTime at) {
        if (!taken.frame) {
            thread_.count([](SourceHealth& health) { ++health.looks, ++health.unread; });
            return false;
        }
        Outcome outcome = pipeline_.read(*taken.frame, next_budget());
        thread_.count([&](SourceHealth& health) {
            ++health.looks;
            health.codes += outcome.readings.size();
            health.failures += static_cast<std::uint64_t>(outcome.decoder_failures);
        });
        if (auto look = look_from(std::move(outcome), options_.name, at)) {
            look->will_repeat = true;
            deliver_(std::move(*look));
        }
        return true;
    }

    Budget next_budget() {
        return camera_budget(++frames_, options_.frame_work, options_.frame_budget, [this] {
            return std::chrono::microseconds{clock_().time_since_epoch()};
        });
    }

    const CameraOptions options_;
    const Deliver deliver_;
    const SteadyClock clock_;
    Pipeline pipeline_;
    std::uint64_t frames_ = 0;
    int unread_ = 0;  // in a row
    SourceThread thread_;
};

}  // namespace

std::unique_ptr<Source> watch_camera(CameraOptions options, Deliver deliver, SteadyClock clock) {
    return std::make_unique<CameraSource>(std::move(options), std::move(deliver), std::move(clock));
}

}  // namespace pf::firmware::scan
