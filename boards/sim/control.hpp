#pragma once
// The hands of somebody standing at the simulated device: a Unix socket, one command a line, one
// line of JSON back. For the demo, for tests, and to play with (`nc -U <data>/control.sock`, then
// `help`).
#include <functional>
#include <memory>
#include <string>

namespace pf::boards::sim {

/// `answer` is called on the socket's thread with each line and returns the reply without its
/// newline.
class Control {
public:
    using Answer = std::function<std::string(const std::string& line)>;
    Control(std::string socket_path, Answer answer);
    ~Control();
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    static constexpr std::size_t line_bytes_max = 8 * 1024;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pf::boards::sim
