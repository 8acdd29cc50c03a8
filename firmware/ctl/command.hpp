#pragma once
// How a command gets into the tree: words, examples, options, and what it does. The parser itself
// (CLI11) stays in command.cpp and program.cpp: it is slow to compile.
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "firmware/ctl/session.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace pf::firmware::ctl {

/// One option or argument, to say more about it.
class Option {
public:
    explicit Option(CLI::Option& option) : option_{option} {}
    Option& required();
    Option& one_of(std::initializer_list<const char*> words);
    Option& range(std::int64_t min, std::int64_t max);
    /// The value the variable has now is shown in the help.
    Option& shows_default();
    Option& of_group(const std::string& title);

private:
    CLI::Option& option_;
};

/// One command or group of them. Cheap to copy; the tree lives as long as the program runs, and so
/// must every variable an option writes to. Names without dashes are arguments by position.
class Command {
public:
    Command(Session& session, CLI::App& app) : session_{session}, app_{app} {}

    Command group(const std::string& name, const Words& what) const;
    /// `examples`: whole command lines, one a line, shown below the help.
    Command command(const std::string& name, const Words& what, const std::string& examples) const;

    Option option(const std::string& name, std::string& value, const Words& what) const;
    Option option(const std::string& name, int& value, const Words& what) const;
    Option option(const std::string& name, std::uint16_t& value, const Words& what) const;
    Option option(const std::string& name, std::uint32_t& value, const Words& what) const;
    Option option(const std::string& name, std::uint64_t& value, const Words& what) const;
    Option option(const std::string& name, std::vector<std::string>& values,
                  const Words& what) const;
    Option option(const std::string& name, std::vector<std::uint32_t>& values,
                  const Words& what) const;
    Option flag(const std::string& name, bool& value, const Words& what) const;

    /// The arguments live as long as the tree does; the command runs after all of it was parsed.
    template <class Arguments>
    void runs(std::shared_ptr<Arguments> arguments, Exit (*run)(Session&, const Arguments&)) const {
        on_chosen([arguments = std::move(arguments), run](Session& session) {
            return run(session, *arguments);
        });
    }

private:
    void on_chosen(std::function<Exit(Session&)> run) const;

    Session& session_;
    CLI::App& app_;
};

inline constexpr std::initializer_list<const char*> person_types = {
    "adult", "child", "senior", "student", "soldier", "disabled", "guide", "press", "free"};

// One a file.
void add_site_commands(const Command& root);
void add_product_commands(const Command& root);
void add_device_commands(const Command& root);
void add_ticket_commands(const Command& root);
void add_log_commands(const Command& root);
void add_journal_commands(const Command& root);
void add_scan_command(const Command& root);
// Parts of groups.
void add_device_acts(const Command& devices);
void add_ticket_issue(const Command& tickets);
void add_ticket_explain(const Command& tickets);
void add_journal_import(const Command& journals);

}  // namespace pf::firmware::ctl
