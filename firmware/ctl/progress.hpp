#pragma once
// How far a long act is, for the person who waits: one line on standard error, only on a terminal.
#include <cstdint>

#include "firmware/ctl/session.hpp"

namespace pf::firmware::ctl {

class Progress {
public:
    /// `afterwards`: what goes on when all bytes are away.
    Progress(Session& session, std::uint64_t bytes, Words afterwards);
    void moved(std::uint64_t bytes);
    /// Wipes the line, so that what is said next stands alone.
    void end();

private:
    void show(const Words& words);

    Session& session_;
    std::uint64_t bytes_;
    Words afterwards_;
    std::uint64_t moved_ = 0;
    std::uint64_t percent_shown_ = 0;
};

}  // namespace pf::firmware::ctl
