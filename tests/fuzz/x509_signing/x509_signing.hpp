#pragma once
// What targets of X.509 share: a signature cannot be guessed, so the input is what gets signed.
#include <string>

#include "common/crypto/crypto.hpp"

namespace pf::fuzz {

/// The example key of docs/protocol (RFC 6979 section A.2.5), and one nobody trusts.
const crypto::PrivateKey& example_key();
const crypto::PrivateKey& strange_key();

/// SEQUENCE { body, ecdsa-with-SHA256, BIT STRING signature }: how requests and certificates alike
/// are signed (RFC 2986 section 4.2, RFC 5280 section 4.1).
Bytes signed_der(BytesView body, const crypto::PrivateKey& key);
std::string to_pem(BytesView der, const std::string& label);

/// Ends the program: the property does not hold.
void require(bool holds, const char* what);

}  // namespace pf::fuzz
