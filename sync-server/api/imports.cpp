// Bodies too large to hold as one text: other sellers' codes, journals of devices that are gone.
#include <fmt/format.h>

#include "common/wire/messages.hpp"
#include "sync-server/api/answer.hpp"
#include "sync-server/api/decode.hpp"
#include "sync-server/api/handlers.hpp"
#include "sync-server/orders/import.hpp"

namespace pf::server::api {
namespace {

/// The pointer reads like a path into the file: line, then column.
http::Problem problem_of_lines(const std::vector<orders::ImportError>& errors,
                               std::uint64_t count) {
    auto problem = problem_of(
        422, "import_refused",
        fmt::format(
            "nothing was imported: {} lines can't be accepted{}", count,
            count > errors.size() ? fmt::format(", the first {} are listed", errors.size()) : ""));
    for (const orders::ImportError& error : errors) {
        const std::string column = error.field.empty() ? "" : "/" + error.field;
        problem.errors.push_back({fmt::format("/lines/{}{}", error.line, column), error.code,
                                  fmt::format("line {}", error.line)});
    }
    return problem;
}

class CodeUpload final : public Upload {
public:
    explicit CodeUpload(SiteId site)
        : site_{site}, import_{std::make_shared<orders::CodeImport>(site)} {}

    void feed(std::string_view piece) override { import_->feed(piece); }

    Prepared<Write> finish() override {
        import_->finish();
        if (import_->error_count() > 0)
            return problem_of_lines(import_->errors(), import_->error_count());
        return [site = site_, import = import_](const Context& c) -> Reply {
            if (!fleet::site(c.r, site)) return refuse(not_found("site_unknown"));
            auto imported = orders::import_codes(c.r, c.call, c.keys, *import);
            if (!imported.errors.empty())
                return refuse(problem_of_lines(imported.errors, imported.error_count));
            return {.response = answer(Out{{"imported", imported.count}}, 201),
                    .committed = {.effects = std::move(imported.effects), .revoked = {}},
                    .target = fmt::format("site {}, {} codes", site.value, imported.count)};
        };
    }

private:
    SiteId site_;
    std::shared_ptr<orders::CodeImport> import_;
};

constexpr std::size_t frame_head_bytes = 4;

/// An exported journal: each batch as its length (4 bytes, big endian) and its payload as it would
/// have come over the link.
class JournalUpload final : public Upload {
public:
    void feed(std::string_view piece) override {
        if (fault_) return;
        buffer_ += piece;
        std::size_t at = 0;
        while (!fault_ && buffer_.size() - at >= frame_head_bytes) {
            std::size_t length = 0;
            for (std::size_t i = 0; i < frame_head_bytes; ++i)
                length = length << 8 | static_cast<Byte>(buffer_[at + i]);
            if (length == 0 || length > wire::payload_bytes_max) {
                fault_ = "frame_bad";
                break;
            }
            if (buffer_.size() - at - frame_head_bytes < length) break;
            take(std::string_view{buffer_}.substr(at + frame_head_bytes, length));
            at += frame_head_bytes + length;
        }
        buffer_.erase(0, at);
    }

    Prepared<Write> finish() override {
        if (!fault_ && !buffer_.empty()) fault_ = "frame_cut";
        if (!fault_ && batches_->empty()) fault_ = "journal_empty";
        if (fault_)
            return problem_of(
                422, *fault_,
                fmt::format("after {} batches; nothing was booked", batches_->size()));
        return [batches = batches_](const Context& c) { return book(c, *batches); };
    }

private:
    void take(std::string_view payload) {
        const auto batch = wire::decode_batch(as_bytes(payload));
        if (!batch) {
            fault_ = "batch_malformed";
            return;
        }
        batches_->push_back(*batch);
    }

    /// As if the device had delivered them itself: signatures, gaps and forks are ingest's to see.
    static Reply book(const Context& c, const std::vector<wire::Batch>& batches) {
        Reply reply;
        Out results = Out::array();
        std::uint64_t booked = 0;
        for (const wire::Batch& batch : batches) {
            const auto last = batch.first_seq + batch.events.size() - 1;
            Out result{{"device", batch.device.text()},
                       {"epoch", to_hex(to_be8(batch.epoch.value))},
                       {"first_seq", batch.first_seq},
                       {"last_seq", last}};
            const auto device = fleet::device(c.r, batch.device);
            if (!device) {
                result["result"] = "device_unknown";
                results.push_back(std::move(result));
                continue;
            }
            auto taken = ingest::book_batch(c.r, c.call, *device, batch);
            reply.committed.effects.add(std::move(taken.effects));
            const auto cursor = ingest::cursor(c.r, batch.device, batch.epoch);
            // Not by the cursor alone: events may have come into a hole before it.
            const bool grew = taken.stored > 0;
            const bool known = cursor && cursor->seq >= last;
            booked += grew ? 1 : 0;
            result["result"] = grew ? "booked" : known ? "known" : "not_booked";
            results.push_back(std::move(result));
        }
        reply.target = fmt::format("{} batches, {} booked", batches.size(), booked);
        reply.response = answer(Out{{"booked", booked}, {"batches", std::move(results)}});
        return reply;
    }

    std::string buffer_;
    std::optional<std::string> fault_;
    std::shared_ptr<std::vector<wire::Batch>> batches_ =
        std::make_shared<std::vector<wire::Batch>>();
};

}  // namespace

std::variant<http::Problem, std::unique_ptr<Upload>> import_codes(const http::Request& request) {
    const auto site = site_in(request);
    if (!site) return not_found("site_unknown");
    return std::make_unique<CodeUpload>(*site);
}

std::variant<http::Problem, std::unique_ptr<Upload>> import_journal(const http::Request&) {
    return std::make_unique<JournalUpload>();
}

}  // namespace pf::server::api
