#include "firmware/ctl/parse_words.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <array>
#include <regex>

namespace pf::firmware::ctl {
namespace {

/// A sentence of the parser, and the same in Chinese with its parts at the same places.
struct Sentence {
    const char* pattern;
    const char* chinese;
};

constexpr std::array sentences = {
    Sentence{"A subcommand is required", "缺少命令"},
    Sentence{"(.+) is required", "缺少 $1"},
    Sentence{"The following arguments? (?:was|were) not expected: (.+)", "不认识：$1"},
    Sentence{"Could not convert: (.+) = (.*)", "$1 的值不对：$2"},
    Sentence{"The value (.*) is not an allowed value for (.+)", "$2 不能是 $1"},
    Sentence{"(.+): Value (.*) not in range (.+) to (.+)", "$1：$2 不在 $3 到 $4 之间"},
    Sentence{"(.+): (.*) not in (\\{.*\\})", "$1：$2 不在 $3 之中"},
    Sentence{"(.+): [0-9]+ required .* missing", "$1 缺少值"},
    Sentence{"(.+): At [Ll]east ([0-9]+) required but received ([0-9]+)",
             "$1 至少要 $2 个值，只给了 $3 个"},
    Sentence{"(.+): At [Mm]ost ([0-9]+) required but received ([0-9]+)",
             "$1 最多 $2 个值，给了 $3 个"},
    Sentence{"Expected (?:exactly|at least) ([0-9]+) arguments to (.+), got ([0-9]+)",
             "$2 要 $1 个值，给了 $3 个"},
    Sentence{"(.+): too many inputs for a flag", "$1 不能带值"},
    Sentence{"(.+): Should be true/false or a number", "$1 不能带值"},
    Sentence{"(.+) was given a disallowed flag override", "$1 不能带值"},
};

/// Type names come with what a value may be, "UINT:INT in [1 - 999]", under no label.
class ChineseFormatter final : public CLI::Formatter {
public:
    std::string make_option_opts(const CLI::Option* option) const override {
        std::string out = CLI::Formatter::make_option_opts(option);
        for (const auto& [english, chinese] : types) {
            for (auto at = out.find(english); at != std::string::npos; at = out.find(english, at))
                out.replace(at, english.size(), chinese);
        }
        return out;
    }

private:
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> types = {{
        {"UINT:INT in ", "数字 "},
        {"TEXT:", "文字 "},
        {"UINT", "数字"},
        {"TEXT", "文字"},
    }};
};

void rename(CLI::App& app, const std::shared_ptr<CLI::FormatterBase>& formatter) {
    app.formatter(formatter);
    for (CLI::Option* option : app.get_options())
        if (option->get_group() == "Options") option->group("选项");
    for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
        command->group("命令");
        rename(*command, formatter);
    }
}

}  // namespace

Words parse_words(const CLI::ParseError& error) {
    const std::string english = error.what();
    for (const Sentence& sentence : sentences) {
        const std::regex pattern{sentence.pattern};
        if (std::regex_match(english, pattern))
            return {english, std::regex_replace(english, pattern, sentence.chinese)};
    }
    return {english, english};
}

void speak_chinese(CLI::App& app) {
    const auto formatter = std::make_shared<ChineseFormatter>();
    constexpr std::array<std::pair<const char*, const char*>, 7> labels = {{
        {"Usage", "用法"},
        {"OPTIONS", "选项"},
        {"SUBCOMMAND", "命令"},
        {"SUBCOMMANDS", "命令"},
        {"Positionals", "参数"},
        {"REQUIRED", "必填"},
        {"Excludes", "不能同时用"},
    }};
    for (const auto& [key, word] : labels) formatter->label(key, word);
    rename(app, formatter);
}

}  // namespace pf::firmware::ctl
