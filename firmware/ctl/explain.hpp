#pragma once
// What a signed code says, without asking anybody.
#include <optional>
#include <string_view>

#include "common/crypto/crypto.hpp"
#include "firmware/ctl/server.hpp"

namespace pf::firmware::ctl {

/// The same shape as the server's /v1/tickets/explain, as far as the text alone tells. `signature`
/// is "unchecked" without a key, "key_unknown" when the key is another one, "valid" or "bad".
/// `text` begins with ticket::prefix.
Json explained_offline(std::string_view text, const std::optional<crypto::PublicKey>& key);

}  // namespace pf::firmware::ctl
