#include "sync-server/app/config.hpp"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <functional>

namespace pf::server::app {
namespace {

using Wrong = std::string;  // empty: accepted
using Take = std::function<Wrong(const toml::node&, Config&)>;

struct Key {
    std::string_view name;
    Take take;
};

template <class Member>
Take text(Member member) {
    return [member](const toml::node& node, Config& config) -> Wrong {
        const auto value = node.value_exact<std::string>();
        if (!value) return "must be a text";
        if (value->empty()) return "must not be empty";
        member(config) = *value;
        return {};
    };
}

template <class Member>
Take number(std::int64_t min, std::int64_t max, Member member) {
    return [=](const toml::node& node, Config& config) -> Wrong {
        const auto value = node.value_exact<std::int64_t>();
        if (!value) return "must be a whole number";
        if (*value < min || *value > max) return fmt::format("must be {} to {}", min, max);
        using Number = std::remove_reference_t<decltype(member(config))>;
        member(config) = static_cast<Number>(*value);
        return {};
    };
}

template <class Member>
Take flag(Member member) {
    return [member](const toml::node& node, Config& config) -> Wrong {
        const auto value = node.value_exact<bool>();
        if (!value) return "must be true or false";
        member(config) = *value;
        return {};
    };
}

template <class Value, class Member>
Take word(std::vector<std::pair<std::string_view, Value>> words, Member member) {
    return [words = std::move(words), member](const toml::node& node, Config& config) -> Wrong {
        const auto value = node.value_exact<std::string>();
        std::string allowed;
        for (const auto& [name, meaning] : words) {
            if (value == name) {
                member(config) = meaning;
                return {};
            }
            allowed += fmt::format("{}\"{}\"", allowed.empty() ? "" : " or ", name);
        }
        return "must be " + allowed;
    };
}

Wrong take_names(const toml::node& node, Config& config) {
    const toml::array* list = node.as_array();
    if (list == nullptr) return "must be a list of texts";
    for (const toml::node& item : *list) {
        const auto name = item.value_exact<std::string>();
        if (!name || name->empty()) return "must be a list of texts";
        config.names.push_back(*name);
    }
    constexpr std::size_t names_max = 24;
    return config.names.size() > names_max ? fmt::format("at most {} names", names_max) : Wrong{};
}

Wrong take_database(const toml::node& node, Config& config) {
    const auto value = node.value_exact<std::string>();
    if (!value) return "must be a text";
    // Not repeated in the message: there may be a password in it.
    if (!value->starts_with("postgresql://")) return "must begin with postgresql://";
    // PostgreSQL's own reader and ours must see the same end of the user and password.
    const auto user_end = value->rfind('@');
    if (user_end != std::string::npos &&
        value->find_first_of("/?", std::string_view{"postgresql://"}.size()) < user_end)
        return "must have / and ? and @ in user or password escaped, as %2F, %3F and %40";
    config.database.url = *value;
    return {};
}

constexpr std::int64_t port_max = 65535;

const std::vector<Key>& keys() {
    static const std::vector<Key> table = {
        {"data", text([](Config & c) -> auto& { return c.data; })},
        {"host", text([](Config & c) -> auto& { return c.host; })},
        {"names", take_names},
        {"database.url", take_database},
        {"database.prepare", flag([](Config & c) -> auto& { return c.database.prepare; })},
        {"http.address", text([](Config & c) -> auto& { return c.http.address; })},
        {"http.port", number(
                          0, port_max, [](Config & c) -> auto& { return c.http.port; })},
        {"http.tls", flag([](Config & c) -> auto& { return c.http.tls; })},
        {"http.certificate", text([](Config & c) -> auto& { return c.http.certificate; })},
        {"http.key", text([](Config & c) -> auto& { return c.http.key; })},
        {"http.threads", number(
                             1, 64, [](Config & c) -> auto& { return c.http.threads; })},
        {"renewal.address", text([](Config & c) -> auto& { return c.renewal.address; })},
        {"renewal.port", number(
                             0, port_max, [](Config & c) -> auto& { return c.renewal.port; })},
        {"broker.kind", word<bool>(
                            {{"managed", true}, {"external", false}},
                            [](Config & c) -> auto& { return c.broker.managed; })},
        {"broker.address", text([](Config & c) -> auto& { return c.broker.address; })},
        {"broker.port", number(
                            0, port_max, [](Config & c) -> auto& { return c.broker.port; })},
        {"broker.program", text([](Config & c) -> auto& { return c.broker.program; })},
        {"broker.user", text([](Config & c) -> auto& { return c.broker.user; })},
        {"broker.host", text([](Config & c) -> auto& { return c.broker.host; })},
        {"broker.authority", text([](Config & c) -> auto& { return c.broker.authority; })},
        {"broker.certificate", text([](Config & c) -> auto& { return c.broker.certificate; })},
        {"broker.key", text([](Config & c) -> auto& { return c.broker.key; })},
        {"broker.version", word<bool>(
                               {{"5", false}, {"3.1.1", true}},
                               [](Config & c) -> auto& { return c.broker.version_3_1_1; })},
        {"lists.horizon_days", number(
                                   1, orders::horizon_days_max,
                                   [](Config & c) -> auto& { return c.lists.horizon_days; })},
        {"log.level", word<LogLevel>(
                          {{"debug", LogLevel::debug},
                           {"info", LogLevel::info},
                           {"warning", LogLevel::warning},
                           {"error", LogLevel::error}},
                          [](Config & c) -> auto& { return c.log.level; })},
        {"log.format", word<LogFormat>(
                           {{"text", LogFormat::text}, {"json", LogFormat::json}},
                           [](Config & c) -> auto& { return c.log.format; })},
    };
    return table;
}

std::optional<ConfigError> take(const toml::table& table, const std::string& prefix,
                                Config& config) {
    for (const auto& [key, node] : table) {
        const std::string name = prefix + std::string{key.str()};
        const std::uint32_t line = node.source().begin.line;
        const auto& known = keys();
        const auto found = std::ranges::find(known, name, &Key::name);
        if (found != known.end()) {
            if (Wrong wrong = found->take(node, config); !wrong.empty())
                return ConfigError{line, fmt::format("`{}` {}", name, wrong)};
            continue;
        }
        const bool section = std::ranges::any_of(
            known, [&](const Key& k) { return k.name.starts_with(name + "."); });
        if (!section || !node.is_table())
            return ConfigError{line, fmt::format("`{}` is no key of this server", name)};
        if (auto error = take(*node.as_table(), name + ".", config)) return error;
    }
    return std::nullopt;
}

/// What goes into certificates and into the broker's settings is one word: a blank or a line end
/// would be a bug further in.
bool one_word(std::string_view text) {
    constexpr std::size_t name_chars_max = 253;  // of a DNS name
    return text.size() <= name_chars_max &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
}

/// What no single key can tell.
std::optional<ConfigError> contradiction(const Config& config) {
    const auto name_bad = [](const std::string& name) { return !one_word(name); };
    if (std::ranges::any_of(config.names, name_bad))
        return ConfigError{0, "`names` must be names and addresses, without blanks"};
    for (const auto& [key, value] : {std::pair{"host", &config.host},
                                     {"broker.address", &config.broker.address},
                                     {"broker.user", &config.broker.user},
                                     {"broker.host", &config.broker.host}})
        if (name_bad(*value))
            return ConfigError{0, fmt::format("`{}` must be one word of printable ASCII", key)};
    if (config.database.url.empty() && !config.database.prepare)
        return ConfigError{0, "`database.prepare` is for the database of `database.url`"};
    if (config.http.certificate.empty() != config.http.key.empty())
        return ConfigError{0, "`http.certificate` and `http.key` belong together"};
    if (!config.http.certificate.empty() && !config.http.tls)
        return ConfigError{0, "`http.certificate` is set, but `http.tls` is false"};
    if (!config.broker.managed && (config.broker.host.empty() || config.broker.port == 0))
        return ConfigError{0, "an external broker needs `broker.host` and `broker.port`"};
    if (config.broker.managed && !config.broker.host.empty())
        return ConfigError{0, "`broker.host` is for an external broker; devices use `host`"};
    if (config.broker.certificate.empty() != config.broker.key.empty())
        return ConfigError{0, "`broker.certificate` and `broker.key` belong together"};
    if (config.broker.managed &&
        !(config.broker.authority.empty() && config.broker.certificate.empty()))
        return ConfigError{0,
                           "`broker.authority`, `broker.certificate` and `broker.key` are for an "
                           "external broker"};
    return std::nullopt;
}

}  // namespace

std::variant<Config, ConfigError> read_config(std::string_view file) {
    Config config;
    try {
        if (auto error = take(toml::parse(file), "", config)) return *error;
    } catch (const toml::parse_error& error) {
        return ConfigError{error.source().begin.line, std::string{error.description()}};
    }
    if (auto error = contradiction(config)) return *error;
    return config;
}

std::vector<std::string> config_keys() {
    std::vector<std::string> out;
    for (const Key& key : keys()) out.emplace_back(key.name);
    return out;
}

}  // namespace pf::server::app
