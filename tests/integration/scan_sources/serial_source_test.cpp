#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "tests/integration/scan_sources/harness.hpp"

using namespace pf;
using namespace pf::firmware::scan;
using pf::tests::eventually;
using Texts = std::vector<std::string>;
namespace fs = std::filesystem;

namespace {

/// The module's end of a pseudo-terminal; a link in `folder` names the other end, as udev would.
class Module {
public:
    explicit Module(const fs::path& link)
        : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)), link_(link) {
        REQUIRE(master_ >= 0);
        REQUIRE(::grantpt(master_) == 0);
        REQUIRE(::unlockpt(master_) == 0);
        fs::remove(link_);
        fs::create_symlink(::ptsname(master_), link_);
    }
    Module(const Module&) = delete;
    ~Module() { unplug(); }

    void unplug() {
        if (master_ < 0) return;  // the link may be another module's by now
        ::close(std::exchange(master_, -1));
        fs::remove(link_);
    }
    void send(std::string_view text) const {
        REQUIRE(::write(master_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    }
    termios settings() const {
        termios state{};
        REQUIRE(::tcgetattr(master_, &state) == 0);
        return state;
    }

private:
    int master_;
    fs::path link_;
};

}  // namespace

TEST_CASE("codes on the line arrive whole and in order, and the line is raw 8N1") {
    const tests::TempFolder folder;
    const auto link = folder.path / "ttyQR";
    const Module module{link};
    tests::Mailbox mailbox;
    const auto source = listen_serial({.name = "serial-ttyQR", .device = link, .baud = 9600},
                                      mailbox.deliver(), tests::steady_clock());
    REQUIRE(eventually([&] { return source->health().up; }));

    const termios line = module.settings();
    CHECK((line.c_cflag & CSIZE) == CS8);
    CHECK((line.c_cflag & (PARENB | CSTOPB)) == 0);
    CHECK((line.c_lflag & (ICANON | ECHO | ISIG)) == 0);
    CHECK((line.c_iflag & (ICRNL | IXON | ISTRIP)) == 0);
    CHECK(::cfgetispeed(&line) == B9600);

    // Control characters that a cooked line would eat: ^C, ^D, ^Q, ^S, DEL.
    const std::string control =
        "A\x03\x04\x11\x13\x7f"
        "B";
    module.send("HE REST OF A CODE\r");  // the line was opened in the middle of it
    module.send("PF1:ONE\r\n碑林区\r" + control + "\n");
    CHECK(mailbox.wait_for(3) == Texts{"PF1:ONE", "碑林区", control});
    const auto looks = mailbox.looks();
    CHECK(looks[0].codes[0].source == "serial-ttyQR");
    CHECK(looks[0].codes[0].strategy.empty());
    CHECK_FALSE(looks[0].will_repeat);
}

TEST_CASE("prefix and suffix, and a code too long is counted") {
    const tests::TempFolder folder;
    const auto link = folder.path / "ttyQR";
    const Module module{link};
    tests::Mailbox mailbox;
    const auto source = listen_serial({.device = link, .framing = {.prefix = {2}, .suffix = {3}}},
                                      mailbox.deliver(), tests::steady_clock());
    REQUIRE(eventually([&] { return source->health().up; }));
    module.send("\x02" + std::string(code_bytes_max + 1, 'x'));
    module.send(
        "\x03\x02"
        "A\r\nB\x03");
    CHECK(mailbox.wait_for(1) == Texts{"A\r\nB"});
    CHECK(source->health().unread == 1);
}

TEST_CASE("a module pulled and plugged again is heard again, without the half code before") {
    const tests::TempFolder folder;
    const auto link = folder.path / "ttyQR";
    tests::Mailbox mailbox;
    auto module = std::make_unique<Module>(link);
    const auto source = listen_serial({.device = link}, mailbox.deliver(), tests::steady_clock());
    REQUIRE(eventually([&] { return source->health().up; }));
    module->send("\rPF1:WHOLE\rPF1:HA");
    REQUIRE(mailbox.wait_for(1) == Texts{"PF1:WHOLE"});
    module->unplug();
    REQUIRE(eventually([&] { return !source->health().up; }));
    CHECK_FALSE(source->health().trouble.empty());

    module = std::make_unique<Module>(link);
    REQUIRE(eventually([&] { return source->health().up; }));
    module->send("LF\rPF1:AGAIN\r");
    CHECK(mailbox.wait_for(2) == Texts{"PF1:WHOLE", "PF1:AGAIN"});
}

TEST_CASE("what cannot be opened is trouble in words") {
    struct Case {
        const char* why;
        const char* device;
        int baud;
        const char* trouble;
    };
    const tests::TempFolder folder;
    const std::string file = (folder.path / "file").string();
    ::close(::open(file.c_str(), O_CREAT | O_WRONLY, 0600));
    const Case cases[] = {
        {"absent", "/dev/pf-no-such-line", 9600, "the line cannot be opened: "},
        {"no line at all", file.c_str(), 9600, "the line cannot be set to 8N1: "},
        {"a speed nobody has", file.c_str(), 12345, "baud rate not supported: 12345"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.why);
        tests::Mailbox mailbox;
        const auto source = listen_serial({.device = c.device, .baud = c.baud}, mailbox.deliver(),
                                          tests::steady_clock());
        REQUIRE(eventually([&] { return !source->health().trouble.empty(); }));
        CHECK(source->health().trouble.starts_with(c.trouble));
        CHECK_FALSE(source->health().up);
    }
}

TEST_CASE("an absent camera is trouble in words") {
    tests::Mailbox mailbox;
    const auto source = watch_camera({.device = "/dev/pf-no-such-camera"}, mailbox.deliver(),
                                     tests::steady_clock());
    REQUIRE(eventually([&] { return !source->health().trouble.empty(); }));
    CHECK(source->health().trouble.starts_with("the camera cannot be opened: "));
}
