#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "common/admission/decide.hpp"
#include "common/admission/reason.hpp"

namespace pf::firmware::ports {

/// Everything a person beside the device is told about one answer. Boards turn it into light,
/// sound, spoken words and a screen.
struct Display {
    admission::Verdict::Kind kind = admission::Verdict::Kind::refuse;
    admission::Reason reason = admission::Reason::unknown_code;
    std::string title_zh, title_en;  // the reason in words
    std::string do_zh, do_en;        // what to do
    std::string product_zh, product_en;
    std::optional<ticket::PersonType> person_type;
    std::uint16_t persons = 0;
    std::uint16_t persons_left = 0;
    std::string used_where;  // already used: device …
    std::string used_when;   // … and local time "05-01 09:30"
    admission::Light light = admission::Light::red;
    admission::Light person_light = admission::Light::red;
    admission::Sound sound = admission::Sound::buzz;
};

class Cue {
public:
    virtual ~Cue() = default;
    virtual void show(const Display& display) = 0;
};

}  // namespace pf::firmware::ports
