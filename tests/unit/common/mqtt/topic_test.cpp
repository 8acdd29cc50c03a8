#include <doctest/doctest.h>

#include <string>

#include "common/mqtt/link.hpp"

using namespace pf::mqtt;

TEST_CASE("a filter matches as MQTT 5.0 section 4.7 has it") {
    struct Case {
        std::string_view filter, topic;
        bool matches;
    };
    for (const auto& [filter, topic, matches] : {
             Case{"a/b/c", "a/b/c", true},
             Case{"a/b/c", "a/b", false},
             Case{"a/b", "a/b/c", false},
             Case{"a/+/c", "a/b/c", true},
             Case{"a/+/c", "a/b/d", false},
             Case{"a/+", "a/", true},
             Case{"a/+", "a", false},
             Case{"+", "a", true},
             Case{"+", "/a", false},
             Case{"+/+", "/a", true},
             Case{"/+", "/a", true},
             Case{"#", "a/b/c", true},
             Case{"a/#", "a/b/c", true},
             Case{"a/#", "a/", true},
             Case{"a/#", "a", true},
             Case{"a/#", "ab", false},
             Case{"a/b/#", "a", false},
             Case{"pf/1/+/d/+/up/#", "pf/1/3/d/gate-1/up/events", true},
             Case{"pf/1/+/d/+/up/#", "pf/1/3/d/gate-1/dn/ack", false},
             Case{"A", "a", false},
             Case{"#", "$SYS/uptime", false},
             Case{"+/uptime", "$SYS/uptime", false},
             Case{"$SYS/#", "$SYS/uptime", true},
         }) {
        CAPTURE(filter);
        CAPTURE(topic);
        CHECK(topic_matches(filter, topic) == matches);
    }
}

TEST_CASE("a topic to publish to has no wildcard, no NUL, and a length") {
    CHECK(topic_allowed("pf/1/3/d/gate-1/up/events"));
    CHECK(topic_allowed("/"));
    CHECK(topic_allowed(std::string(topic_bytes_max, 'x')));
    CHECK_FALSE(topic_allowed(std::string(topic_bytes_max + 1, 'x')));
    CHECK_FALSE(topic_allowed(""));
    CHECK_FALSE(topic_allowed("a/#"));
    CHECK_FALSE(topic_allowed("a/+/b"));
    CHECK_FALSE(topic_allowed(std::string_view{"a\0b", 3}));
}
