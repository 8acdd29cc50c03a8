#pragma once
// What happened, in order, for a person who has to understand a failing seed.
#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/base/time.hpp"

namespace pf::simulation {

/// One invariant does not hold. `about` names the devices and tickets a reader wants to follow.
/// No std::exception: checks run inside the store's reads, which take those for a failed read.
class Violation final {
public:
    Violation(std::string rule, std::string what, std::vector<std::string> about)
        : what_{std::move(what)}, rule_{std::move(rule)}, about_{std::move(about)} {}
    const char* what() const noexcept { return what_.c_str(); }
    const std::string& rule() const noexcept { return rule_; }
    const std::vector<std::string>& about() const noexcept { return about_; }

private:
    std::string what_;
    std::string rule_;
    std::vector<std::string> about_;
};

class Timeline {
public:
    struct Line {
        SteadyTime at;
        std::string who;  // device, "server", "network", "world"
        std::string text;
    };

    explicit Timeline(bool print_at_once) : print_at_once_{print_at_once} {}

    void add(SteadyTime at, std::string who, std::string text);
    /// The last `lines_max` lines that speak of one of `about` (all of them when it is empty), and
    /// those of the world. Up to half of them tell of its tickets and commands, however long ago.
    std::string last(std::size_t lines_max, const std::vector<std::string>& about) const;

private:
    bool print_at_once_;
    std::vector<Line> lines_;
};

}  // namespace pf::simulation
