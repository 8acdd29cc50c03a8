#include "common/crypto/pem.hpp"

#include <mbedtls/platform_util.h>

#include <algorithm>

namespace pf::crypto {
namespace {

constexpr std::string_view label_public = "PUBLIC KEY";
constexpr std::string_view label_private_sec1 = "EC PRIVATE KEY";
constexpr std::string_view label_private_pkcs8 = "PRIVATE KEY";

void set_up(mbedtls_pk_context* container, const mbedtls_ecp_point& q) {
    mbedtls_pk_init(container);
    must(mbedtls_pk_setup(container, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)));
    must(mbedtls_ecp_group_load(&mbedtls_pk_ec(*container)->grp, MBEDTLS_ECP_DP_SECP256R1));
    must(mbedtls_ecp_copy(&mbedtls_pk_ec(*container)->Q, &q));
}

const mbedtls_ecp_keypair* p256_pair_in(const mbedtls_pk_context& container) {
    if (mbedtls_pk_get_type(&container) != MBEDTLS_PK_ECKEY) return nullptr;
    const mbedtls_ecp_keypair* pair = mbedtls_pk_ec(container);
    return pair->grp.id == MBEDTLS_ECP_DP_SECP256R1 ? pair : nullptr;
}

std::string text_in(const Bytes& terminated) {
    return std::string{terminated.begin(), std::ranges::find(terminated, Byte{0})};
}

}  // namespace

KeyContainer::KeyContainer(const PublicKey& key) { set_up(&value_, key.impl().q.value); }

KeyContainer::KeyContainer(const PrivateKey& key) {
    set_up(&value_, key.impl().public_impl->q.value);
    must(mbedtls_mpi_copy(&mbedtls_pk_ec(value_)->d, &key.impl().d.value));
}

std::optional<PublicKey> public_key_in(const mbedtls_pk_context& container) {
    const mbedtls_ecp_keypair* pair = p256_pair_in(container);
    if (!pair) return std::nullopt;
    return PublicKey::from_point(to_bytes(pair->Q));
}

std::optional<Bytes> pem_of(std::string_view text, std::string_view label) {
    const std::string begin = "-----BEGIN " + std::string{label} + "-----";
    if (text.find(begin) == std::string_view::npos) return std::nullopt;
    if (text.find('\0') != std::string_view::npos) return std::nullopt;
    Bytes out = pf::to_bytes(text);
    out.push_back(0);
    return out;
}

std::optional<PublicKey> PublicKey::from_pem(std::string_view pem) {
    const auto input = pem_of(pem, label_public);
    if (!input) return std::nullopt;
    KeyContainer container;
    if (mbedtls_pk_parse_public_key(container.get(), input->data(), input->size()) != 0) {
        return std::nullopt;
    }
    return public_key_in(*container.get());
}

std::string PublicKey::to_pem() const {
    KeyContainer container{*this};
    Bytes out(pem_bytes_max);
    must(mbedtls_pk_write_pubkey_pem(container.get(), out.data(), out.size()));
    return text_in(out);
}

std::optional<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
    auto input = pem_of(pem, label_private_sec1);
    if (!input) input = pem_of(pem, label_private_pkcs8);
    if (!input) return std::nullopt;
    KeyContainer container;
    const int status =
        mbedtls_pk_parse_key(container.get(), input->data(), input->size(), nullptr, 0);
    mbedtls_platform_zeroize(input->data(), input->size());
    if (status != 0) return std::nullopt;
    const mbedtls_ecp_keypair* pair = p256_pair_in(*container.get());
    if (!pair) return std::nullopt;
    auto impl = private_from(pair->d);
    // A file whose public half belongs to another key was put together by mistake or by an enemy.
    if (!impl || mbedtls_ecp_point_cmp(&impl->public_impl->q.value, &pair->Q) != 0) {
        return std::nullopt;
    }
    return PrivateKey{std::move(impl)};
}

std::string PrivateKey::to_pem() const {
    KeyContainer container{*this};
    Bytes out(pem_bytes_max);
    must(mbedtls_pk_write_key_pem(container.get(), out.data(), out.size()));
    std::string text = text_in(out);
    mbedtls_platform_zeroize(out.data(), out.size());
    return text;
}

}  // namespace pf::crypto
