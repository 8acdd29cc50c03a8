#include "firmware/sync/facts_puller.hpp"

namespace pf::firmware::sync {

using wire::CommandState;
using wire::DocumentType;

DocumentKeeper::DocumentKeeper(Context& context) : context_{context} {
    for (const DocumentType type : wire::kept_documents) {
        const auto bytes = context_.cache.document(type);
        if (!bytes) continue;
        const auto document = wire::open_document(*bytes, context_.identity.site_authority);
        if (document.has_value()) held_[type] = {document->generation, document->version};
    }
}

std::vector<std::pair<std::uint8_t, std::uint64_t>> DocumentKeeper::held() const {
    std::vector<std::pair<std::uint8_t, std::uint64_t>> out;
    for (const auto& [type, version] : held_)
        out.emplace_back(static_cast<std::uint8_t>(type), version.version);
    return out;
}

void DocumentKeeper::on_link_up() {
    asked_.reset();
    patience_.answered();
}

void DocumentKeeper::on_link_down() {
    asked_.reset();
    patience_.stop();
}

void DocumentKeeper::on_news(const std::vector<std::pair<std::uint8_t, std::uint64_t>>& versions,
                             Generation generation, Reading now) {
    if (generation < context_.generation) return;
    for (const auto& [number, version] : versions) {
        for (const DocumentType type : wire::kept_documents)
            if (static_cast<std::uint8_t>(type) == number) theirs_[type] = {generation, version};
    }
    tick(now);
}

void DocumentKeeper::tick(Reading now) {
    if (!context_.link_up) return;
    if (patience_.over(now.steady)) asked_.reset();
    if (asked_ || patience_.waiting()) return;
    for (const auto& [type, version] : theirs_) {
        if (held_[type] >= version) continue;
        wire::Want want{
            .what = wire::Want::What::document, .generation = context_.generation, .after = {}};
        want.request = context_.next_request();
        want.document_type = static_cast<std::uint8_t>(type);
        patience_.start(now.steady);
        if (context_.send(wire::Up::want, wire::encode(want))) asked_ = type;
        return;
    }
}

void DocumentKeeper::on_document(BytesView bytes, Reading now) {
    const auto document = wire::open_document(bytes, context_.identity.site_authority);
    if (document.has_error()) {
        return context_.finding("document_refused", std::string{to_text(document.error())}, now);
    }
    const bool ours = document->site == context_.identity.site &&
                      (!document->device || *document->device == context_.identity.device);
    if (!ours)
        return context_.finding("document_foreign", "a document names another site or device", now);
    if (document->type == DocumentType::command) return on_command(*document, now);
    keep(*document, bytes, now);
}

void DocumentKeeper::keep(const wire::Document& document, BytesView bytes, Reading now) {
    const bool kept =
        std::ranges::find(wire::kept_documents, document.type) != std::end(wire::kept_documents);
    if (!kept) return;
    if (asked_ == document.type) {
        asked_.reset();
        patience_.answered();
    }
    const Version version{document.generation, document.version};
    if (held_[document.type] < version) {
        if (!context_.stored(context_.cache.put_document(document.type, bytes)))
            return patience_.start(now.steady);
        held_[document.type] = version;
        context_.host.document_changed(document.type);
    } else if (theirs_[document.type] > held_[document.type]) {
        patience_.start(
            now.steady);  // news promised a newer one than the answer: ask again, not at once
    }
    tick(now);
}

/// Invariant 8: what is late, or can't be told to be in time, does nothing.
CommandResult DocumentKeeper::judge(const wire::Command& command, Reading now) {
    const admission::TimeRange range = context_.host.range(now);
    if (range.earliest >= command.expires_at) return {CommandState::refused, "expired"};
    // A clock that nobody confirmed since boot may be days behind, and what the server said of the
    // time is wrong by up to half its round trip.
    const bool confirmed = context_.host.clock() == pf::journal::ClockQuality::confirmed;
    constexpr Millis error_max = verify::Timekeeper::server_round_ms_max / 2;
    if (!confirmed || range.latest + error_max >= command.expires_at)
        return {CommandState::refused, "clock_unsure"};
    return {CommandState::accepted, {}};
}

/// What was answered, or would have been: by this boot's memory, by the journal after a restart
/// (also when the cache that remembered the id was lost), by the cache when the power went before
/// the journal was written. Nothing: the command is new.
std::optional<wire::CommandReply> DocumentKeeper::answer_before(
    const wire::Command& command) const {
    const auto known = std::ranges::find(answers_, command.id, &wire::CommandReply::id);
    if (known != answers_.end()) return *known;
    const auto trace =
        context_.journal.trace_of(command.id, command.expires_at - command_span_max_ms);
    if (trace && trace->state)
        return wire::CommandReply{command.id, static_cast<CommandState>(*trace->state),
                                  "answered before a restart"};
    if (trace || context_.cache.command_seen(command.id))
        return wire::CommandReply{command.id, CommandState::failed,
                                  trace ? "interrupted after the arm was opened" : "interrupted"};
    return std::nullopt;
}

void DocumentKeeper::on_command(const wire::Document& document, Reading now) {
    // Site-wide commands do not exist: one that names nobody could open every gate.
    const auto command = wire::decode_command(document.body);
    if (!document.device || command.has_error())
        return context_.finding("command_refused", "a command without a device or of another shape",
                                now);
    // Delivered again, since the answer was lost: it is answered again and not done again.
    if (const auto before = answer_before(*command)) {
        context_.send(wire::Up::command_reply, wire::encode(*before));
        return;
    }
    CommandResult result = judge(*command, now);
    if (!context_.stored(context_.cache.remember_command(command->id, command->expires_at)))
        return;  // not remembered, so not done: the server sends it again
    if (result.state == CommandState::accepted) result = context_.host.carry_out(*command, now);
    const auto written = context_.journal.append(
        context_.host.stamp(now),
        pf::journal::CommandDone{command->id, static_cast<std::uint8_t>(command->kind),
                                 static_cast<std::uint8_t>(result.state)});
    (void)context_.stored(written);
    answers_.push_back({command->id, result.state, result.detail});
    if (answers_.size() > answers_max) answers_.pop_front();
    context_.send(wire::Up::command_reply, wire::encode(answers_.back()));
}

}  // namespace pf::firmware::sync
