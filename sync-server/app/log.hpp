#pragma once
// The server's log: one line an event, as text for people or JSON for machines, on standard error.
// Never a key, a code or a document: those have no field here.
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace pf::server::app {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
enum class LogFormat : std::uint8_t { text, json };

class Log {
public:
    Log(LogLevel from, LogFormat format);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    using Field = std::pair<std::string_view, std::string>;
    /// `event` is a stable word or phrase; what differs is in the fields. Any thread.
    void say(LogLevel level, std::string_view event, std::initializer_list<Field> fields = {});
    bool wants(LogLevel level) const noexcept { return level >= from_; }

private:
    struct Sink;
    LogLevel from_;
    LogFormat format_;
    std::unique_ptr<Sink> sink_;
};

}  // namespace pf::server::app
