#include "tests/simulation/timeline.hpp"

#include <fmt/format.h>

namespace pf::simulation {
namespace {

std::string text_of(const Timeline::Line& line) {
    const std::int64_t ms = to_ms(line.at);
    return fmt::format("{:>3}:{:02}:{:02}.{:03}  {:<11} {}\n", ms / 3'600'000, ms / 60'000 % 60,
                       ms / 1'000 % 60, ms % 1'000, line.who, line.text);
}

/// Whether the line tells of a ticket or command by name: these are the story, and rare among all
/// that the devices themselves have to tell.
bool tells_of(const Timeline::Line& line, const std::vector<std::string>& about) {
    return std::ranges::any_of(about, [&](const std::string& name) {
        return line.who != name && line.text.find(name) != std::string::npos;
    });
}

bool speaks_of(const Timeline::Line& line, const std::vector<std::string>& about) {
    if (about.empty() || line.who == "world") return true;
    return std::ranges::any_of(about, [&](const std::string& name) {
        return line.who == name || line.text.find(name) != std::string::npos;
    });
}

}  // namespace

void Timeline::add(SteadyTime at, std::string who, std::string text) {
    lines_.push_back({at, std::move(who), std::move(text)});
    if (print_at_once_) fmt::print("{}", text_of(lines_.back()));
}

std::string Timeline::last(std::size_t lines_max, const std::vector<std::string>& about) const {
    std::vector<const Line*> chosen;
    const auto choose = [&](std::size_t most, auto wanted) {
        for (auto line = lines_.rbegin(); line != lines_.rend() && chosen.size() < most; ++line)
            if (wanted(*line, about) && std::ranges::find(chosen, &*line) == chosen.end())
                chosen.push_back(&*line);
    };
    choose(lines_max / 2, tells_of);
    choose(lines_max, speaks_of);
    std::ranges::sort(chosen);  // all of one vector, so by time
    std::string out;
    for (const Line* line : chosen) out += text_of(*line);
    return out;
}

}  // namespace pf::simulation
