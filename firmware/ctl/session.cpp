#include "firmware/ctl/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace pf::firmware::ctl {
namespace {

std::string dumped(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Whole lines, in which only the line ends are control characters: much of a text is what a server
/// said.
std::string ended(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        out += harmless(text.substr(0, end)) + '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out.empty() ? "\n" : out;
}

}  // namespace

std::string plain(const Json& json) {
    if (json.is_string()) return json.get<std::string>();
    if (json.is_null()) return "-";
    if (json.is_array()) {
        std::string out;
        for (const Json& item : json) out += (out.empty() ? "" : ", ") + plain(item);
        return out.empty() ? "-" : out;
    }
    return dumped(json);
}

std::string field(const Json& json, const char* name) {
    return json.is_object() && json.contains(name) ? plain(json[name]) : std::string{};
}

std::string Session::name_in(const Json& named) const {
    return field(named, language_ == Language::chinese ? "name_zh" : "name_en");
}

void Session::document(const Json& document) {
    if (json) world_.out << dumped(document) << '\n';
}

void Session::say(const Words& words) { say(pick(words)); }

void Session::say(std::string_view text) {
    if (!json) world_.out << ended(text) << std::flush;
}

void Session::draw(std::string_view picture) {
    if (!json) world_.out << picture << std::flush;
}

void Session::item(const Json& item, const Words& words) {
    world_.out << (json ? dumped(item) + "\n" : ended(pick(words))) << std::flush;
}

Exit Session::fail(const Failure& failure) {
    if (json) {
        const Json problem = Json::parse(failure.problem, nullptr, false);
        Json error = problem.is_object() ? problem : Json::object();
        error["code"] = failure.code;
        if (!error.contains("detail")) error["detail"] = failure.words.en;
        error["exit"] = static_cast<int>(failure.exit);
        document({{"error", error}});
    }
    world_.err << "paifangctl: " << ended(fmt::format("{} [{}]", pick(failure.words), failure.code))
               << std::flush;
    return failure.exit;
}

Got<Server*> Session::server() {
    if (server_) return server_.get();
    auto found = find_place(place, world_.environment);
    if (!found) return found.error();
    if (idempotency_key.empty()) {
        std::array<Byte, 16> random{};
        world_.entropy.fill(random);
        idempotency_key = "ctl-" + to_hex(random);
    }
    https::Options options;
    options.base_url = found->url;
    options.ca_pem = found->authority_pem;
    server_ = std::make_unique<Server>(world_.connect(options), *found, idempotency_key);
    return server_.get();
}

}  // namespace pf::firmware::ctl
