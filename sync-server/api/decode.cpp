#include "sync-server/api/decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "common/base/bytes.hpp"

namespace pf::server::api {

Object::Object(Errors& errors, const Json* value, std::string pointer)
    : errors_{errors}, value_{value}, pointer_{std::move(pointer)} {
    if (value_ != nullptr && !value_->is_object()) {
        add(pointer_, "wrong_type", "must be an object");
        value_ = nullptr;
    }
}

void Object::add(std::string at, std::string code, std::string detail) {
    if (errors_.size() < Body::errors_max)
        errors_.push_back({std::move(at), std::move(code), std::move(detail)});
}

void Object::refuse(std::string_view name, std::string code, std::string detail) {
    add(fmt::format("{}/{}", pointer_, name), std::move(code), std::move(detail));
}

const Json* Object::take(std::string_view name, bool required) {
    known_.emplace_back(name);
    if (value_ == nullptr) return nullptr;
    const auto found = value_->find(std::string{name});
    // An explicit null says the same as leaving it out.
    if (found != value_->end() && !found->is_null()) return &*found;
    if (required) refuse(name, "missing", "is required");
    return nullptr;
}

bool Object::has(std::string_view name) const {
    return value_ != nullptr && value_->contains(std::string{name});
}

std::optional<std::string> Object::text_of(const Json& value, const std::string& at,
                                           std::size_t bytes_min, std::size_t bytes_max,
                                           bool lines) {
    if (!value.is_string()) {
        add(at, "wrong_type", "must be a text");
        return std::nullopt;
    }
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() < bytes_min || text.size() > bytes_max) {
        add(at, text.size() < bytes_min ? "too_short" : "too_long",
            fmt::format("must have {} to {} bytes", bytes_min, bytes_max));
        return std::nullopt;
    }
    const auto control = [lines](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && !(lines && (c == '\n' || c == '\r'))) ||
               c == 0x7f;
    };
    if (std::ranges::any_of(text, control)) {
        add(at, "control_character", "must not contain control characters");
        return std::nullopt;
    }
    return text;
}

std::string Object::text(std::string_view name, std::size_t bytes_min, std::size_t bytes_max) {
    const Json* value = take(name, true);
    if (value == nullptr) return {};
    return text_of(*value, fmt::format("{}/{}", pointer_, name), bytes_min, bytes_max, false)
        .value_or("");
}

std::string Object::text_or(std::string_view name, std::string fallback, std::size_t bytes_max) {
    return text_if(name, bytes_max).value_or(std::move(fallback));
}

std::optional<std::string> Object::text_if(std::string_view name, std::size_t bytes_max) {
    const Json* value = take(name, false);
    if (value == nullptr) return std::nullopt;
    return text_of(*value, fmt::format("{}/{}", pointer_, name), 0, bytes_max, false);
}

std::string Object::block(std::string_view name, std::size_t bytes_max) {
    const Json* value = take(name, true);
    if (value == nullptr) return {};
    return text_of(*value, fmt::format("{}/{}", pointer_, name), 1, bytes_max, true).value_or("");
}

std::optional<std::int64_t> Object::whole_of(const Json& value, const std::string& at,
                                             std::int64_t min, std::int64_t max) {
    // 1.0 and 1e3 are floating-point to a JSON parser; ids and counts are written as whole numbers.
    if (!value.is_number_integer()) {
        add(at, "wrong_type", "must be a whole number");
        return std::nullopt;
    }
    const bool huge = value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX;
    const std::int64_t number = huge ? INT64_MAX : value.get<std::int64_t>();
    if (huge || number < min || number > max) {
        add(at, "out_of_range", fmt::format("must be {} to {}", min, max));
        return std::nullopt;
    }
    return number;
}

std::int64_t Object::whole(std::string_view name, std::optional<std::int64_t> fallback,
                           std::int64_t min, std::int64_t max) {
    const Json* value = take(name, !fallback);
    if (value == nullptr) return fallback.value_or(min);
    return whole_of(*value, fmt::format("{}/{}", pointer_, name), min, max).value_or(min);
}

bool Object::flag_or(std::string_view name, bool fallback) {
    const Json* value = take(name, false);
    if (value == nullptr) return fallback;
    if (value->is_boolean()) return value->get<bool>();
    refuse(name, "wrong_type", "must be true or false");
    return fallback;
}

Day Object::day(std::string_view name) {
    const Json* value = take(name, true);
    if (value == nullptr) return {};
    if (!value->is_string()) {
        refuse(name, "wrong_type", "must be a day like 2026-05-01");
        return {};
    }
    const auto day = day_from(value->get_ref<const std::string&>());
    if (!day) refuse(name, "day_bad", "must be a day like 2026-05-01");
    return day.value_or(Day{});
}

