// A device's journal: shown, checked, exported from a dead gate, imported at the server.
#include <fmt/format.h>

#include "common/crypto/x509.hpp"
#include "firmware/ctl/command.hpp"
#include "firmware/ctl/device_folder.hpp"
#include "firmware/ctl/event_words.hpp"
#include "firmware/ctl/files.hpp"
#include "firmware/ctl/journal_file.hpp"
#include "firmware/ctl/words.hpp"

namespace pf::firmware::ctl {
namespace {

constexpr std::uint64_t pem_file_bytes_max = 16 * 1024;

struct Dump {
    std::string data;
    std::uint64_t after = 0;
};

std::string hex_of(Epoch epoch) { return to_hex(to_be8(epoch.value)); }

/// "5e0c4a1d#12     2026-05-01T00:00:00.000Z admitted: ticket 7c1f… (clock unsure)"
Words line_of(const Json& event) {
    const auto begin = fmt::format("{}#{:<6} {} ", field(event, "epoch").substr(0, 8),
                                   field(event, "seq"), field(event, "at"));
    Words words = words_of_event(event);
    // A clock that was right is not worth a word in every line.
    if (const auto clock = field(event, "clock"); !clock.empty() && clock != "confirmed") {
        const auto how = words_of(Set::clock, clock);
        words.en += fmt::format(" (clock: {})", how.en);
        words.zh += fmt::format("（时钟：{}）", how.zh);
    }
    return {begin + words.en, begin + words.zh};
}

Exit dump(Session& session, const Dump& a) {
    const auto reader = open_journal(a.data);
    if (!reader) return session.fail(reader.error());
    const auto epochs = (*reader)->epochs();
    if (!epochs) return session.fail(journal_failure(a.data, epochs.error()));
    for (const auto& epoch : *epochs) {
        const auto read =
            (*reader)->for_each(epoch.epoch, a.after, [&](const journal::StoredEvent& stored) {
                Json event{{"device", (*reader)->device().text()},
                           {"epoch", hex_of(epoch.epoch)},
                           {"seq", stored.seq}};
                event.update(event_json(stored.event));
                event["head"] = to_hex(stored.head);
                session.item(event, line_of(event));
                return true;
            });
        if (!read) return session.fail(journal_failure(a.data, read.error()));
    }
    return Exit::ok;
}

struct Verify {
    std::string data;         // device's folder
    std::string file;         // or an exported file
    std::string certificate;  // PEM, for the file's signatures
};

/// What `verify` found, whichever of the two it looked at.
struct Report {
    std::string device;
    std::uint64_t events = 0;
    std::uint64_t kinds_unknown = 0;
    Json epochs = Json::array();
    Json flaws = Json::array();
    /// "valid", "bad": every signature was looked at. "key_certified": a journal on its device,
    /// signed when it leaves. "unchecked", or why the key can't vouch.
    std::string signature = "unchecked";
};

void say_flaw(Session& session, const Json& flaw) {
    const auto what = words_of(Set::flaw, field(flaw, "what"));
    const auto where = fmt::format("{}#{}", field(flaw, "epoch"), field(flaw, "seq"));
    session.say(Words{fmt::format("FLAW at {}: {} [{}]", where, what.en, field(flaw, "what")),
                      fmt::format("缺陷，位于 {}：{} [{}]", where, what.zh, field(flaw, "what"))});
}

Exit tell(Session& session, const Report& report) {
    const bool signed_well = report.signature == "valid" || report.signature == "key_certified" ||
                             report.signature == "unchecked";
    const Words signature = words_of(Set::signature, report.signature);
    const bool whole = report.flaws.empty() && signed_well;
    session.document({{"device", report.device},
                      {"whole", whole},
                      {"events", report.events},
                      {"kinds_unknown", report.kinds_unknown},
                      {"epochs", report.epochs},
                      {"signature", report.signature},
                      {"flaws", report.flaws}});
    for (const Json& flaw : report.flaws) say_flaw(session, flaw);
    session.say(
        whole ? Words{fmt::format("{}: {} events, chain whole; {}.", report.device, report.events,
                                  signature.en),
                      fmt::format("{}：{} 个事件，哈希链完整；{}。", report.device, report.events,
                                  signature.zh)}
              : Words{fmt::format("{}: {} events, {} flaws; {}. Do not trust it.", report.device,
                                  report.events, report.flaws.size(), signature.en),
                      fmt::format("{}：{} 个事件，{} 处缺陷；{}。不可信。", report.device,
                                  report.events, report.flaws.size(), signature.zh)});
    return whole ? Exit::ok : Exit::refused;
}

Exit verify_folder(Session& session, const Verify& a) {
    const auto reader = open_journal(a.data);
    if (!reader) return session.fail(reader.error());
    const auto found = (*reader)->verify();
    if (!found) return session.fail(journal_failure(a.data, found.error()));
    const auto epochs = (*reader)->epochs();
    if (!epochs) return session.fail(journal_failure(a.data, epochs.error()));
    const auto identity = read_identity(a.data);
    if (!identity) return session.fail(identity.error());

    Report report{.device = (*reader)->device().text(),
                  .events = found->events,
                  .kinds_unknown = found->kinds_unknown};
    for (const auto& epoch : *epochs)
        report.epochs.push_back({{"epoch", hex_of(epoch.epoch)},
                                 {"last_seq", epoch.end.seq},
                                 {"head", to_hex(epoch.end.head)},
                                 {"pruned_seq", epoch.pruned_seq}});
    for (const auto& flaw : found->flaws)
        report.flaws.push_back({{"what", journal::to_text(flaw.what)},
                                {"epoch", hex_of(flaw.epoch)},
                                {"seq", flaw.seq}});
    // A journal on its device is not signed yet; its key must be the one the server certified for
    // it, and then every head can be signed on the way out.
    if (*identity) report.signature = unfit(**identity, report.device).value_or("key_certified");
    return tell(session, report);
}

/// A certificate, or public keys one after another as `device keys` prints them.
Got<std::vector<crypto::PublicKey>> keys_from_file(const std::string& path) {
    constexpr std::string_view end_line = "-----END PUBLIC KEY-----";
    const auto pem = read_file(path, pem_file_bytes_max);
    if (!pem) return pem.error();
    std::vector<crypto::PublicKey> keys;
    if (const auto certificate = crypto::read_certificate(*pem)) keys.push_back(certificate->key);
    for (std::size_t at = 0; keys.empty() || at > 0;) {
        const auto end = pem->find(end_line, at);
        if (end == std::string::npos) break;
        const auto next = end + end_line.size();
        const auto key = crypto::PublicKey::from_pem(pem->substr(at, next - at) + "\n");
        if (!key) break;
        keys.push_back(*key);
        at = next;
    }
    if (keys.empty())
        return file_failure("certificate_malformed", path,
                            {"neither certificate nor public key", "既不是证书也不是公钥"});
    return keys;
}

/// Every key the device ever had; none: no server is named.
Got<std::vector<crypto::PublicKey>> keys_from_server(Session& session, const DeviceId& device) {
    std::vector<crypto::PublicKey> keys;
    if (!session.server_named()) return keys;
    const auto server = session.server();
    if (!server) return server.error();
    const auto answer = (*server)->get("/v1/devices/" + encoded(device.text()) + "/keys");
    if (!answer) return answer.error();
    for (const Json& item : answer->value("items", Json::array()))
        if (auto key = crypto::PublicKey::from_pem(field(item, "public_key_pem")))
            keys.push_back(*key);
    if (keys.empty())
        return Failure{.exit = Exit::refused,
                       .code = "device_without_key",
                       .words = {fmt::format("the server knows no key of {}", device.text()),
                                 fmt::format("服务器没有 {} 的密钥", device.text())}};
    return keys;
}

Exit verify_file(Session& session, const Verify& a) {
    const auto text = read_file(a.file, journal_file_bytes_max);
    if (!text) return session.fail(text.error());
    std::string fault;
    const auto batches = read_journal_file(as_bytes(*text), fault);
    if (!batches)
        return session.fail(file_failure(
            fault, a.file, {"no exported journal, or cut short", "不是导出的事件日志，或不完整"}));
    const auto keys = a.certificate.empty() ? keys_from_server(session, batches->front().device)
                                            : keys_from_file(a.certificate);
    if (!keys) return session.fail(keys.error());
    const auto found = verify_journal_file(*batches, *keys);
    Report report{.device = batches->front().device.text(), .events = found.events};
    bool signed_well = true;
    for (const auto& flaw : found.flaws) {
        signed_well = signed_well && flaw.what != "bad_signature";
        report.flaws.push_back(
            {{"what", flaw.what}, {"epoch", hex_of(flaw.epoch)}, {"seq", flaw.seq}});
    }
    if (!keys->empty()) report.signature = signed_well ? "valid" : "bad";
    return tell(session, report);
}

Exit verify(Session& session, const Verify& a) {
    if (a.data.empty() == a.file.empty())
        return session.fail({.exit = Exit::usage,
                             .code = "usage",
                             .words = {"give either --data FOLDER of a device or an exported FILE",
                                       "请给出设备目录 --data，或一个导出的文件，二选一"}});
    return a.data.empty() ? verify_file(session, a) : verify_folder(session, a);
}

struct ExportTo {
    std::string data;
    std::string out;
};

Exit export_to(Session& session, const ExportTo& a) {
    const auto reader = open_journal(a.data);
    if (!reader) return session.fail(reader.error());
    const auto identity = read_identity(a.data);
    if (!identity) return session.fail(identity.error());
    std::optional<crypto::PrivateKey> key;
    if (*identity) key = (*identity)->key;
    const auto made = export_journal(**reader, key);
    if (!made) return session.fail(made.error());
    const auto written = write_file(a.out, made->file);
    if (!written) return session.fail(written.error());
    session.document({{"device", (*reader)->device().text()},
                      {"file", a.out},
                      {"bytes", *written},
                      {"batches", made->batches},
                      {"events", made->events},
                      {"events_left_out", made->events_left_out},
                      {"signed", key.has_value()}});
    session.say(Words{
        fmt::format("{} events of {} in {}.", made->events, (*reader)->device().text(), a.out),
        fmt::format("{} 的 {} 个事件已写入 {}。", (*reader)->device().text(), made->events,
                    a.out)});
    if (!key)
        session.say(Words{"No key in the vault, so it is not signed: servers quarantine it.",
                          "密钥库里没有密钥，未签名：服务器会隔离它。"});
    return Exit::ok;
}

Option add_folder(const Command& command, std::string& data) {
    return command.option(
        "--data", data,
        {"the device's data folder, or its events.db", "设备的数据目录，或其中的 events.db"});
}

}  // namespace

void add_journal_commands(const Command& root) {
    const auto group = root.group("journal", {"a device's own memory", "设备自己的事件日志"});

    const auto dumping = group.command("dump", {"every event", "逐条列出"},
                                       "paifangctl journal dump --data /var/lib/paifang-device\n"
                                       "paifangctl journal dump --data . --after 1000 --json");
    auto d = std::make_shared<Dump>();
    add_folder(dumping, d->data).required();
    dumping.option("--after", d->after, {"only events after this number", "只看这个序号之后的"});
    dumping.runs(std::move(d), dump);

    const auto verifying = group.command(
        "verify", {"chain, gaps, signatures", "检验链、缺口、签名"},
        "paifangctl journal verify --data /var/lib/paifang-device\n"
        "paifangctl journal verify gate-3.journal --certificate gate-3.pem\n"
        "paifangctl journal verify gate-3.journal --server https://…   # its keys are "
        "asked for");
    auto v = std::make_shared<Verify>();
    add_folder(verifying, v->data);
    verifying.option("file", v->file, {"an exported journal", "导出的事件日志文件"});
    verifying.option(
        "--certificate", v->certificate,
        {"the device's certificate or public keys, PEM; without it the server named is asked",
         "设备证书或公钥 PEM；不给则向指定的服务器询问"});
    verifying.runs(std::move(v), verify);

    const auto exporting = group.command(
        "export", {"a dead gate's journal, signed, for import", "导出故障闸机的事件日志"},
        "paifangctl journal export --data /media/dead-gate --out gate-3.journal\n"
        "paifangctl journal import gate-3.journal        # at the server");
    auto e = std::make_shared<ExportTo>();
    add_folder(exporting, e->data).required();
    exporting.option("--out", e->out, {"file to write", "写入的文件"}).required();
    exporting.runs(std::move(e), export_to);

    add_journal_import(group);
}

}  // namespace pf::firmware::ctl
