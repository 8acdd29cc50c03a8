#include <charconv>

#include "sync-server/store/repositories.hpp"

namespace pf::server::store {
namespace {

class SociMeta final : public Meta {
public:
    SociMeta(Sql& sql, std::int64_t tenant) : sql_{sql}, tenant_{tenant} {}

    Generation generation() override {
        const auto text = value("generation");
        std::uint64_t number = 0;
        if (text) std::from_chars(text->data(), text->data() + text->size(), number);
        return Generation{number};
    }

    Generation begin_generation(WallTime now, std::string_view why) override {
        // Milliseconds make generations of independent restores of one backup differ and rise; the
        // maximum keeps them rising when the clock went back.
        const std::uint64_t wall =
            static_cast<std::uint64_t>(std::max<std::int64_t>(to_ms(now), 1));
        const Generation next{std::max(generation().value + 1, wall)};
        put("generation", std::to_string(next.value));
        put("generation_why", why);
        return next;
    }

    std::optional<std::string> value(std::string_view name) override {
        return sql_.first("SELECT value FROM meta WHERE tenant = :a AND name = :b", {tenant_, name},
                          "t", [](const Row& row) { return row.text(0); });
    }

    void put(std::string_view name, std::string_view value) override {
        sql_.run(
            "INSERT INTO meta (tenant, name, value) VALUES (:a, :b, :c)"
            " ON CONFLICT (tenant, name) DO UPDATE SET value = excluded.value",
            {tenant_, name, value});
    }

private:
    Sql& sql_;
    std::int64_t tenant_;
};

}  // namespace

std::unique_ptr<Meta> make_meta(Sql& sql, std::int64_t tenant) {
    return std::make_unique<SociMeta>(sql, tenant);
}

}  // namespace pf::server::store
