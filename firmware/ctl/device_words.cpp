#include "firmware/ctl/device_words.hpp"

#include <fmt/format.h>

#include "firmware/ctl/words.hpp"

namespace pf::firmware::ctl {
namespace {

Words connected_words(const Json& device) {
    if (device.value("online", false)) return {"yes", "是"};
    const auto heard = field(device, "last_heard");
    if (heard.empty() || heard == "-") return {"no: never heard", "否：从未联系"};
    if (device.value("connected", false))
        return {"no: silent, though its connection was not ended", "否：没有声音，连接也没有断开"};
    return {"no", "否"};
}

/// "version 17, newest 18": what it holds, by its own word, beside what the server has.
Words held_words(const Json& held, const std::string& newest) {
    const auto version = field(held, held.is_object() ? "version" : "");
    if (held.is_object() && !held.value("of_this_generation", true))
        return {
            fmt::format("version {} of an earlier life of the server, newest {}", version, newest),
            fmt::format("服务器恢复前的版本 {}，最新 {}", version, newest)};
    const auto have = held.is_object() ? version : plain(held);
    if (have == newest)
        return {fmt::format("version {}, the newest", have), fmt::format("版本 {}，最新", have)};
    return {fmt::format("version {}, newest {}", have, newest),
            fmt::format("版本 {}，最新 {}", have, newest)};
}

/// A row for every list and document the server has for it.
void say_held(const Session& session, Table& table, const Json& device) {
    const Json& said = device["reported"];
    const auto rows = [&](const char* group, Set names) {
        const Json newest = device.value("newest", Json::object()).value(group, Json::object());
        const Json held = said.value(group, Json::object());
        for (const auto& [key, version] : newest.items()) {
            const auto what = words_of(names, key);
            const Words nothing{fmt::format("none, newest {}", plain(version)),
                                fmt::format("没有，最新 {}", plain(version))};
            table.row(
                {session.pick(names == Set::list ? Words{"list " + what.en, "名单 " + what.zh}
                                                 : Words{"document " + what.en, "文件 " + what.zh}),
                 session.pick(held.contains(key) ? held_words(held[key], plain(version))
                                                 : nothing)});
        }
    };
    rows("lists", Set::list);
    rows("documents", Set::document);
}

Words journal_words(const Json& journal) {
    const auto waiting = journal.value("unconfirmed", std::uint64_t{0});
    Words words{fmt::format("confirmed up to event {} of journal {}",
                            field(journal, "confirmed_seq"), field(journal, "epoch")),
                fmt::format("已确认到第 {} 个事件，日志周期 {}", field(journal, "confirmed_seq"),
                            field(journal, "epoch"))};
    words.en +=
        waiting == 0 ? "; none known to be missing" : fmt::format("; {} not here yet", waiting);
    words.zh += waiting == 0 ? "；没有已知的未到事件" : fmt::format("；{} 个还没到", waiting);
    return words;
}

}  // namespace

void say_device(Session& session, const Json& device) {
    Table table{{session.pick({"DEVICE", "设备"}), field(device, "id")}};
    const Json configuration = device.value("configuration", Json::object());
    const auto row = [&](const Words& what, std::string value) {
        table.row({session.pick(what), std::move(value)});
    };
    row({"name", "名称"}, session.name_in(configuration));
    row({"number", "编号"}, field(configuration, "number"));
    row({"kind", "类型"}, session.pick(words_of(Set::device_kind, field(configuration, "kind"))));
    row({"site", "景区"}, field(device, "site"));
    row({"point", "点位"}, field(configuration, "point"));
    row({"state", "状态"}, session.pick(words_of(Set::device_state, field(device, "state"))));
    row({"connected", "已连接"}, session.pick(connected_words(device)));
    row({"last heard", "最近联系"}, field(device, "last_heard"));
    row({"clock", "时钟"}, session.pick(words_of(Set::clock, field(device, "clock"))));
    row({"firmware", "固件"}, field(device, "firmware"));
    row({"certificate until", "证书到期"}, field(device, "certificate_until"));
    if (const Json said = device.value("reported", Json{}); said.is_object()) {
        row({"connected last", "最近接入"}, field(said, "at"));
        row({"events", "事件"}, session.pick(journal_words(said.value("journal", Json::object()))));
        say_held(session, table, device);
    } else {
        row({"holds", "持有"}, session.pick({"nothing known: not heard since it was paired",
                                             "未知：配对后还没有联系过"}));
    }
    row({"topics", "主题"}, field(device, "topic_root"));
    session.say(table.text());
}

}  // namespace pf::firmware::ctl
