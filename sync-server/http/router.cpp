#include "sync-server/http/router.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>

#include "sync-server/http/target.hpp"

namespace pf::server::http {
namespace {

bool is_parameter(std::string_view segment) noexcept {
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

std::string_view parameter_name(std::string_view segment) noexcept {
    return segment.substr(1, segment.size() - 2);
}

std::vector<std::string> split(std::string_view path) {
    std::vector<std::string> segments;
    path.remove_prefix(1);
    for (;;) {
        const auto slash = path.find('/');
        segments.emplace_back(path.substr(0, slash));
        if (slash == std::string_view::npos) return segments;
        path.remove_prefix(slash + 1);
    }
}

bool well_formed(const std::vector<std::string>& segments) {
    std::set<std::string_view> names;
    for (const auto& segment : segments) {
        if (is_parameter(segment)) {
            if (!names.insert(parameter_name(segment)).second) return false;
        } else if (segment.find_first_of("{}%?#") != std::string::npos) {
            return false;
        }
        if (segment.empty() && segments.size() > 1) return false;
    }
    return true;
}

/// Same shape: would match exactly the same paths.
bool same_shape(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const std::string& x, const std::string& y) {
                          return is_parameter(x) ? is_parameter(y) : x == y;
                      });
}

/// Literal segments first, from the left: "/a/{x}" loses to "/a/b".
bool more_literal(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        if (is_parameter(a[i]) != is_parameter(b[i])) return is_parameter(b[i]);
    return false;
}

bool matches(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
    return std::equal(pattern.begin(), pattern.end(), path.begin(), path.end(),
                      [](const std::string& wanted, const std::string& given) {
                          return is_parameter(wanted) ? !given.empty() : wanted == given;
                      });
}

}  // namespace

void Router::add(Route route) {
    if (route.path.empty() || route.path.front() != '/') std::abort();
    if (static_cast<bool>(route.handler) == static_cast<bool>(route.upload)) std::abort();
    Pattern pattern{split(route.path)};
    if (!well_formed(pattern.segments)) std::abort();
    for (std::size_t i = 0; i < routes_.size(); ++i)
        if (routes_[i].method == route.method &&
            same_shape(patterns_[i].segments, pattern.segments))
            std::abort();
    routes_.push_back(std::move(route));
    patterns_.push_back(std::move(pattern));
}

void Router::add(Method method, std::string path, Handler handler) {
    add(Route{.method = method, .path = std::move(path), .handler = std::move(handler)});
}

Router::Match Router::find(Method method, std::string_view path) const {
    if (path.empty() || path.front() != '/') return NotFound{};
    std::vector<std::string> segments;
    for (const auto& raw : split(path)) {
        auto decoded = percent_decoded(raw, PlusSign::literal);
        if (!decoded) return BadPath{};
        segments.push_back(std::move(*decoded));
    }

    // The most literal pattern names the resource; only then does the method choose.
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < routes_.size(); ++i)
        if (matches(patterns_[i].segments, segments) &&
            (!best || more_literal(patterns_[i].segments, patterns_[*best].segments)))
            best = i;
    if (!best) return NotFound{};

    const Route* chosen = nullptr;
    const Route* get = nullptr;
    std::set<std::string_view> allowed{to_text(Method::options)};
    std::size_t chosen_at = 0;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        if (!same_shape(patterns_[i].segments, patterns_[*best].segments)) continue;
        allowed.insert(to_text(routes_[i].method));
        if (routes_[i].method == Method::get) {
            allowed.insert(to_text(Method::head));
            get = &routes_[i];
            if (method == Method::head && !chosen) chosen = get, chosen_at = i;
        }
        if (routes_[i].method == method) chosen = &routes_[i], chosen_at = i;
    }
    if (!chosen) {
        std::string allow;
        for (const auto name : allowed) allow += (allow.empty() ? "" : ", ") + std::string{name};
        return OtherMethods{std::move(allow)};
    }
    Found found{chosen, {}};
    for (std::size_t i = 0; i < segments.size(); ++i)
        if (const auto& wanted = patterns_[chosen_at].segments[i]; is_parameter(wanted))
            found.parameters.emplace(parameter_name(wanted), std::move(segments[i]));
    return found;
}

}  // namespace pf::server::http
