#include "tests/simulation/timeline.hpp"

#include <fmt/format.h>

namespace pf::simulation {
namespace {

std::string text_of(const Timeline::Line& line) {
    const std::int64_t ms = to_ms(line.at);
    return fmt::format("{:>3}:{:02}:{:02}.{:03}  {:<11} {}\n", ms / 3'600'000, ms / 60'000 % 60,
                       ms / 1'000 % 60, ms % 1'000, line.who, line.text);
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
    for (auto line = lines_.rbegin(); line != lines_.rend() && chosen.size() < lines_max; ++line)
        if (speaks_of(*line, about)) chosen.push_back(&*line);
    std::string out;
    for (auto line = chosen.rbegin(); line != chosen.rend(); ++line) out += text_of(**line);
    return out;
}

}  // namespace pf::simulation
