// A QR module on a serial line. Its state is the line's: when the line fails it is opened anew.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "firmware/scan/source_thread.hpp"

namespace pf::firmware::scan {

namespace {

std::optional<speed_t> speed_of(int baud) {
    switch (baud) {
        case 9'600:
            return B9600;
        case 19'200:
            return B19200;
        case 38'400:
            return B38400;
        case 57'600:
            return B57600;
        case 115'200:
            return B115200;
        default:
            return std::nullopt;  // an int from the configuration, not an enum of ours
    }
}

class SerialSource final : public Source {
public:
    SerialSource(SerialOptions options, Deliver deliver, SteadyClock clock)
        : options_(std::move(options)),
          deliver_(std::move(deliver)),
          clock_(std::move(clock)),
          frames_(options_.framing) {
        thread_.start([this] { run(); });
    }
    ~SerialSource() override { thread_.stop(); }

    std::string name() const override { return options_.name; }
    SourceHealth health() const override { return thread_.health(); }

private:
    void run() {
        do {
            const Descriptor line = open();
            if (line && !serve(line.get())) return;
        } while (thread_.pause());
    }

    Descriptor open() {
        const auto speed = speed_of(options_.baud);
        if (!speed) {
            thread_.down("baud rate not supported: " + std::to_string(options_.baud));
            return {};
        }
        Descriptor line{
            ::open(options_.device.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)};
        if (!line) {
            thread_.down(system_trouble("the line cannot be opened"));
            return {};
        }
        if (!set_raw(line.get(), *speed)) {
            thread_.down(system_trouble("the line cannot be set to 8N1"));
            return {};
        }
        frames_.opened(clock_());
        thread_.up();
        return line;
    }

    static bool set_raw(int line, speed_t speed) {
        termios state{};
        if (::tcgetattr(line, &state) != 0) return false;
        ::cfmakeraw(&state);  // 8 bits, no parity, no echo, no meaning in any byte
        state.c_cflag &= static_cast<tcflag_t>(~(CSTOPB | CRTSCTS));
        state.c_cflag |= CLOCAL | CREAD;
        state.c_cc[VMIN] = 1;
        state.c_cc[VTIME] = 0;
        if (::cfsetispeed(&state, speed) != 0 || ::cfsetospeed(&state, speed) != 0) return false;
        // TCSAFLUSH throws away what lay in the line: it may be the end of a code.
        return ::tcsetattr(line, TCSAFLUSH, &state) == 0;
    }

    /// False when told to stop, true when the line failed.
    bool serve(int line) {
        std::array<Byte, 4096> buffer;
        for (;;) {
            switch (thread_.wait(line, Millis{-1})) {
                case SourceThread::Woke::stop:
                    return false;
                case SourceThread::Woke::timeout:
                    continue;
                case SourceThread::Woke::hung_up:
                    thread_.down("the line hung up");
                    return true;
                case SourceThread::Woke::ready:
                    break;
            }
            const ssize_t got = ::read(line, buffer.data(), buffer.size());
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            if (got <= 0) {
                thread_.down(got == 0 ? "the line hung up" : system_trouble("the line failed"));
                return true;
            }
            hear(BytesView{buffer.data(), static_cast<std::size_t>(got)});
        }
    }

    void hear(BytesView bytes) {
        const SteadyTime at = clock_();
        std::vector<Bytes> codes = frames_.feed(at, bytes);
        thread_.count([&](SourceHealth& health) {
            health.looks += codes.size();
            health.codes += codes.size();
            health.unread = frames_.lost().codes;
        });
        for (Bytes& code : codes) {
            Look look{.at = at};
            look.codes.push_back({std::move(code), options_.name, {}});
            deliver_(std::move(look));
        }
    }

    const SerialOptions options_;
    const Deliver deliver_;
    const SteadyClock clock_;
    SerialFrames frames_;
    SourceThread thread_;
};

}  // namespace

std::unique_ptr<Source> listen_serial(SerialOptions options, Deliver deliver, SteadyClock clock) {
    return std::make_unique<SerialSource>(std::move(options), std::move(deliver), std::move(clock));
}

}  // namespace pf::firmware::scan
