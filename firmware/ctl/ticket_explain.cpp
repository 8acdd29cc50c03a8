// Any code a tourist holds, claim by claim: by the server when there is one, else by itself.
#include <fmt/format.h>

#include <istream>
#include <iterator>

#include "common/ticket/token.hpp"
#include "firmware/ctl/command.hpp"
#include "firmware/ctl/explain.hpp"
#include "firmware/ctl/files.hpp"
#include "firmware/ctl/ticket_words.hpp"

namespace pf::firmware::ctl {
namespace {

constexpr std::uint64_t pem_file_bytes_max = 16 * 1024;

struct Explain {
    std::string text;
    std::string public_key;  // file
};

Words claim_words(const std::string& name) {
    if (name == "ticket") return {"ticket", "票号"};
    if (name == "generation") return {"generation", "版次"};
    if (name == "person_type") return {"person type", "人员类型"};
    if (name == "persons") return {"persons", "人数"};
    if (name == "holder") return {"bound to a document", "绑定证件"};
    if (name == "entitlement") return {"admits to", "可入"};
    return {name, name};
}

std::string value_words(const Session& session, const Json& claim) {
    const auto name = field(claim, "claim");
    if (name == "person_type") return session.pick(person_type_words(field(claim, "value")));
    if (name != "entitlement") return field(claim, "value");
    // The server knows names.
    const auto words = field(claim, session.language() == Language::chinese ? "words_zh" : "words");
    if (!words.empty()) return words;
    return session.pick(entitlement_words(claim["value"]));
}

Words signature_words(const std::string& signature) {
    if (signature == "valid") return {"valid: one of our keys signed it", "有效：由我们的密钥签发"};
    if (signature == "bad")
        return {"WRONG: changed or forged, nothing it says is true",
                "无效：被改动或伪造，内容不可信"};
    if (signature == "key_unknown")
        return {"can't be checked: the key is not known here", "无法核对：不认识这把密钥"};
    return {"not checked: no server asked; add --data or --public-key",
            "未核对：没有问服务器；请加 --data 或 --public-key"};
}

std::string reason_words(const Session& session, const Json& words) {
    const bool zh = session.language() == Language::chinese;
    return fmt::format("{} {} [{}]", field(words, zh ? "zh" : "en"),
                       field(words, zh ? "do_zh" : "do_en"), field(words, "reason"));
}

/// "at South 1 (gate-1), 2026-05-01 16:00"; nothing when it was not used.
Words used_words(const Json& now) {
    if (!now.contains("used")) return {};
    const Json& used = now["used"];
    const auto id = field(used, "device");
    const auto named = [&](const char* name) {
        const auto text = field(used, name);
        return text.empty() || text == id ? id : fmt::format("{} ({})", text, id);
    };
    const auto local = field(used, "local_time");
    const auto at = local.empty() ? field(used, "at") : local;
    return {fmt::format(" Used at {}, {}.", named("device_en"), at),
            fmt::format("用于 {}，{}。", named("device_zh"), at)};
}

/// A place by its name, and its number where there is none.
Words place_words(const Json& now) {
    const auto part = [&](const char* name, const std::string& number) {
        const auto text = field(now, name);
        return text.empty() ? number : text;
    };
    const auto site = field(now, "site");
    const auto point = field(now, "point");
    return {
        fmt::format("{}, {}", part("site_en", "site " + site), part("point_en", "point " + point)),
        fmt::format("{}{}", part("site_zh", "景区 " + site), part("point_zh", " 点位 " + point))};
}

void say_now(Session& session, const Json& now) {
    const auto place = place_words(now);
    const auto used = used_words(now);
    const auto answer = reason_words(session, now["words"]);
    session.say(Words{fmt::format("Now at {}: {}{}", place.en, answer, used.en),
                      fmt::format("此刻在{}：{}{}", place.zh, answer, used.zh)});
}

void say_one(Session& session, const Json& one) {
    Table table{{session.pick({"CLAIM", "票面内容"}), session.pick({"VALUE", "值"})}};
    for (const Json& claim : one.value("claims", Json::array()))
        table.row({session.pick(claim_words(field(claim, "claim"))), value_words(session, claim)});
    session.say(table.text());
    if (one.contains("known")) {
        const Json& known = one["known"];
        session.say(known.value("issued_here", false)
                        ? Words{fmt::format("The server sold it: {}, generation {}.",
                                            state_words(known).en, field(known, "generation")),
                                fmt::format("本服务器售出：{}，版次 {}。", state_words(known).zh,
                                            field(known, "generation"))}
                        : Words{"The server does not know this ticket.", "服务器没有这张票。"});
        say_check_ins(session, known.value("check_ins", Json::array()));
    }
    for (const Json& now : one.value("now", Json::array())) say_now(session, now);
}

void say_all(Session& session, const Json& answer) {
    if (answer.contains("fault"))
        session.say(Words{fmt::format("Not a ticket of ours: {}", field(answer, "fault")),
                          fmt::format("不是我们的票：{}", field(answer, "fault"))});
    if (answer.contains("key")) {
        const auto words = signature_words(field(answer, "signature"));
        session.say(
            Words{fmt::format("Signed with key {}. Signature: {}.", field(answer, "key"), words.en),
                  fmt::format("签名密钥 {}。签名{}。", field(answer, "key"), words.zh)});
    }
    for (const Json& one : answer.value("tickets", Json::array())) say_one(session, one);
    if (answer.contains("words")) session.say(reason_words(session, answer["words"]));
}

Exit judged(const Json& answer) {
    const auto signature = field(answer, "signature");
    const bool wrong = answer.contains("fault") || signature == "bad" ||
                       signature == "key_unknown" || answer.value("tickets", Json::array()).empty();
    return wrong ? Exit::refused : Exit::ok;
}

Exit alone(Session& session, const Explain& a, const std::string& text) {
    std::optional<crypto::PublicKey> key;
    if (!a.public_key.empty()) {
        const auto pem = read_file(a.public_key, pem_file_bytes_max);
        if (!pem) return session.fail(pem.error());
        key = crypto::PublicKey::from_pem(*pem);
        if (!key)
            return session.fail(
                file_failure("key_malformed", a.public_key,
                             {"no P-256 public key in PEM", "不是 P-256 公钥 PEM"}));
    }
    const Json answer = explained_offline(text, key);
    session.document(answer);
    say_all(session, answer);
    return judged(answer);
}

Exit explain(Session& session, const Explain& a) {
    std::string text = a.text;
    if (text == "-") {
        auto& in = session.world().in;
        text.assign(std::istreambuf_iterator<char>{in}, {});
        // A blank at the end may belong to the code; the end of the line does not.
        while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    }
    const bool ours = text.starts_with(ticket::prefix);
    if (ours && (!a.public_key.empty() || !session.server_named())) return alone(session, a, text);
    const auto server = session.server();
    if (!server) return session.fail(server.error());
    const auto answer = (*server)->post("/v1/tickets/explain", {{"text", text}});
    if (!answer && ours && answer.error().exit == Exit::unreachable && !session.json) {
        // What the code itself says needs no server.
        session.fail(answer.error());
        (void)alone(session, a, text);
        return Exit::unreachable;
    }
    if (!answer) return session.fail(answer.error());
    session.document(*answer);
    say_all(session, *answer);
    return judged(*answer);
}

}  // namespace

void add_ticket_explain(const Command& tickets) {
    const auto command = tickets.command(
        "explain", {"any code a tourist holds, claim by claim", "逐条解释票码"},
        "paifangctl ticket explain 'PF1:…'          # offline: what it says\n"
        "paifangctl ticket explain 'PF1:…' --data /var/lib/paifang   # and what a gate would "
        "answer\n"
        "paifangctl ticket explain E123456789       # another seller's code: the server knows it\n"
        "paifangctl scan photo.jpg --json | jq -r '.codes[0].text' | paifangctl ticket explain -");
    auto a = std::make_shared<Explain>();
    command
        .option("text", a->text, {"the code, or - for standard input", "票码，- 表示从标准输入读"})
        .required();
    command.option(
        "--public-key", a->public_key,
        {"PEM of the signing key: checked without a server", "签名公钥 PEM：不连服务器也能核对"});
    command.runs(std::move(a), explain);
}

}  // namespace pf::firmware::ctl
