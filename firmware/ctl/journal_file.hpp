#pragma once
// An exported journal: what POST /v1/journals takes. Each batch (wire::Batch, sync-v1.md 4) stands
// behind its length, 4 bytes big endian.
#include <functional>
#include <string>
#include <vector>

#include "common/wire/messages.hpp"
#include "firmware/ctl/exit.hpp"
#include "firmware/journal/reader.hpp"

namespace pf::firmware::ctl {

struct Export {
    Bytes file;
    std::uint64_t batches = 0;
    std::uint64_t events = 0;
    /// Kept admissions of a pruned range: the server has them, and no chain leads to them here.
    std::uint64_t events_left_out = 0;
};
inline constexpr std::string_view journal_media_type = "application/vnd.paifang.journal";
inline constexpr std::uint64_t journal_file_bytes_max = 32ULL * 1024 * 1024;

/// Every epoch, oldest first, in batches signed with `key`. Without a key the signatures are zero:
/// a server takes none of those, people may look at them.
Got<Export> export_journal(const journal::Reader& reader,
                           const std::optional<crypto::PrivateKey>& key);

/// The batches of a file. Nothing when it is none; `fault` then says why.
std::optional<std::vector<wire::Batch>> read_journal_file(BytesView file, std::string& fault);

/// What is wrong with an exported file: every cut chain, gap and signature, with its place.
struct FileFlaw {
    std::string what;  // "gap", "chain_broken", "bad_signature", "malformed", "other_device"
    DeviceId device;
    Epoch epoch;
    std::uint64_t seq = 0;
};
struct FileVerification {
    std::uint64_t batches = 0;
    std::uint64_t events = 0;
    std::vector<FileFlaw> flaws;
};
/// Each batch must be signed with one of the keys; without keys signatures are not looked at.
FileVerification verify_journal_file(const std::vector<wire::Batch>& batches,
                                     const std::vector<crypto::PublicKey>& keys);

}  // namespace pf::firmware::ctl
