#include "firmware/scan/source_thread.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace pf::firmware::scan {

namespace {
constexpr Millis retry_after{1000};
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = other.release();
    }
    return *this;
}

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

int Descriptor::release() { return std::exchange(fd_, -1); }

std::string system_trouble(std::string_view words) {
    const int reason = errno;
    return std::string{words} + ": " + std::generic_category().message(reason);
}

void SourceThread::start(std::function<void()> body) {
    stop_ = Descriptor{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!stop_) throw std::system_error(errno, std::generic_category(), "eventfd");
    thread_ = std::thread{std::move(body)};
}

void SourceThread::stop() {
    if (!thread_.joinable()) return;
    // The counter cannot be full: this is the only write it ever gets.
    const std::uint64_t one = 1;
    while (::write(stop_.get(), &one, sizeof one) < 0 && errno == EINTR) {}
    thread_.join();
}

SourceThread::Woke SourceThread::wait(int fd, Millis timeout) {
    pollfd watched[2] = {{stop_.get(), POLLIN, 0}, {fd, POLLIN, 0}};
    const int ms = timeout.count() < 0 ? -1 : static_cast<int>(timeout.count());
    int ready = 0;
    do {
        ready = ::poll(watched, 2, ms);
    } while (ready < 0 && errno == EINTR);
    if (watched[0].revents != 0) return Woke::stop;
    if ((watched[1].revents & POLLIN) != 0) return Woke::ready;
    if (watched[1].revents != 0 || ready < 0) return Woke::hung_up;
    return Woke::timeout;
}

bool SourceThread::pause() { return wait(-1, retry_after) != Woke::stop; }

void SourceThread::up() {
    count([](SourceHealth& health) {
        health.up = true;
        health.trouble.clear();
    });
}

void SourceThread::down(std::string trouble) {
    count([&](SourceHealth& health) {
        health.up = false;
        health.trouble = std::move(trouble);
    });
}

void SourceThread::count(const std::function<void(SourceHealth&)>& change) {
    const std::scoped_lock lock{mutex_};
    change(health_);
}

SourceHealth SourceThread::health() const {
    const std::scoped_lock lock{mutex_};
    return health_;
}

}  // namespace pf::firmware::scan
