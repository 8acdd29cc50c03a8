#include "sync-server/app/slices.hpp"

namespace pf::server::app {

void Slices::begin() {
    if (!std::exchange(under_way_, true)) next();
}

void Slices::next() {
    auto more = std::make_shared<bool>(false);
    core_.keep_house(
        [self = shared_from_this(), more](Repositories& r,
                                          const Call& call) -> std::optional<Committed> {
            Committed done;
            *more = self->piece_(r, call, done);
            return done;
        },
        [self = shared_from_this(), more](std::optional<store::Fault> fault) {
            if (!fault && *more && !self->ended_) return self->next();
            self->under_way_ = false;
        });
}

}  // namespace pf::server::app
