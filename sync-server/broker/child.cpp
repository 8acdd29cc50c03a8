#include "sync-server/broker/child.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace pf::server::broker {

namespace {

constexpr int not_executed = 127;  // what a shell answers for a command it cannot run

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

/// What the child is told before it exists: after fork only async-signal-safe calls are allowed.
struct Orders {
    const char* program;
    const char* directory;
    char* const* arguments;
    const Account* account;
    pid_t parent;
    int output;
};

/// All signals wait. Between fork and exec the child still has our handlers, and what they do there
/// (write to a pipe shared with us, say) would reach us.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_;
};

void forget_handlers() {
    struct sigaction plain {};
    plain.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) ::sigaction(number, &plain, nullptr);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void become_broker(const Orders& orders) {
    // Before exec: Mosquitto dropping root by itself would clear the parent-death signal.
    if (orders.account != nullptr &&
        (::setgroups(0, nullptr) != 0 || ::setgid(orders.account->group) != 0 ||
         ::setuid(orders.account->user) != 0)) {
        ::_exit(not_executed);
    }
    // A broker without its server would let devices believe they are connected, and keep the port.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != orders.parent ||
        ::chdir(orders.directory) != 0) {
        ::_exit(not_executed);
    }
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, STDIN_FILENO);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(orders.output, STDERR_FILENO);
    forget_handlers();
    ::execv(orders.program, orders.arguments);
    ::_exit(not_executed);
}

}  // namespace

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}
Descriptor::Descriptor(Descriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

Child::Child(const std::filesystem::path& program, const std::filesystem::path& directory,
             std::string_view settings_file, std::optional<Account> account) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe");
    output_ = Descriptor{ends[0]};
    const Descriptor input{ends[1]};
    if (::fcntl(output_.get(), F_SETFL, O_NONBLOCK) != 0) fail("fcntl");

    std::string name = program.string();
    std::string option = "-c";
    std::string settings{settings_file};
    char* const arguments[] = {name.data(), option.data(), settings.data(), nullptr};
    const std::string place = directory.string();
    const Orders orders{.program = name.c_str(),
                        .directory = place.c_str(),
                        .arguments = arguments,
                        .account = account ? &*account : nullptr,
                        .parent = ::getpid(),
                        .output = input.get()};
    {
        const SignalsBlocked blocked;
        process_ = ::fork();
        if (process_ == 0) become_broker(orders);
    }
    if (process_ < 0) {
        process_ = 0;
        fail("fork");
    }
    // glibc 2.36 declares pidfd_open without C linkage.
    ended_ = Descriptor{static_cast<int>(::syscall(SYS_pidfd_open, process_, 0))};
    if (!ended_) {
        const int error = errno;
        finish(std::chrono::milliseconds{0});
        throw std::system_error(error, std::generic_category(), "pidfd_open");
    }
}

Child::~Child() { finish(std::chrono::milliseconds{0}); }

void Child::signal(int number) noexcept {
    if (process_ != 0) ::kill(process_, number);
}

void Child::finish(std::chrono::milliseconds patience) noexcept {
    if (process_ == 0) return;
    pollfd end{.fd = ended_.get(), .events = POLLIN, .revents = 0};
    int ready = 0;
    if (ended_) {
        do {
            ready = ::poll(&end, 1, static_cast<int>(patience.count()));
        } while (ready < 0 && errno == EINTR);
    }
    if (ready <= 0) ::kill(process_, SIGKILL);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {}
    process_ = 0;
}

}  // namespace pf::server::broker
