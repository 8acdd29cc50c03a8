// docs/protocol/ticket-v1.md, section 4. Clause numbers below are that document's.
#include "common/ticket/claims.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>

namespace pf::ticket {
namespace {

struct PersonKey {
    PersonType type;
    std::string_view text;
};
constexpr std::array person_keys{
    PersonKey{PersonType::adult, "adult"},     PersonKey{PersonType::child, "child"},
    PersonKey{PersonType::senior, "senior"},   PersonKey{PersonType::student, "student"},
    PersonKey{PersonType::soldier, "soldier"}, PersonKey{PersonType::disabled, "disabled"},
    PersonKey{PersonType::guide, "guide"},     PersonKey{PersonType::press, "press"},
    PersonKey{PersonType::free, "free"},
};

// 4.1
enum ClaimKey : std::int64_t {
    key_id = 1,
    key_generation = 2,
    key_person_type = 3,
    key_persons = 4,
    key_entitlements = 5,
    key_holder = 6,
};
constexpr std::size_t entitlement_fields = 7;  // 4.3
constexpr std::size_t claims_max = 6;

std::int32_t days_of(const Entitlement& e) { return e.last_day.number - e.first_day.number + 1; }

std::optional<ClaimsFault> check(const Entitlement& e) noexcept {
    if (e.entries < 1 || e.entries > entries_max) return ClaimsFault::entries_out_of_range;
    if (e.first_day.number < 0 || e.first_day.number > first_day_max) {
        return ClaimsFault::day_out_of_range;
    }
    if (e.last_day < e.first_day) return ClaimsFault::days_reversed;
    if (e.last_day.number > first_day_max + validity_days_max || days_of(e) > validity_days_max) {
        return ClaimsFault::validity_too_long;
    }
    return std::nullopt;
}

std::optional<ClaimsFault> check(const std::vector<Entitlement>& entitlements) noexcept {
    if (entitlements.empty()) return ClaimsFault::no_entitlement;
    if (entitlements.size() > entitlements_max) return ClaimsFault::too_many_entitlements;
    for (std::size_t i = 0; i < entitlements.size(); ++i) {
        const Entitlement& e = entitlements[i];
        if (const auto fault = check(e)) return fault;
        const auto same = [&e](const Entitlement& other) {
            return other.site == e.site && other.product == e.product;
        };
        const auto before = entitlements.begin() + static_cast<std::ptrdiff_t>(i);
        if (std::any_of(entitlements.begin(), before, same)) {
            return ClaimsFault::site_twice_with_product;
        }
    }
    return std::nullopt;
}

Entitlement decode_entitlement(cbor::Decoder& in) {
    Entitlement e;
    in.array_of(entitlement_fields);
    e.site.value = static_cast<std::uint32_t>(in.uint(UINT32_MAX));
    e.product.value = static_cast<std::uint32_t>(in.uint(UINT32_MAX));
    e.first_day.number = static_cast<std::int32_t>(in.uint(first_day_max));
    e.last_day = e.first_day + static_cast<int>(in.uint(validity_days_max - 1));
    e.window.value = static_cast<std::uint32_t>(in.uint(UINT32_MAX));
    e.entries = static_cast<std::uint16_t>(in.uint(entries_max));
    e.scope = in.uint(1) == 0 ? Scope::validity : Scope::day;
    in.leave();
    return e;
}

// 4.2: keys come in this order, all but the holder are there, others are refused.
void expect_key(cbor::Decoder& in, ClaimKey expected) {
    if (in.key() != expected) in.refuse(cbor::Fault::wrong_type);
}

Holder decode_holder(cbor::Decoder& in) {
    Holder holder;
    in.array_of(2);
    holder.key = static_cast<std::uint16_t>(in.uint(UINT16_MAX));
    const BytesView hash = in.bytes(holder.hash.size(), holder.hash.size());
    std::copy(hash.begin(), hash.end(), holder.hash.begin());  // empty after a fault
    in.leave();
    return holder;
}

}  // namespace

std::optional<PersonType> person_type_from(std::uint64_t number) noexcept {
    for (const PersonKey& key : person_keys) {
        if (static_cast<std::uint64_t>(key.type) == number) return key.type;
    }
    return std::nullopt;
}

std::string_view to_text(PersonType type) noexcept {
    for (const PersonKey& key : person_keys) {
        if (key.type == type) return key.text;
    }
    std::abort();  // a value outside the enum: memory is corrupt
}

std::optional<PersonType> person_type_from(std::string_view text) noexcept {
    for (const PersonKey& key : person_keys) {
        if (key.text == text) return key.type;
    }
    return std::nullopt;
}

std::string_view to_text(ClaimsFault fault) noexcept {
    switch (fault) {
        case ClaimsFault::persons_out_of_range:
            return "persons_out_of_range";
        case ClaimsFault::entries_out_of_range:
            return "entries_out_of_range";
        case ClaimsFault::no_entitlement:
            return "no_entitlement";
        case ClaimsFault::too_many_entitlements:
            return "too_many_entitlements";
        case ClaimsFault::days_reversed:
            return "days_reversed";
        case ClaimsFault::validity_too_long:
            return "validity_too_long";
        case ClaimsFault::site_twice_with_product:
            return "site_twice_with_product";
        case ClaimsFault::day_out_of_range:
            return "day_out_of_range";
        case ClaimsFault::generation_out_of_range:
            return "generation_out_of_range";
    }
    std::abort();
}

std::optional<ClaimsFault> check(const Claims& claims) noexcept {
    if (claims.generation < 1) return ClaimsFault::generation_out_of_range;
    if (claims.persons < 1 || claims.persons > persons_max) {
        return ClaimsFault::persons_out_of_range;
    }
    return check(claims.entitlements);
}

void encode_entitlements(cbor::Encoder& out, const std::vector<Entitlement>& entitlements) {
    assert(!check(entitlements));
    out.array(entitlements.size());
    for (const Entitlement& e : entitlements) {
        out.array(entitlement_fields);
        out.uint(e.site.value).uint(e.product.value);
        out.integer(e.first_day.number).integer(days_of(e) - 1);
        out.uint(e.window.value).uint(e.entries).uint(static_cast<std::uint64_t>(e.scope));
    }
}

std::vector<Entitlement> decode_entitlements(cbor::Decoder& in) {
    std::vector<Entitlement> out;
    const std::size_t count = in.array(entitlements_max);
    for (std::size_t i = 0; i < count && in.ok(); ++i) out.push_back(decode_entitlement(in));
    in.leave();
    if (in.ok() && check(out)) in.refuse(cbor::Fault::out_of_range);
    return in.ok() ? out : std::vector<Entitlement>{};
}

Bytes encode(const Claims& claims) {
    assert(!check(claims));
    cbor::Encoder out;
    out.map(claims.holder ? claims_max : claims_max - 1);
    out.key(key_id).bytes(to_be8(claims.id.value));
    out.key(key_generation).uint(claims.generation);
    out.key(key_person_type).uint(static_cast<std::uint64_t>(claims.person_type));
    out.key(key_persons).uint(claims.persons);
    out.key(key_entitlements);
    encode_entitlements(out, claims.entitlements);
    if (claims.holder) {
        out.key(key_holder).array(2).uint(claims.holder->key).bytes(claims.holder->hash);
    }
    return out.take();
}

Claims decode_claims(cbor::Decoder& in) {
    Claims claims;
    const std::size_t count = in.map(claims_max);
    expect_key(in, key_id);
    if (const auto id = array_from<8>(in.bytes(8, 8))) claims.id.value = from_be8(*id);
    expect_key(in, key_generation);
    claims.generation = static_cast<std::uint32_t>(in.uint(UINT32_MAX));
    expect_key(in, key_person_type);
    if (const auto type = person_type_from(in.uint())) {
        claims.person_type = *type;
    } else {
        in.refuse(cbor::Fault::out_of_range);
    }
    expect_key(in, key_persons);
    claims.persons = static_cast<std::uint16_t>(in.uint(persons_max));
    expect_key(in, key_entitlements);
    claims.entitlements = decode_entitlements(in);
    if (count == claims_max) {
        expect_key(in, key_holder);
        claims.holder = decode_holder(in);
    }
    in.leave();
    if (in.ok() && check(claims)) in.refuse(cbor::Fault::out_of_range);
    return in.ok() ? claims : Claims{};
}

}  // namespace pf::ticket
