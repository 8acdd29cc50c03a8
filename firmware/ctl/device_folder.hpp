#pragma once
// A device's data folder, or what was saved of it: its journal and, when it is still there, its
// key. Read only.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "common/crypto/crypto.hpp"
#include "firmware/ctl/exit.hpp"
#include "firmware/journal/reader.hpp"

namespace pf::firmware::ctl {

/// What pairing left in the vault (firmware/app/enrol.cpp writes it).
struct DeviceIdentity {
    std::string device;
    crypto::PrivateKey key;
    std::string certificate_pem;
    std::string authority_pem;
};

/// events.db in the folder, or the file itself.
Got<std::unique_ptr<journal::Reader>> open_journal(const std::string& folder);

/// Nothing when there is no vault/identity; a failure when there is one that can't be read.
Got<std::optional<DeviceIdentity>> read_identity(const std::string& folder);

/// Why this identity can't vouch for a journal of `device`: "key_not_certified", "other_device",
/// "certificate_not_issued_here". Dates are ignored: a dead gate's certificate may have run out.
std::optional<std::string> unfit(const DeviceIdentity& identity, const std::string& device);

Failure journal_failure(const std::string& path, journal::Fault fault);

}  // namespace pf::firmware::ctl
