#include "firmware/ctl/journal_file.hpp"

#include <algorithm>
#include <map>

#include "common/wire/limits.hpp"
#include "firmware/ctl/device_folder.hpp"

namespace pf::firmware::ctl {
namespace {

constexpr std::size_t frame_head_bytes = 4;

/// Collects events of one epoch and closes a batch when it is full.
class Batcher {
public:
    Batcher(Export& out, const DeviceId& device, const journal::EpochInfo& epoch,
            const std::optional<crypto::PrivateKey>& key)
        : out_{out}, device_{device}, epoch_{epoch}, key_{key} {
        next_seq_ = epoch.pruned_seq + 1;
        head_ =
            epoch.pruned_seq == 0 ? pf::journal::genesis(device, epoch.epoch) : epoch.pruned_head;
    }

    void take(const journal::StoredEvent& event) {
        if (event.seq < next_seq_) {
            ++out_.events_left_out;
            return;
        }
        const bool full = events_.size() == wire::batch_events_max ||
                          bytes_ + event.event.size() > wire::batch_bytes_max;
        // After a gap nothing may pretend to follow on: the next batch says where it begins.
        if (full || event.seq != next_seq_) close();
        if (event.seq != next_seq_) head_ = before_;
        next_seq_ = event.seq + 1;
        bytes_ += event.event.size();
        events_.push_back(event.event);
        before_ = event.head;
    }

    void close() {
        if (events_.empty()) return;
        wire::Batch batch{.device = device_,
                          .epoch = epoch_.epoch,
                          .first_seq = next_seq_ - events_.size(),
                          .head_before = head_,
                          .events = std::move(events_),
                          .signature = {}};
        const auto cursor = wire::cursor_after(batch);
        if (key_) batch.signature = key_->sign(pf::journal::head_to_sign(device_, cursor));
        add_frame(wire::encode(batch));
        out_.events += batch.events.size();
        ++out_.batches;
        head_ = cursor.head;
        events_.clear();
        bytes_ = 0;
    }

private:
    void add_frame(const Bytes& payload) {
        for (std::size_t i = 0; i < frame_head_bytes; ++i)
            out_.file.push_back(
                static_cast<Byte>(payload.size() >> (8 * (frame_head_bytes - 1 - i)) & 0xffU));
        out_.file.insert(out_.file.end(), payload.begin(), payload.end());
    }

    Export& out_;
    const DeviceId& device_;
    const journal::EpochInfo& epoch_;
    const std::optional<crypto::PrivateKey>& key_;
    std::vector<Bytes> events_;
    std::size_t bytes_ = 0;
    std::uint64_t next_seq_;
    Digest head_;      // before the batch being collected
    Digest before_{};  // as stored with the last event taken
};

}  // namespace

Got<Export> export_journal(const journal::Reader& reader,
                           const std::optional<crypto::PrivateKey>& key) {
    const auto epochs = reader.epochs();
    if (!epochs) return journal_failure("events.db", epochs.error());
    Export out;
    for (const auto& epoch : *epochs) {
        Batcher batcher{out, reader.device(), epoch, key};
        const auto read = reader.for_each(epoch.epoch, 0, [&](const journal::StoredEvent& event) {
            batcher.take(event);
            return true;
        });
        if (!read) return journal_failure("events.db", read.error());
        batcher.close();
    }
    return out;
}

std::optional<std::vector<wire::Batch>> read_journal_file(BytesView file, std::string& fault) {
    std::vector<wire::Batch> batches;
    while (!file.empty()) {
        if (file.size() < frame_head_bytes) {
            fault = "frame_cut";
            return std::nullopt;
        }
        std::size_t length = 0;
        for (std::size_t i = 0; i < frame_head_bytes; ++i) length = length << 8U | file[i];
        if (length == 0 || length > wire::payload_bytes_max) {
            fault = "frame_bad";
            return std::nullopt;
        }
        file = file.subspan(frame_head_bytes);
        if (file.size() < length) {
            fault = "frame_cut";
            return std::nullopt;
        }
        auto batch = wire::decode_batch(file.first(length));
        if (!batch) {
            fault = "batch_malformed";
            return std::nullopt;
        }
        batches.push_back(std::move(*batch));
        file = file.subspan(length);
    }
    if (batches.empty()) {
        fault = "journal_empty";
        return std::nullopt;
    }
    return batches;
}

FileVerification verify_journal_file(const std::vector<wire::Batch>& batches,
                                     const std::vector<crypto::PublicKey>& keys) {
    FileVerification found;
    std::map<Epoch, pf::journal::Cursor> ends;
    for (const wire::Batch& batch : batches) {
        const auto flaw = [&](const char* what, std::uint64_t seq) {
            if (found.flaws.size() < journal::flaws_max)
                found.flaws.push_back({what, batch.device, batch.epoch, seq});
        };
        if (batch.device != batches.front().device) flaw("other_device", batch.first_seq);
        const auto end = ends.find(batch.epoch);
        if (end == ends.end()) {
            // Where a file begins above 1 the range before it was pruned; nothing here can check
            // its head.
            if (batch.first_seq == 1 &&
                batch.head_before != pf::journal::genesis(batch.device, batch.epoch))
                flaw("chain_broken", batch.first_seq);
        } else if (batch.first_seq != end->second.seq + 1) {
            flaw("gap", batch.first_seq);
        } else if (batch.head_before != end->second.head) {
            flaw("chain_broken", batch.first_seq);
        }
        for (std::size_t i = 0; i < batch.events.size(); ++i) {
            const auto seq = pf::journal::seq_of(batch.events[i]);
            if (!seq || *seq != batch.first_seq + i) flaw("malformed", batch.first_seq + i);
        }
        const auto cursor = wire::cursor_after(batch);
        const Bytes head = pf::journal::head_to_sign(batch.device, cursor);
        const bool by_one = std::ranges::any_of(
            keys, [&](const auto& key) { return key.verify(head, batch.signature); });
        if (!keys.empty() && !by_one) flaw("bad_signature", cursor.seq);
        ends.insert_or_assign(batch.epoch, cursor);
        found.events += batch.events.size();
        ++found.batches;
    }
    return found;
}

}  // namespace pf::firmware::ctl
