#include "firmware/verify/display.hpp"

#include <fmt/format.h>

namespace pf::firmware::verify {

ports::Display make_display(const Answer& answer, const Standing& standing) {
    const admission::Verdict& verdict = answer.verdict;
    const admission::Words& words = admission::words(verdict.reason);
    ports::Display display;
    display.kind = verdict.kind;
    display.reason = verdict.reason;
    display.title_zh = words.zh;
    display.title_en = words.en;
    display.do_zh = words.do_zh;
    display.do_en = words.do_en;
    display.light = words.light;
    display.person_light = words.light;
    display.sound = words.sound;
    display.persons = verdict.persons;
    display.persons_left = verdict.persons_left;
    if (answer.claims) {
        display.person_type = answer.claims->person_type;
        display.person_light = admission::words(answer.claims->person_type).light;
    }
    if (verdict.entitlement && standing.products) {
        if (const auto* product = standing.products->find(verdict.entitlement->product)) {
            display.product_zh = product->name_zh;
            display.product_en = product->name_en;
        }
    }
    if (verdict.used) {
        display.used_where = verdict.used->where;
        const Calendar calendar = standing.products ? standing.products->calendar : Calendar{};
        // Local time as on a watch, whatever hour the site's day begins at.
        const Calendar watch{.utc_offset_min = calendar.utc_offset_min, .day_begins_min = 0};
        const int minute = watch.minute_of(verdict.used->at);
        display.used_when =
            fmt::format("{} {:02}:{:02}", to_text(watch.day_of(verdict.used->at)).substr(5),
                        minute / 60, minute % 60);
    }
    return display;
}

}  // namespace pf::firmware::verify
