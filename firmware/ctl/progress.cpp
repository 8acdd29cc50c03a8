#include "firmware/ctl/progress.hpp"

#include <fmt/format.h>

#include <ostream>

namespace pf::firmware::ctl {
namespace {

constexpr const char* line_again = "\r\x1b[K";

}  // namespace

Progress::Progress(Session& session, std::uint64_t bytes, Words afterwards)
    : session_{session}, bytes_{bytes}, afterwards_{std::move(afterwards)} {}

void Progress::moved(std::uint64_t bytes) {
    moved_ += bytes;
    if (moved_ >= bytes_) return show(afterwards_);
    const std::uint64_t percent = moved_ * 100 / bytes_;
    if (percent == percent_shown_) return;
    percent_shown_ = percent;
    show({fmt::format("{} % sent", percent), fmt::format("已发送 {}%", percent)});
}

void Progress::end() {
    if (session_.world().person_watches) session_.world().err << line_again << std::flush;
}

void Progress::show(const Words& words) {
    if (session_.world().person_watches)
        session_.world().err << line_again << session_.pick(words) << std::flush;
}

}  // namespace pf::firmware::ctl
