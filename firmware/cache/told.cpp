// What else the server told: uses, documents, positions, commands, small values.
#include <algorithm>

#include "common/crypto/crypto.hpp"
#include "firmware/cache/sqlite_cache.hpp"

namespace pf::firmware::cache {

using sqlite::Run;

namespace {

/// Uses forgotten in one transaction.
constexpr std::int64_t forget_rows = 2'000;
/// A command is remembered this much longer than it could be obeyed: clocks are wrong by days.
constexpr std::chrono::hours command_kept{30 * 24};
/// Sealed bytes of one place are no good in another.
constexpr std::string_view secrets_context = "paifang/cache/secrets/1";

}  // namespace

// --- uses --------------------------------------------------------------------------------------

std::vector<wire::UseItem> SqliteCache::uses_of(TicketId ticket) const {
    return reading([&] {
        std::vector<wire::UseItem> found;
        Run each{statements_.uses, to_be8(ticket.value)};
        while (each.row()) {
            const auto device = DeviceId::parse(each.text(0));
            if (!device) throw ReadFailed{Fault::damaged, "a use of no device"};
            const BytesView epoch = each.blob(1);
            if (epoch.size() != 8) throw ReadFailed{Fault::damaged, "a use of no epoch"};
            found.push_back({GrantId{*device, Epoch{from_be8(epoch.first<8>())}, each.counter(2)},
                             ticket, ProductId{static_cast<std::uint32_t>(each.integer(3))},
                             Day{static_cast<std::int32_t>(each.integer(4))},
                             Day{static_cast<std::int32_t>(each.integer(5))},
                             static_cast<std::uint16_t>(each.integer(6)), each.integer(7) != 0,
                             wall_from_ms(each.integer(8)),
                             static_cast<std::uint16_t>(each.integer(9)), each.integer(10) != 0});
        }
        return found;
    });
}

Result<void> SqliteCache::apply_uses(const std::vector<wire::UseItem>& items,
                                     UsesPosition position) {
    const auto applied = write([&] {
        for (const wire::UseItem& item : items) {
            Run{statements_.put_use,
                item.grant.device.text(),
                to_be8(item.grant.epoch.value),
                item.grant.seq,
                to_be8(item.ticket.value),
                item.product.value,
                item.day.number,
                item.last_day.number,
                item.persons,
                item.return_pending ? 1 : 0,
                to_ms(item.at),
                item.unseen,
                item.automatic_return ? 1 : 0}
                .execute();
        }
        SQLite::Statement move{database_,
                               "UPDATE position SET uses_generation = ?1, uses_position = ?2"};
        Run{move, to_be8(position.generation.value), position.position}.execute();
    });
    if (applied) uses_position_ = position;
    return applied;
}

Result<bool> SqliteCache::forget_uses_before(Day day) {
    int gone = 0;
    const auto slice = write([&] {
        SQLite::Statement forget{
            database_,
            "DELETE FROM use WHERE (device, epoch, seq) IN"
            " (SELECT device, epoch, seq FROM use WHERE last_day < ?1 LIMIT ?2)"};
        gone = Run{forget, day.number, forget_rows}.execute();
    });
    if (!slice) return slice.error();
    return gone == forget_rows;
}

// --- documents ---------------------------------------------------------------------------------

std::optional<Bytes> SqliteCache::document(wire::DocumentType type) const {
    const bool secret = type == wire::DocumentType::secrets;
    if (secret && !sealing_) return unsealed_;
    return reading([&]() -> std::optional<Bytes> {
        SQLite::Statement select{database_, "SELECT bytes FROM document WHERE type = ?1"};
        Run found{select, type};
        if (!found.row()) return std::nullopt;
        // Sealed with a key the vault no longer has: as good as never received.
        if (secret) return crypto::unseal(sealing_->key, found.blob(0), as_bytes(secrets_context));
        return found.bytes(0);
    });
}

Result<void> SqliteCache::put_document(wire::DocumentType type, BytesView signed_bytes) {
    Bytes sealed;
    if (type == wire::DocumentType::secrets) {
        if (!sealing_) {
            unsealed_ = Bytes(signed_bytes.begin(), signed_bytes.end());
            return {};
        }
        sealed = crypto::seal(sealing_->key, signed_bytes, as_bytes(secrets_context),
                              *sealing_->entropy);
        signed_bytes = sealed;
    }
    return write([&] {
        SQLite::Statement put{database_,
                              "INSERT OR REPLACE INTO document (type, bytes) VALUES (?1, ?2)"};
        Run{put, type, signed_bytes}.execute();
    });
}

// --- what the server confirmed of our journal --------------------------------------------------

Result<void> SqliteCache::set_confirmed(Generation generation, const pf::journal::Cursor& cursor) {
    std::vector<pf::journal::Cursor> next = confirmed_;
    if (generation != confirmed_generation_) next.clear();
    const auto known = std::find_if(next.begin(), next.end(),
                                    [&](const auto& each) { return each.epoch == cursor.epoch; });
    if (known == next.end()) {
        next.push_back(cursor);
    } else {
        *known = cursor;
    }
    const auto set = write([&] {
        if (generation != confirmed_generation_) database_.exec("DELETE FROM confirmed");
        SQLite::Statement put{database_,
                              "INSERT INTO confirmed (epoch, seq, head) VALUES (?1, ?2, ?3)"
                              " ON CONFLICT (epoch) DO UPDATE SET seq = ?2, head = ?3"};
        Run{put, to_be8(cursor.epoch.value), cursor.seq, cursor.head}.execute();
        SQLite::Statement within{database_, "UPDATE position SET confirmed_generation = ?1"};
        Run{within, to_be8(generation.value)}.execute();
    });
    if (set) {
        confirmed_ = std::move(next);
        confirmed_generation_ = generation;
    }
    return set;
}

Result<void> SqliteCache::forget_confirmed(Generation generation) {
    const auto forgotten = write([&] {
        database_.exec("DELETE FROM confirmed");
        SQLite::Statement within{database_, "UPDATE position SET confirmed_generation = ?1"};
        Run{within, to_be8(generation.value)}.execute();
    });
    if (forgotten) {
        confirmed_.clear();
        confirmed_generation_ = generation;
    }
    return forgotten;
}

// --- commands and small values -----------------------------------------------------------------

bool SqliteCache::command_seen(const std::array<Byte, 16>& id) const {
    return reading([&] { return Run{statements_.command_seen, id}.row(); });
}

Result<void> SqliteCache::remember_command(const std::array<Byte, 16>& id, WallTime expires_at) {
    return write([&] {
        SQLite::Statement old{database_, "DELETE FROM command WHERE expires_ms < ?1"};
        Run{old, to_ms(expires_at - command_kept)}.execute();
        SQLite::Statement put{database_,
                              "INSERT OR REPLACE INTO command (id, expires_ms) VALUES (?1, ?2)"};
        Run{put, id, to_ms(expires_at)}.execute();
    });
}

std::int64_t SqliteCache::number(std::string_view name, std::int64_t otherwise) const {
    return reading([&] {
        Run found{statements_.number, std::string{name}};
        return found.row() ? found.integer(0) : otherwise;
    });
}

Result<void> SqliteCache::put_number(std::string_view name, std::int64_t value) {
    return write([&] {
        SQLite::Statement put{database_,
                              "INSERT OR REPLACE INTO number (name, value) VALUES (?1, ?2)"};
        Run{put, std::string{name}, value}.execute();
    });
}

}  // namespace pf::firmware::cache
