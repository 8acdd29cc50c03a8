#include "sync-server/http/message.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>

namespace pf::server::http {
namespace {

struct MethodName {
    Method method;
    std::string_view text;
};
constexpr std::array<MethodName, 7> method_names{{{Method::get, "GET"},
                                                  {Method::head, "HEAD"},
                                                  {Method::post, "POST"},
                                                  {Method::put, "PUT"},
                                                  {Method::patch, "PATCH"},
                                                  {Method::del, "DELETE"},
                                                  {Method::options, "OPTIONS"}}};

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string_view to_text(Method method) noexcept {
    for (const auto& name : method_names)
        if (name.method == method) return name.text;
    return {};
}

std::optional<Method> method_from(std::string_view token) noexcept {
    for (const auto& name : method_names)
        if (name.text == token) return name.method;
    return std::nullopt;
}

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
    for (const auto& field : fields_)
        if (same_name(field.first, name)) return field.second;
    return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const noexcept {
    return static_cast<std::size_t>(
        std::count_if(fields_.begin(), fields_.end(),
                      [&](const Field& field) { return same_name(field.first, name); }));
}

void Headers::add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
}

void Headers::set(std::string name, std::string value) {
    erase(name);
    add(std::move(name), std::move(value));
}

void Headers::erase(std::string_view name) {
    std::erase_if(fields_, [&](const Field& field) { return same_name(field.first, name); });
}

const std::string& Request::parameter(std::string_view name) const {
    const auto at = parameters.find(name);
    if (at == parameters.end()) std::abort();  // the route's pattern has no such parameter
    return at->second;
}

std::optional<std::string_view> Request::query_value(std::string_view name) const noexcept {
    const auto at = query.find(name);
    if (at == query.end()) return std::nullopt;
    return at->second;
}

Response json_response(std::string body, int status) {
    return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

}  // namespace pf::server::http
