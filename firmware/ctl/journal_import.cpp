// What a dead gate left, given to the server as if the gate had delivered it.
#include <fmt/format.h>

#include "firmware/ctl/command.hpp"
#include "firmware/ctl/files.hpp"
#include "firmware/ctl/journal_file.hpp"
#include "firmware/ctl/words.hpp"

namespace pf::firmware::ctl {
namespace {

struct Import {
    std::string file;
};

Exit import(Session& session, const Import& a) {
    auto file = read_file(a.file, journal_file_bytes_max);
    if (!file) return session.fail(file.error());
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto answer =
        (*server)->upload("/v1/journals", std::string{journal_media_type}, std::move(*file));
    if (!answer) return session.fail(answer.error());
    session.document(*answer);
    Table table{{session.pick({"DEVICE", "设备"}), session.pick({"EPOCH", "日志周期"}),
                 session.pick({"FROM", "从"}), session.pick({"TO", "到"}),
                 session.pick({"RESULT", "结果"})}};
    bool all_booked = true;
    for (const Json& batch : answer->value("batches", Json::array())) {
        const auto result = field(batch, "result");
        all_booked = all_booked && (result == "booked" || result == "known");
        table.row({field(batch, "device"), field(batch, "epoch"), field(batch, "first_seq"),
                   field(batch, "last_seq"), session.pick(words_of(Set::import_result, result))});
    }
    session.say(table.text());
    if (all_booked) return Exit::ok;
    // The document is out already; the findings say what was wrong with each.
    session.world().err << session.pick(
        {"paifangctl: some batches were not booked; see paifangctl findings list "
         "[journal_not_booked]\n",
         "paifangctl: 有的批次没有入账，请看 paifangctl findings list [journal_not_booked]\n"});
    return Exit::refused;
}

}  // namespace

void add_journal_import(const Command& journals) {
    const auto command = journals.command(
        "import", {"give an exported journal to the server", "把导出的事件日志交给服务器"},
        "paifangctl journal import gate-3.journal --data /var/lib/paifang");
    auto a = std::make_shared<Import>();
    command.option("file", a->file, {"the exported file", "导出的文件"}).required();
    command.runs(std::move(a), import);
}

}  // namespace pf::firmware::ctl
