#include "tests/simulation/coverage.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/admission/reason.hpp"
#include "common/wire/topics.hpp"
#include "tests/simulation/fault.hpp"

namespace pf::simulation {
namespace {

/// Reasons no visitor of this world can meet.
constexpr admission::Reason out_of_reach[] = {
    admission::Reason::holder_mismatch,  // no device of this issue compares a holder's document
};

constexpr std::string_view event_kinds[] = {
    "epoch_opened", "booted",       "clock_changed", "admitted", "refused", "outcome",
    "lane_alarm",   "list_applied", "command_done",  "finding",  "opened",  "let_in",
};

/// Not "in truncate": a device truncates a file only when it sets a damaged one aside, and no fault
/// of this world damages one (tests/unit/firmware/sqlite does).
constexpr std::string_view crash_points[] = {
    "device: between calls", "device: kill -9",      "device: at the pulse", "device: in create",
    "device: in write",      "device: in sync",      "device: in delete",    "device: in start",
    "server: between calls", "server: after commit", "server: in write",     "server: in sync",
    "server: in start",
};

constexpr std::string_view damages[] = {"kept",        "dropped",   "torn",        "cut_short",
                                        "zero_filled", "reordered", "entries_lost"};

}  // namespace

Coverage::Coverage() {
    for (const Fault fault : all_faults) tables_["fault"][std::string{to_text(fault)}];
    for (const admission::Words& words : admission::all_words()) {
        if (std::ranges::find(out_of_reach, words.reason) != std::end(out_of_reach)) continue;
        tables_["reason"][std::string{words.key}];
    }
    for (const auto kind : event_kinds) tables_["event"][std::string{kind}];
    for (const auto kind : {wire::Up::birth, wire::Up::will, wire::Up::events, wire::Up::want,
                            wire::Up::ping, wire::Up::command_reply})
        tables_["message"][std::string{wire::leaf(kind)}];
    for (const auto kind :
         {wire::Down::ack, wire::Down::news, wire::Down::chunk, wire::Down::buckets,
          wire::Down::uses, wire::Down::document, wire::Down::time})
        tables_["message"][std::string{wire::leaf(kind)}];
    for (const auto point : crash_points) tables_["crash point"][std::string{point}];
    for (const auto damage : damages) tables_["disk"][std::string{damage}];
}

void Coverage::count(std::string_view table, std::string_view row, std::uint64_t times) {
    const auto found = tables_.find(table);
    auto& rows = found == tables_.end() ? tables_[std::string{table}] : found->second;
    const auto known = rows.find(row);
    if (known == rows.end())
        rows.emplace(row, times);
    else
        known->second += times;
}

void Coverage::add(const Coverage& other) {
    for (const auto& [table, rows] : other.tables_)
        for (const auto& [row, times] : rows) tables_[table][row] += times;
}

std::vector<std::string> Coverage::missing() const {
    std::vector<std::string> out;
    for (const auto& [table, rows] : tables_)
        for (const auto& [row, times] : rows)
            if (times == 0) out.push_back(table + ": " + row);
    return out;
}

std::string Coverage::text() const {
    std::string out;
    for (const auto& [table, rows] : tables_) {
        out += fmt::format("{}\n", table);
        for (const auto& [row, times] : rows) out += fmt::format("  {:<28} {:>9}\n", row, times);
    }
    return out;
}

}  // namespace pf::simulation
