#include "firmware/ctl/device_folder.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/crypto/x509.hpp"
#include "firmware/ctl/files.hpp"

namespace pf::firmware::ctl {
namespace {

constexpr std::uint64_t identity_bytes_max = 256 * 1024;

std::string text_in(const nlohmann::json& json, const char* name) {
    return json.is_object() && json.contains(name) && json[name].is_string()
               ? json[name].get<std::string>()
               : std::string{};
}

}  // namespace

Failure journal_failure(const std::string& path, journal::Fault fault) {
    const std::string what{journal::to_text(fault)};
    return file_failure("journal_" + what, path,
                        {fmt::format("no journal that can be read ({})", what),
                         fmt::format("不是可读的事件日志（{}）", what)});
}

Got<std::unique_ptr<journal::Reader>> open_journal(const std::string& folder) {
    std::filesystem::path path{folder};
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) path /= "events.db";
    if (!std::filesystem::is_regular_file(path, error))
        return file_failure("journal_missing", path, {"no journal here", "这里没有事件日志"});
    auto reader = journal::Reader::open(path.string(), {});
    if (!reader) return journal_failure(path.string(), reader.error());
    return std::move(*reader);
}

Got<std::optional<DeviceIdentity>> read_identity(const std::string& folder) {
    const auto path = std::filesystem::path{folder} / "vault" / "identity";
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return std::optional<DeviceIdentity>{};
    const auto text = read_file(path, identity_bytes_max);
    if (!text) return text.error();
    const auto json = nlohmann::json::parse(*text, nullptr, false);
    const auto key = crypto::PrivateKey::from_pem(text_in(json, "key_pem"));
    if (!key)
        return file_failure("identity_malformed", path,
                            {"holds no key that can be read", "里面没有可读的密钥"});
    return std::optional{DeviceIdentity{.device = text_in(json, "device"),
                                        .key = *key,
                                        .certificate_pem = text_in(json, "certificate_pem"),
                                        .authority_pem = text_in(json, "authority_pem")}};
}

std::optional<std::string> unfit(const DeviceIdentity& identity, const std::string& device) {
    if (identity.device != device) return "other_device";
    const auto certificate = crypto::read_certificate(identity.certificate_pem);
    if (!certificate || !(certificate->key == identity.key.public_key()) ||
        certificate->common_name != device)
        return "key_not_certified";
    if (crypto::check_chain(identity.certificate_pem, identity.authority_pem, std::nullopt))
        return "certificate_not_issued_here";
    return std::nullopt;
}

}  // namespace pf::firmware::ctl
