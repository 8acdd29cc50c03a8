#include "firmware/ctl/command.hpp"

#include <CLI/CLI.hpp>

namespace pf::firmware::ctl {

Option& Option::required() {
    option_.required();
    return *this;
}
Option& Option::one_of(std::initializer_list<const char*> words) {
    option_.check(CLI::IsMember(std::vector<std::string>{words.begin(), words.end()}));
    return *this;
}
Option& Option::range(std::int64_t min, std::int64_t max) {
    option_.check(CLI::Range(min, max));
    return *this;
}
Option& Option::shows_default() {
    option_.capture_default_str();
    return *this;
}
Option& Option::of_group(const std::string& title) {
    option_.group(title);
    return *this;
}

Command Command::group(const std::string& name, const Words& what) const {
    CLI::App& group = *app_.add_subcommand(name, session_.pick(what));
    group.require_subcommand(1);
    group.footer(session_.pick({"More: paifangctl " + name + " COMMAND --help",
                                "更多：paifangctl " + name + " 命令 --help"}));
    return {session_, group};
}

Command Command::command(const std::string& name, const Words& what,
                         const std::string& examples) const {
    CLI::App& command = *app_.add_subcommand(name, session_.pick(what));
    std::string footer = session_.pick({"Examples:", "例子："});
    for (std::size_t at = 0; at < examples.size();) {
        const auto end = std::min(examples.find('\n', at), examples.size());
        footer += "\n  " + examples.substr(at, end - at);
        at = end + 1;
    }
    command.footer(footer);
    return {session_, command};
}

Option Command::option(const std::string& name, std::string& value, const Words& what) const {
    return Option{*app_.add_option(name, value, session_.pick(what))};
}
Option Command::option(const std::string& name, int& value, const Words& what) const {
    return Option{*app_.add_option(name, value, session_.pick(what))};
}
Option Command::option(const std::string& name, std::uint16_t& value, const Words& what) const {
    return Option{*app_.add_option(name, value, session_.pick(what))};
}
Option Command::option(const std::string& name, std::uint32_t& value, const Words& what) const {
    return Option{*app_.add_option(name, value, session_.pick(what))};
}
Option Command::option(const std::string& name, std::uint64_t& value, const Words& what) const {
    return Option{*app_.add_option(name, value, session_.pick(what))};
}
Option Command::option(const std::string& name, std::vector<std::string>& values,
                       const Words& what) const {
    return Option{*app_.add_option(name, values, session_.pick(what))};
}
Option Command::option(const std::string& name, std::vector<std::uint32_t>& values,
                       const Words& what) const {
    return Option{*app_.add_option(name, values, session_.pick(what))};
}
Option Command::flag(const std::string& name, bool& value, const Words& what) const {
    return Option{*app_.add_flag(name, value, session_.pick(what))};
}

void Command::on_chosen(std::function<Exit(Session&)> run) const {
    app_.callback([&session = session_, run = std::move(run)] {
        session.run = [&session, run] { return run(session); };
    });
}

}  // namespace pf::firmware::ctl
