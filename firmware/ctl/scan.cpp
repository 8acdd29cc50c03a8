// The device's own scan pipeline over picture files.
#include <fmt/format.h>

#include "firmware/ctl/command.hpp"
#include "firmware/ctl/words.hpp"
#include "firmware/scan/picture_file.hpp"

namespace pf::firmware::ctl {
namespace {

struct Scan {
    std::vector<std::string> paths;
};

/// Is it text as JSON wants it? Codes are bytes; others are written in hexadecimal.
bool is_utf8(const std::string& text) {
    return !Json(text).dump(-1, ' ', false, Json::error_handler_t::ignore).empty() &&
           Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace))
                   .get<std::string>() == text;
}

Json reading_json(const scan::Reading& reading) {
    const std::string text{as_text(reading.bytes)};
    Json json{{"symbology", scan::to_text(reading.symbology)},
              {"strategy", scan::to_text(reading.strategy)}};
    if (is_utf8(text))
        json["text"] = text;
    else
        json["bytes"] = to_hex(reading.bytes);
    for (const auto& corner : reading.corners) json["corners"].push_back({corner.x, corner.y});
    return json;
}

Json report_json(const scan::PictureReport& report) {
    Json json{{"file", report.path.string()}};
    if (report.fault) {
        json["fault"] = scan::to_text(*report.fault);
        json["codes"] = Json::array();
        return json;
    }
    json["width"] = report.width;
    json["height"] = report.height;
    json["codes"] = Json::array();
    for (const auto& reading : report.outcome.readings)
        json["codes"].push_back(reading_json(reading));
    json["tried"] = Json::array();
    for (const auto strategy : report.outcome.tried)
        json["tried"].push_back(scan::to_text(strategy));
    json["parts_skipped"] = report.outcome.parts_skipped;
    json["decoder_failures"] = report.outcome.decoder_failures;
    json["load_us"] = report.load.count();
    json["search_us"] = report.search.count();
    return json;
}

Words line_of(const Json& json) {
    const auto file = harmless(field(json, "file"));
    if (json.contains("fault")) {
        const auto fault = words_of(Set::scan_fault, field(json, "fault"));
        return {fmt::format("{}: {}", file, fault.en), fmt::format("{}：{}", file, fault.zh)};
    }
    const double took_ms = static_cast<double>(json["search_us"].get<std::int64_t>()) / 1000.0;
    Words codes;
    for (const Json& code : json["codes"]) {
        const auto kind = words_of(Set::symbology, field(code, "symbology"));
        const auto how = words_of(Set::strategy, field(code, "strategy"));
        const auto text = harmless(field(code, code.contains("text") ? "text" : "bytes"));
        codes.en += fmt::format("  [{}, {}] {}", kind.en, how.en, text);
        codes.zh += fmt::format("  [{}，{}] {}", kind.zh, how.zh, text);
    }
    const auto tried = json["tried"].size();
    if (codes.en.empty())
        return {fmt::format("{}: no code after {} tries, {:.1f} ms", file, tried, took_ms),
                fmt::format("{}：试了 {} 种办法没有找到码，{:.1f} ms", file, tried, took_ms)};
    return {fmt::format("{}: {:.1f} ms{}", file, took_ms, codes.en),
            fmt::format("{}：{:.1f} ms{}", file, took_ms, codes.zh)};
}

Exit scan_all(Session& session, const Scan& a) {
    Exit exit = Exit::ok;
    std::uint64_t files = 0;
    for (const auto& path : a.paths)
        for (const auto& file : scan::pictures_in(path)) {
            const auto report = scan::read_picture(file, session.world().stopwatch);
            const Json json = report_json(report);
            session.item(json, line_of(json));
            ++files;
            // A file that can't be read outweighs one without a code.
            if (report.fault)
                exit = Exit::file;
            else if (report.outcome.readings.empty() && exit == Exit::ok)
                exit = Exit::refused;
        }
    if (files == 0)
        return session.fail(
            {.exit = Exit::file,
             .code = "no_pictures",
             .words = {"no picture (.png .jpg .jpeg) there", "那里没有图片（.png .jpg .jpeg）"}});
    return exit;
}

}  // namespace

void add_scan_command(const Command& root) {
    const auto command = root.command(
        "scan", {"read codes in pictures as a gate would", "像闸机那样识读图片里的码"},
        "paifangctl scan photo.jpg\n"
        "paifangctl scan frames/ --json | jq -r '[.file, .codes[0].strategy, .search_us] | @tsv'\n"
        "Exit codes: 0 every picture had a code; 1 one had none; 4 one can't be read.");
    auto a = std::make_shared<Scan>();
    command.option("paths", a->paths, {"pictures, or folders of them", "图片或图片目录"})
        .required();
    command.runs(std::move(a), scan_all);
}

}  // namespace pf::firmware::ctl
