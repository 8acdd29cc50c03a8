#include "common/mqtt/link.hpp"

#include <cstdlib>

namespace pf::mqtt {

namespace {

/// The first level of a topic; `rest` becomes what follows its '/', nothing when it was the last.
std::string_view take_level(std::optional<std::string_view>& rest) {
    const std::string_view text = *rest;
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) {
        rest.reset();
        return text;
    }
    rest = text.substr(slash + 1);
    return text.substr(0, slash);
}

}  // namespace

std::string_view to_text(Fault fault) noexcept {
    switch (fault) {
        case Fault::unreachable:
            return "unreachable";
        case Fault::tls_refused:
            return "tls_refused";
        case Fault::connect_refused:
            return "connect_refused";
        case Fault::not_authorised:
            return "not_authorised";
        case Fault::rejected:
            return "rejected";
        case Fault::lost:
            return "lost";
        case Fault::down:
            return "down";
        case Fault::window_full:
            return "window_full";
        case Fault::too_large:
            return "too_large";
        case Fault::bad_topic:
            return "bad_topic";
        case Fault::subscription_refused:
            return "subscription_refused";
    }
    std::abort();  // a value outside the enum means memory is corrupt
}

bool topic_allowed(std::string_view topic) noexcept {
    constexpr std::string_view forbidden{"+#\0", 3};
    return !topic.empty() && topic.size() <= topic_bytes_max &&
           topic.find_first_of(forbidden) == std::string_view::npos;
}

bool topic_matches(std::string_view filter, std::string_view topic) noexcept {
    // A leading wildcard does not reach the broker's own topics (section 4.7.2).
    if (topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'))) {
        return false;
    }
    std::optional<std::string_view> filters{filter};
    std::optional<std::string_view> topics{topic};
    while (filters) {
        const std::string_view wanted = take_level(filters);
        // '#' also stands for the parent level: "a/#" matches "a".
        if (wanted == "#") return true;
        if (!topics) return false;
        const std::string_view level = take_level(topics);
        if (wanted != "+" && wanted != level) return false;
    }
    return !topics;
}

}  // namespace pf::mqtt
