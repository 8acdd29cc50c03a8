#include "firmware/ctl/code_output.hpp"

#include <fmt/format.h>

#include "boards/sim/frames/frames.hpp"
#include "firmware/ctl/command.hpp"
#include "firmware/ctl/files.hpp"

namespace pf::firmware::ctl {

namespace frames = boards::sim::frames;

void add_code_output(const Command& command, CodeOutput& output) {
    command.option("--png", output.png, {"write the QR code to this file", "把二维码写入这个文件"});
    command.flag("--qr", output.qr, {"show the QR code in the terminal", "在终端显示二维码"});
}

std::optional<Failure> put_out(Session& session, const CodeOutput& output,
                               const std::string& code) {
    if (!output.wanted()) return std::nullopt;
    const auto matrix = frames::render_qr(std::string_view{code});
    if (!matrix)
        return Failure{.exit = Exit::refused,
                       .code = "code_too_long",
                       .words = {"no QR code holds this text", "二维码放不下这段文字"}};
    if (output.qr) session.draw(frames::terminal_text(*matrix));
    if (output.png.empty()) return std::nullopt;
    if (!frames::write_png(output.png, *matrix))
        return file_failure("file_unwritable", output.png,
                            {"can't be written; the ticket exists, see: paifangctl ticket show",
                             "写不进去；票已存在，可用 paifangctl ticket show 再取"});
    session.say(
        Words{fmt::format("QR code: {}", output.png), fmt::format("二维码：{}", output.png)});
    return std::nullopt;
}

}  // namespace pf::firmware::ctl
