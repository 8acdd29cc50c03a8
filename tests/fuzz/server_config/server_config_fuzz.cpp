// Whatever stands in an administrator's server.toml: it is read or refused with a line of the file
// and words, a comment behind it changes nothing, and what is read keeps the promises of
// config.hpp.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "sync-server/app/config.hpp"

namespace {

using namespace pf::server::app;

void require(bool holds) {
    if (!holds) std::abort();
}

void check(const Config& config) {
    require(config.http.threads >= 1 && config.http.threads <= 64);
    require(config.http.certificate.empty() == config.http.key.empty());
    require(config.http.certificate.empty() || config.http.tls);
    require(!config.host.empty() && config.names.size() <= 24);
    require(std::ranges::none_of(config.names, &std::string::empty));
    if (config.broker.managed)
        require(config.broker.host.empty());
    else
        require(!config.broker.host.empty() && config.broker.port != 0);
}

/// Whether two readings are the same as far as a difference could come from a comment.
bool same(const std::variant<Config, ConfigError>& a, const std::variant<Config, ConfigError>& b) {
    if (a.index() != b.index()) return false;
    if (const auto* error = std::get_if<ConfigError>(&a))
        return error->line == std::get<ConfigError>(b).line;
    const auto& one = std::get<Config>(a);
    const auto& other = std::get<Config>(b);
    return one.data == other.data && one.host == other.host && one.names == other.names &&
           one.http.port == other.http.port && one.broker.port == other.broker.port &&
           one.log.level == other.log.level;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto read = read_config(text);
    if (const auto* error = std::get_if<ConfigError>(&read)) {
        require(!error->message.empty());
        require(error->line <= static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1);
        return 0;
    }
    check(std::get<Config>(read));
    require(same(read_config(text + "\n# done\n"), read));
    return 0;
}
