#pragma once
// A code as something to show: a PNG file, a QR code in the terminal.
#include <optional>
#include <string>

#include "firmware/ctl/command.hpp"

namespace pf::firmware::ctl {

struct CodeOutput {
    std::string png;  // file; empty: none
    bool qr = false;  // in the terminal
    bool wanted() const noexcept { return qr || !png.empty(); }
};

void add_code_output(const Command& command, CodeOutput& output);

/// Writes what was asked for. Nothing on success.
std::optional<Failure> put_out(Session& session, const CodeOutput& output, const std::string& code);

}  // namespace pf::firmware::ctl
