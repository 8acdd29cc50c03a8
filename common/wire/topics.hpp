#pragma once
// Topic names. docs/protocol/sync-v1.md, section 1.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/ids.hpp"

namespace pf::wire {

inline constexpr std::uint32_t partition_count = 16;

/// "pf/1/<partition>/d/<device>/": given to the device with its certificate; opaque to it.
std::string device_root(std::uint32_t partition, const DeviceId& device);
/// What a server subscribes to for one partition: "pf/1/<partition>/d/+/up/#".
std::string partition_filter(std::uint32_t partition);

enum class Up : std::uint8_t { birth, will, events, want, ping, command_reply, begins };
enum class Down : std::uint8_t { ack, news, chunk, buckets, uses, document, time };

std::string_view leaf(Up kind) noexcept;    // "up/birth", …
std::string_view leaf(Down kind) noexcept;  // "dn/ack", …
std::string topic(std::string_view root, Up kind);
std::string topic(std::string_view root, Down kind);

/// The kind of a message on the device's own root; nothing for another root or an unknown leaf.
std::optional<Down> down_of(std::string_view root, std::string_view topic) noexcept;

struct UpTopic {
    std::uint32_t partition;
    DeviceId device;
    Up kind;
};
std::optional<UpTopic> up_of(std::string_view topic);

}  // namespace pf::wire
