#include "firmware/ctl/explain.hpp"

#include "common/admission/reason.hpp"
#include "common/ticket/token.hpp"
#include "firmware/ctl/ticket_words.hpp"

namespace pf::firmware::ctl {
namespace {

Json words_json(admission::Reason reason) {
    const auto& words = admission::words(reason);
    return {{"reason", words.key},
            {"zh", words.zh},
            {"en", words.en},
            {"do_zh", words.do_zh},
            {"do_en", words.do_en}};
}

Json entitlement_json(const ticket::Entitlement& e) {
    return {{"site", e.site.value},
            {"product", e.product.value},
            {"first_day", to_text(e.first_day)},
            {"last_day", to_text(e.last_day)},
            {"window", e.window.value},
            {"entries", e.entries},
            {"scope", e.scope == ticket::Scope::day ? "day" : "validity"}};
}

Json claims_json(const ticket::Claims& claims) {
    Json out = Json::array();
    const auto claim = [&out](const char* name, Json value) {
        out.push_back({{"claim", name}, {"value", std::move(value)}});
    };
    claim("ticket", to_text(claims.id));
    claim("generation", claims.generation);
    claim("person_type", ticket::to_text(claims.person_type));
    claim("persons", claims.persons);
    if (claims.holder) claim("holder", to_hex(claims.holder->hash));
    for (const auto& e : claims.entitlements) claim("entitlement", entitlement_json(e));
    return out;
}

}  // namespace

Json explained_offline(std::string_view text, const std::optional<crypto::PublicKey>& key) {
    const auto read = ticket::read(text);
    if (!read)
        return {{"kind", "signed"},
                {"fault", ticket::to_text(read.error())},
                {"words", words_json(admission::reason_of(read.error()))},
                {"tickets", Json::array()}};
    const char* signature = "unchecked";
    if (key) {
        if (crypto::key_id(*key) != read->token.key)
            signature = "key_unknown";
        else
            signature = key->verify(read->signed_bytes, read->signature) ? "valid" : "bad";
    }
    Json out{{"kind", "signed"},
             {"key", to_hex(read->token.key)},
             {"signature", signature},
             {"cose_bytes", read->cose_bytes},
             {"tickets", Json::array()}};
    out["tickets"].push_back({{"claims", claims_json(read->token.claims)}});
    return out;
}

}  // namespace pf::firmware::ctl
