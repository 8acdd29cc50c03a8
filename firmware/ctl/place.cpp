#include "firmware/ctl/place.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "firmware/ctl/files.hpp"

namespace pf::firmware::ctl {
namespace {

constexpr std::uint64_t small_file_bytes_max = 64 * 1024;
constexpr std::string_view key_prefix = "pfk_";

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
        text.pop_back();
    return text;
}

std::string said_or(const std::string& said, const Environment& environment, const char* name) {
    return said.empty() ? environment(name).value_or(std::string{}) : said;
}

/// The URL in ports.json: where the server really listens, its port chosen by the kernel perhaps.
Got<std::string> url_in(const std::filesystem::path& path) {
    const auto text = read_file(path, small_file_bytes_max);
    if (!text)
        return file_failure("server_not_running", path,
                            {"not there: is the server running with this data folder?",
                             "不存在：服务器是用这个数据目录运行的吗？"});
    const auto json = nlohmann::json::parse(*text, nullptr, false);
    if (json.is_object() && json.contains("http") && json["http"].is_number_unsigned()) {
        const bool tls = !json.contains("tls") || json["tls"] != false;
        // Its own certificate names this address always.
        return fmt::format("{}://127.0.0.1:{}", tls ? "https" : "http",
                           json["http"].get<std::uint64_t>());
    }
    return file_failure("ports_malformed", path,
                        {"names no \"http\" port of a server", "里面没有服务器的 \"http\" 端口"});
}

Got<Place> from_data(const std::filesystem::path& data) {
    Place place;
    const auto url = url_in(data / "ports.json");
    if (!url) return url.error();
    place.url = *url;
    const auto authority = read_file(data / "authority.pem", small_file_bytes_max);
    if (!authority) return authority.error();
    place.authority_pem = *authority;
    // The key file is taken away on careful servers; another key may then be named.
    std::error_code error;
    if (std::filesystem::exists(data / "admin.key", error)) {
        const auto key = read_file(data / "admin.key", small_file_bytes_max);
        if (!key) return key.error();
        place.key = trimmed(*key);
    }
    return place;
}

}  // namespace

bool place_named(const PlaceOptions& said, const Environment& environment) {
    return !said_or(said.data, environment, "PAIFANG_DATA").empty() ||
           !said_or(said.server, environment, "PAIFANG_SERVER").empty();
}

Got<Place> find_place(const PlaceOptions& said, const Environment& environment) {
    const std::string data = said_or(said.data, environment, "PAIFANG_DATA");
    const std::string server = said_or(said.server, environment, "PAIFANG_SERVER");
    const std::string ca = said_or(said.ca, environment, "PAIFANG_CA");
    const std::string key = said_or(said.key, environment, "PAIFANG_KEY");
    if (data.empty() && server.empty())
        return Failure{.exit = Exit::usage,
                       .code = "server_not_named",
                       .words = {"say which server: --data FOLDER, or --server URL --ca FILE "
                                 "--key FILE, or PAIFANG_SERVER, PAIFANG_CA and PAIFANG_KEY",
                                 "请说明服务器：--data 目录，或 --server 网址 --ca 文件 --key "
                                 "文件，或环境变量 PAIFANG_SERVER、PAIFANG_CA、PAIFANG_KEY"}};
    Place place;
    // A URL on the command line beats a folder of the environment.
    if (!data.empty() && (said.server.empty() || !said.data.empty())) {
        auto found = from_data(data);
        if (!found) return found.error();
        place = *found;
    }
    if (!said.server.empty() || place.url.empty()) place.url = server;
    if (!ca.empty() && (!said.ca.empty() || place.authority_pem.empty())) {
        const auto pem = read_file(ca, small_file_bytes_max);
        if (!pem) return pem.error();
        place.authority_pem = *pem;
    }
    if (!key.empty() && (!said.key.empty() || place.key.empty())) {
        // Only from the environment: on a command line every user of the machine could read it.
        if (said.key.empty() && key.starts_with(key_prefix)) {
            place.key = trimmed(key);
        } else {
            const auto text = read_file(key, small_file_bytes_max);
            if (!text) return text.error();
            place.key = trimmed(*text);
        }
    }
    return place;
}

}  // namespace pf::firmware::ctl