Object Object::object(std::string_view name, bool required) {
    const Json* value = take(name, required);
    return Object{errors_, value, fmt::format("{}/{}", pointer_, name)};
}

void Object::done() {
    if (value_ == nullptr) return;
    for (const auto& [name, value] : value_->items()) {
        if (std::ranges::find(known_, name) != known_.end()) continue;
        // RFC 6901: '~' and '/' of a name are escaped.
        std::string escaped;
        for (const char c : name) escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string{c};
        add(pointer_ + "/" + escaped, "unknown_field", "is no field of this object");
    }
}

// --- body
// ---------------------------------------------------------------------------------------------

namespace {

/// The library would keep the last of two equal names; what was meant is anyone's guess.
class DuplicateFinder {
public:
    bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
        if (static_cast<std::size_t>(depth) > Body::depth_max) too_deep = true;
        if (event == Json::parse_event_t::object_start) names_.emplace_back();
        if (event == Json::parse_event_t::object_end && !names_.empty()) names_.pop_back();
        if (event == Json::parse_event_t::key && !names_.empty() &&
            !names_.back().insert(parsed.get_ref<const std::string&>()).second)
            twice = parsed.get<std::string>();
        return true;
    }
    std::optional<std::string> twice;
    bool too_deep = false;

private:
    std::vector<std::set<std::string>> names_;
};

bool is_json(std::string_view content_type) {
    const auto media = content_type.substr(0, content_type.find(';'));
    std::string lower;
    for (const char c : media)
        if (c != ' ') lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    return lower == "application/json";
}

}  // namespace

Body::Body(const http::Request& request) {
    const auto type = request.headers.find("Content-Type");
    if (type && !is_json(*type)) {
        unreadable_ = {.status = 415,
                       .code = "media_type_unsupported",
                       .detail = "this route takes application/json"};
        return;
    }
    DuplicateFinder finder;
    const Json::parser_callback_t callback = [&finder](int depth, Json::parse_event_t event,
                                                       Json& parsed) {
        return finder(depth, event, parsed);
    };
    // An act without arguments may be sent without a body.
    if (request.body.empty()) {
        value_ = Json::object();
        return;
    }
    value_ = Json::parse(request.body, callback, false);
    if (value_.is_discarded())
        unreadable_ = {.status = 400, .code = "json_malformed", .detail = "the body is not JSON"};
    else if (finder.too_deep)
        unreadable_ = {.status = 400, .code = "json_too_deep", .detail = "nested too deeply"};
    else if (finder.twice)
        unreadable_ = {.status = 400,
                       .code = "json_name_twice",
                       .detail = "a name is used twice in one object"};
}

Object Body::root() { return Object{errors_, unreadable_ ? nullptr : &value_, ""}; }

http::Problem Body::problem() const {
    if (unreadable_) return *unreadable_;
    return {.status = 422,
            .code = "body_invalid",
            .detail = "the fields named in `errors` can't be accepted",
            .errors = errors_};
}

// --- paths and queries
// -------------------------------------------------------------------------------

std::optional<std::uint64_t> number_of(std::string_view text, std::uint64_t max) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > max)
        return std::nullopt;
    return value;
}

http::Problem query_problem(std::string_view name, std::string detail) {
    return {.status = 400,
            .code = "query_invalid",
            .detail = fmt::format("query parameter `{}` {}", name, detail)};
}

std::variant<http::Problem, Page> page_of(const http::Request& request,
                                          std::initializer_list<std::string_view> also) {
    Page page{.limit = page_default, .cursor = {}};
    for (const auto& [name, value] : request.query) {
        if (name == "limit") {
            const auto limit = number_of(value, page_max);
            if (!limit || *limit == 0)
                return query_problem(name, fmt::format("must be 1 to {}", page_max));
            page.limit = *limit;
        } else if (name == "cursor") {
            page.cursor = value;
        } else if (std::ranges::find(also, name) == also.end()) {
            return query_problem(name, "is not known here");
        }
    }
    return page;
}

std::string to_cursor(std::string_view kind, std::uint64_t a, std::uint64_t b) {
    return to_hex(as_bytes(fmt::format("{}:{}:{}", kind, a, b)));
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> from_cursor(std::string_view kind,
                                                                   std::string_view text) {
    const auto bytes = from_hex(text);
    if (!bytes) return std::nullopt;
    std::string_view rest = as_text(*bytes);
    if (!rest.starts_with(kind) || rest.size() <= kind.size() || rest[kind.size()] != ':')
        return std::nullopt;
    rest.remove_prefix(kind.size() + 1);
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto a = number_of(rest.substr(0, colon), INT64_MAX);
    const auto b = number_of(rest.substr(colon + 1), UINT64_MAX);  // may be an id
    if (!a || !b) return std::nullopt;
    return std::pair{*a, *b};
}

}  // namespace pf::server::api
