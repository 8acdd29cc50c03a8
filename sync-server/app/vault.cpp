#include "sync-server/app/vault.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "common/crypto/crypto.hpp"

namespace pf::server::app {

store::Store::Options store_options(const DataDir& directory, const Config::Database& database,
                                    WallTime now, Log& log) {
    return {.database = database.url.empty() ? (directory / "server.db").string() : database.url,
            .vfs = {},
            .threaded = true,
            .now = now,
            .prepare_on_server = database.prepare,
            .tell = [&log](std::string_view what) {
                log.say(LogLevel::warning, "database", {{"detail", std::string{what}}});
            }};
}

namespace {

/// Tells keys apart without saying anything about them.
std::string mark_of(const fleet::Keys& keys) {
    constexpr std::string_view label = "paifang: which keys are these";
    return to_hex(crypto::hmac_sha256(keys.master, as_bytes(label))) + " " +
           to_hex(crypto::sha256(as_bytes(keys.authority_pem)));
}

/// Nothing: this database is used with these keys, from now on with no others.
std::optional<StartFailure> bind_keys(store::Store& store, const fleet::Keys& keys,
                                      const DataDir& directory) {
    constexpr std::string_view name = "keys";
    bool others = false;
    const std::string mark = mark_of(keys);
    const auto fault = store.write_now([&](Repositories& r) {
        const auto known = r.meta.value(name);
        others = known && *known != mark;
        if (!known) r.meta.put(name, mark);
        return store::Decision::keep;
    });
    if (fault)
        return StartFailure{Exit::data_unusable, fmt::format("the database can't be written: {}",
                                                             store::to_text(*fault))};
    if (!others) return std::nullopt;
    return StartFailure{
        Exit::data_unusable,
        fmt::format("the database belongs to other keys than those in {}: every server of a "
                    "database has the same master.key, authority.key and authority.pem",
                    directory.path().string())};
}

}  // namespace

std::variant<Vault, StartFailure> open_vault(const DataDir& directory,
                                             const Config::Database& database, Entropy& entropy,
                                             WallTime now, Log& log) {
    if (auto wrong = directory.prepare()) return StartFailure{Exit::data_unusable, *wrong};
    // First of all: a second process must not make keys beside us.
    auto lock = std::make_unique<DirLock>(directory / "lock");
    const auto in_use = [&] {
        return StartFailure{Exit::in_use, fmt::format("another paifang-server is using {}",
                                                      directory.path().string())};
    };
    if (!lock->opened())
        return StartFailure{Exit::data_unusable,
                            fmt::format("{} can't be opened", (directory / "lock").string())};
    if (!lock->held()) return in_use();
    const auto options = store_options(directory, database, now, log);
    const std::string& where = options.database;
    auto store = store::Store::open(options);
    if (store.has_error()) {
        if (store.error() == store::Fault::in_use) return in_use();
        return StartFailure{Exit::data_unusable,
                            fmt::format("{} can't be opened: {}", store::printable(where),
                                        store::to_text(store.error()))};
    }
    bool fresh = false;
    const auto fault = (*store)->read(
        [&](Repositories& r) { fresh = access::keys(r).empty() && fleet::sites(r).empty(); });
    if (fault)
        return StartFailure{
            Exit::data_unusable,
            fmt::format("{} can't be read: {}", store::printable(where), store::to_text(*fault))};
    // A database in use without its master key must not get a new one: its secrets would be lost.
    if (!fresh && !std::filesystem::exists(directory / "master.key"))
        return StartFailure{
            Exit::data_unusable,
            fmt::format("{} is missing, but there is a database sealed with it: restore it",
                        (directory / "master.key").string())};
    // Nor a new authority: every device would have to be paired anew, and none would know why.
    for (const char* name : {"authority.key", "authority.pem"})
        if (!fresh && !std::filesystem::exists(directory / name))
            return StartFailure{
                Exit::data_unusable,
                fmt::format("{} is missing, but there is a database whose devices know it: "
                            "restore it",
                            (directory / name).string())};
    auto keys = directory.keys(entropy);
    if (auto* wrong = std::get_if<std::string>(&keys))
        return StartFailure{Exit::data_unusable, std::move(*wrong)};
    if (auto failure = bind_keys(**store, std::get<fleet::Keys>(keys), directory)) return *failure;
    return Vault{std::move(lock), std::get<fleet::Keys>(std::move(keys)), std::move(*store)};
}

namespace {

/// The same call makes the same key, so it can be looked at before it is kept.
std::variant<access::NewKey, std::string> try_key(store::Store& store, const Call& call,
                                                  const std::string& name,
                                                  access::Permissions permissions, bool keep) {
    std::optional<Result<access::NewKey, access::Refusal>> made;
    const auto fault = store.write_now([&](Repositories& r) {
        made = access::create_key(r, call, name, permissions);
        if (made->has_error() || !keep) return store::Decision::undo;
        access::record(
            r, call,
            {.action = "create key", .target = "key " + (*made)->key.id, .outcome = "done"});
        return store::Decision::keep;
    });
    if (fault) return std::string{store::to_text(*fault)};
    if (made->has_error()) return std::string{access::to_text(made->error())};
    return **made;
}

Call call_at(WallTime now, Entropy& entropy) {
    Call call{.now = now, .seed = {}, .actor = "system"};
    entropy.fill(call.seed);
    return call;
}

}  // namespace

std::variant<access::NewKey, std::string> make_key(store::Store& store, Entropy& entropy,
                                                   WallTime now, const std::string& name,
                                                   access::Permissions permissions) {
    return try_key(store, call_at(now, entropy), name, permissions, true);
}

std::variant<std::optional<std::string>, std::string> first_key(const DataDir& directory,
                                                                store::Store& store,
                                                                Entropy& entropy, WallTime now) {
    bool any = false;
    if (const auto fault = store.read([&](Repositories& r) { any = !access::keys(r).empty(); }))
        return std::string{store::to_text(*fault)};
    if (any) return std::optional<std::string>{};
    // Written before it is kept: a power cut in between leaves a file that opens nothing, and the
    // next start makes both again. The other order could leave a platform nobody has a key to.
    const Call call = call_at(now, entropy);
    const access::Permissions all{access::Permission::admin};
    auto made = try_key(store, call, "admin", all, false);
    if (auto* wrong = std::get_if<std::string>(&made)) return std::move(*wrong);
    const std::string text = std::get<access::NewKey>(made).text;
    if (!write_private(directory / "admin.key", text + "\n"))
        return fmt::format("{} can't be written", (directory / "admin.key").string());
    made = try_key(store, call, "admin", all, true);
    if (auto* wrong = std::get_if<std::string>(&made)) return std::move(*wrong);
    return std::optional{text};
}

/// To a person at a terminal only: what is not one is a log, which is kept and read by others.
void tell_first_key(const DataDir& directory, const std::string& text) {
    const std::string file = (directory / "admin.key").string();
    if (::isatty(STDERR_FILENO) == 1)
        std::cerr << "First start. The admin key, shown this once:\n" << text << '\n';
    std::cerr << "First start. The admin key is in " << file
              << ", for you alone. Make keys for daily work with it, then put it where keys are\n"
                 "kept and remove the file: whoever reads it may do everything.\n";
}

}  // namespace pf::server::app
