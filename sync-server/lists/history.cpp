// How long old versions are remembered.
#include "sync-server/lists/repository.hpp"

namespace pf::server::lists {
namespace {

/// Notes which version is the newest now, when that is news. A version that was superseded is
/// younger than the first mark that names a later one.
void note(Repositories& r, const Call& call, const Name& name, const Head& head) {
    // Marks of a clock that ran ahead are not seen until it comes true, and say too little then.
    const auto last = r.lists.mark(name, call.now);
    if (last && (last->version == head.version || call.now - last->at < tick_every_ms)) return;
    r.lists.add_mark(name, {call.now, head.version});
}

/// Lets go of the versions that were superseded long enough ago.
void let_go(Repositories& r, const Call& call, const Name& name, Head& head) {
    const auto mark = r.lists.mark(name, call.now - history_kept_ms);
    if (!mark || mark->version <= head.oldest) return;
    head.oldest = mark->version;
    r.lists.put_head(name.site, name.scope, head);
    r.lists.forget_marks(name, mark->at);
}

}  // namespace

bool tick(Repositories& r, const Call& call) {
    std::size_t room = purge_rows_max;
    for (const Name& name : r.lists.names()) {
        Head head = *r.lists.head(name.site, name.scope);
        note(r, call, name, head);
        let_go(r, call, name, head);
        room -= r.lists.forget(name, head.oldest, room);
        if (room == 0) return true;
    }
    return false;
}

}  // namespace pf::server::lists
