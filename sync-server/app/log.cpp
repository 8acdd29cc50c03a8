#include "sync-server/app/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "common/base/time.hpp"

namespace pf::server::app {

struct Log::Sink {
    spdlog::logger logger{"paifang", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
};

namespace {

std::string_view word(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return "debug";
        case LogLevel::info:
            return "info";
        case LogLevel::warning:
            return "warning";
        case LogLevel::error:
            return "error";
    }
    return "error";
}

/// What came from outside must not be able to forge a line of the log.
std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    return out;
}

}  // namespace

Log::Log(LogLevel from, LogFormat format)
    : from_{from}, format_{format}, sink_{std::make_unique<Sink>()} {
    sink_->logger.set_pattern("%v");
    sink_->logger.set_level(spdlog::level::trace);
    sink_->logger.flush_on(spdlog::level::trace);
}

Log::~Log() = default;

void Log::say(LogLevel level, std::string_view event, std::initializer_list<Field> fields) {
    if (!wants(level)) return;
    const auto now = std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
    std::string line;
    if (format_ == LogFormat::json) {
        nlohmann::ordered_json json{
            {"at", to_rfc3339(now)}, {"level", word(level)}, {"event", event}};
        for (const auto& [name, value] : fields) json[std::string{name}] = value;
        line = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    } else {
        line = to_rfc3339(now) + " " + std::string{word(level)} + " " + printable(event);
        for (const auto& [name, value] : fields)
            line += " " + std::string{name} + "=" + printable(value);
    }
    // Given as an argument, so that braces in it mean nothing.
    sink_->logger.log(spdlog::level::info, "{}", line);
}

}  // namespace pf::server::app
