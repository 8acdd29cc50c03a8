// Topic names. docs/protocol/sync-v1.md, section 1.
#include "common/wire/topics.hpp"

#include <cassert>
#include <charconv>
#include <iterator>

namespace pf::wire {

namespace {

constexpr std::string_view protocol = "pf/1/";
constexpr std::string_view device_branch = "/d/";

// In the order of the enums.
constexpr std::string_view up_leaves[] = {"up/birth", "up/will",  "up/events", "up/want",
                                          "up/ping",  "up/reply", "up/begins"};
constexpr std::string_view down_leaves[] = {"dn/ack",  "dn/news",     "dn/chunk", "dn/buckets",
                                            "dn/uses", "dn/document", "dn/time"};
static_assert(std::size(up_leaves) == std::size_t{1} + static_cast<std::size_t>(Up::begins));
static_assert(std::size(down_leaves) == std::size_t{1} + static_cast<std::size_t>(Down::time));

template <class Kind, std::size_t N>
std::optional<Kind> kind_of_leaf(const std::string_view (&leaves)[N], std::string_view text) {
    for (std::size_t i = 0; i < N; ++i) {
        if (leaves[i] == text) return static_cast<Kind>(i);
    }
    return std::nullopt;
}

/// Cuts `prefix` off the front of `text`, or says it was not there.
bool skip(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

/// A partition as device_root() writes it: no sign, no leading zero.
std::optional<std::uint32_t> take_partition(std::string_view& text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || value >= partition_count) return std::nullopt;
    if (!skip(text, std::to_string(value))) return std::nullopt;
    return value;
}

std::string partition_root(std::uint32_t partition) {
    assert(partition < partition_count);
    return std::string{protocol} + std::to_string(partition) + std::string{device_branch};
}

}  // namespace

std::string device_root(std::uint32_t partition, const DeviceId& device) {
    return partition_root(partition) + device.text() + '/';
}

std::string partition_filter(std::uint32_t partition) {
    return partition_root(partition) + "+/up/#";
}

std::string_view leaf(Up kind) noexcept { return up_leaves[static_cast<std::size_t>(kind)]; }
std::string_view leaf(Down kind) noexcept { return down_leaves[static_cast<std::size_t>(kind)]; }

std::string topic(std::string_view root, Up kind) {
    return std::string{root} + std::string{leaf(kind)};
}
std::string topic(std::string_view root, Down kind) {
    return std::string{root} + std::string{leaf(kind)};
}

std::optional<Down> down_of(std::string_view root, std::string_view topic) noexcept {
    if (!skip(topic, root)) return std::nullopt;
    return kind_of_leaf<Down>(down_leaves, topic);
}

std::optional<UpTopic> up_of(std::string_view topic) {
    if (!skip(topic, protocol)) return std::nullopt;
    const auto partition = take_partition(topic);
    if (!partition || !skip(topic, device_branch)) return std::nullopt;
    const std::size_t slash = topic.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto device = DeviceId::parse(topic.substr(0, slash));
    const auto kind = kind_of_leaf<Up>(up_leaves, topic.substr(slash + 1));
    if (!device || !kind) return std::nullopt;
    return UpTopic{*partition, *device, *kind};
}

}  // namespace pf::wire
