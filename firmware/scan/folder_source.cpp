// A watched folder. The kernel tells of arrivals; the folder itself is read at the start and when
// the kernel lost count.
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>

#include "firmware/scan/picture_file.hpp"
#include "firmware/scan/source_thread.hpp"

namespace pf::firmware::scan {

namespace {

namespace fs = std::filesystem;

class FolderSource final : public Source {
public:
    FolderSource(FolderOptions options, Deliver deliver, SteadyClock clock)
        : options_(std::move(options)),
          deliver_(std::move(deliver)),
          clock_(std::move(clock)),
          pipeline_(options_.symbologies) {
        thread_.start([this] { run(); });
    }
    ~FolderSource() override { thread_.stop(); }

    std::string name() const override { return options_.name; }
    SourceHealth health() const override { return thread_.health(); }

private:
    void run() {
        do {
            const Descriptor events = open();
            if (events && !serve(events.get())) return;
        } while (thread_.pause());
    }

    Descriptor open() {
        std::error_code failure;
        fs::create_directories(options_.folder, failure);
        if (!failure && options_.keep_done) fs::create_directories(done_folder(), failure);
        if (failure) {
            thread_.down("the folder cannot be made: " + failure.message());
            return {};
        }
        Descriptor events{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
        const std::uint32_t wanted = IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF;
        if (!events || ::inotify_add_watch(events.get(), options_.folder.c_str(), wanted) < 0) {
            thread_.down(system_trouble("the folder cannot be watched"));
            return {};
        }
        thread_.up();
        return events;
    }

    /// False when told to stop, true when the folder went away.
    bool serve(int events) {
        if (!look_at_all()) return false;
        for (;;) {
            switch (thread_.wait(events, Millis{-1})) {
                case SourceThread::Woke::stop:
                    return false;
                case SourceThread::Woke::timeout:
                    continue;
                case SourceThread::Woke::hung_up:
                    return true;
                case SourceThread::Woke::ready:
                    break;
            }
            const Arrivals arrivals = read(events);
            if (arrivals.gone) {
                thread_.down("the folder went away");
                return true;
            }
            if (arrivals.lost_count) {
                if (!look_at_all()) return false;
                continue;
            }
            for (const std::string& file : arrivals.names) {
                if (thread_.wait(-1, Millis{0}) == SourceThread::Woke::stop) return false;
                look_at(options_.folder / file);
            }
        }
    }

    struct Arrivals {
        std::vector<std::string> names;
        bool lost_count = false;
        bool gone = false;
    };

    static Arrivals read(int events) {
        Arrivals arrivals;
        alignas(inotify_event) std::array<char, 4096> buffer;
        for (;;) {
            const ssize_t got = ::read(events, buffer.data(), buffer.size());
            if (got <= 0) return arrivals;  // EAGAIN: all told
            for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
                inotify_event event;
                std::memcpy(&event, buffer.data() + at, sizeof event);
                const char* name = buffer.data() + at + sizeof event;
                at += sizeof event + event.len;
                arrivals.gone |= (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0;
                arrivals.lost_count |= (event.mask & IN_Q_OVERFLOW) != 0;
                if (event.len > 0) arrivals.names.emplace_back(name);  // ends with a zero
            }
        }
    }

    /// False when told to stop.
    bool look_at_all() {
        for (const fs::path& path : pictures_in(options_.folder)) {
            if (thread_.wait(-1, Millis{0}) == SourceThread::Woke::stop) return false;
            look_at(path);
        }
        return true;
    }

    void look_at(const fs::path& path) {
        std::error_code gone;
        if (!has_picture_name(path) || !fs::exists(path, gone)) return;  // seen at the start
        const SteadyTime at = clock_();
        auto frame = load_picture(path);
        // Put away first: whoever sees the reading may count on the file being gone.
        put_away(path);
        if (!frame) {
            thread_.count([](SourceHealth& health) { ++health.looks, ++health.unread; });
            return;
        }
        Outcome outcome = pipeline_.read(*frame);
        thread_.count([&](SourceHealth& health) {
            ++health.looks;
            health.codes += outcome.readings.size();
            health.failures += static_cast<std::uint64_t>(outcome.decoder_failures);
        });
        if (auto look = look_from(std::move(outcome), options_.name, at)) {
            deliver_(std::move(*look));
        }
    }

    fs::path done_folder() const { return options_.folder / "done"; }

    void put_away(const fs::path& path) {
        std::error_code failure;
        if (options_.keep_done && room_in_done()) {
            fs::rename(path, done_folder() / path.filename(), failure);
            if (!failure) return;
        }
        fs::remove(path, failure);
        // A picture that stays would be read again at the next start, as if shown again.
        if (failure) return thread_.down("a picture cannot be removed: " + failure.message());
        thread_.up();
    }

    bool room_in_done() const {
        std::error_code failure;
        int kept = 0;
        fs::directory_iterator entry{done_folder(), failure};
        for (; !failure && entry != fs::directory_iterator{}; entry.increment(failure)) ++kept;
        return !failure && kept < done_files_max;
    }

    const FolderOptions options_;
    const Deliver deliver_;
    const SteadyClock clock_;
    Pipeline pipeline_;
    SourceThread thread_;
};

}  // namespace

std::unique_ptr<Source> watch_folder(FolderOptions options, Deliver deliver, SteadyClock clock) {
    return std::make_unique<FolderSource>(std::move(options), std::move(deliver), std::move(clock));
}

}  // namespace pf::firmware::scan
