#include "sync-server/store/store.hpp"

#include <future>
#include <stdexcept>

#include "sync-server/store/engine.hpp"

namespace pf::server::store {
namespace {

constexpr std::string_view url_schemes[] = {"postgresql://", "postgres://"};

std::string_view scheme_of(std::string_view database) {
    for (const std::string_view scheme : url_schemes)
        if (database.starts_with(scheme)) return scheme;
    return {};
}

}  // namespace

std::string_view to_text(Fault fault) noexcept {
    switch (fault) {
        case Fault::unavailable:
            return "the database can't be reached or opened";
        case Fault::disk_full:
            return "the disk of the database is full";
        case Fault::io_error:
            return "the database's disk reports errors";
        case Fault::in_use:
            return "another server process has this database file";
        case Fault::schema_newer:
            return "the database was written by a newer release";
        case Fault::damaged:
            return "what the database holds can't be read";
        case Fault::busy:
            return "too much waits for the database";
        case Fault::stopped:
            return "the store is stopping";
        case Fault::failed:
            return "the transaction broke off, which is a bug";
        case Fault::uncertain:
            return "the database went away during a commit: whether it was kept is not known";
        case Fault::unsuitable:
            return "the database is set up in a way this server can't work with";
    }
    std::abort();
}

std::string printable(std::string_view database) {
    const std::string_view scheme = scheme_of(database);
    if (scheme.empty()) return std::string{database};
    std::string_view rest = database.substr(scheme.size());
    // A password may hold '@', '/' and '?' unescaped: whatever stands before the last '@' may be
    // one.
    const std::size_t user_end = rest.rfind('@');
    if (user_end != std::string_view::npos) rest.remove_prefix(user_end + 1);
    rest = rest.substr(0, rest.find('?'));
    return "postgresql://" + std::string{rest};
}

Fault fault_of_own(const std::exception& error) noexcept {
    return dynamic_cast<const std::runtime_error*>(&error) != nullptr ? Fault::damaged
                                                                      : Fault::failed;
}

std::string first_line(std::string_view message) {
    return std::string{message.substr(0, message.find('\n'))};
}

Result<std::unique_ptr<Store>, Fault> Store::open(const Options& options) {
    return scheme_of(options.database).empty() ? open_sqlite(options) : open_postgres(options);
}

std::optional<Fault> Store::write_now(Transaction transaction) {
    auto done = std::make_shared<std::promise<std::optional<Fault>>>();
    auto future = done->get_future();
    write(std::move(transaction), [done](std::optional<Fault> fault) { done->set_value(fault); });
    return future.get();
}

}  // namespace pf::server::store
