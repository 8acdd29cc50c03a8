#pragma once
// Uses of other devices, signed documents, commands: the small things that come down.
// docs/protocol/sync-v1.md, sections 5, 6 and 8.
#include <deque>
#include <map>

#include "firmware/sync/context.hpp"

namespace pf::firmware::sync {

/// The log of uses: pushed at once, asked for by page when something before it is missing.
class UsesPuller {
public:
    explicit UsesPuller(Context& context) : context_{context} {}
    void on_link_up();
    void on_link_down();
    void on_news(std::uint64_t position, Generation generation, Reading now);
    void on_uses(const wire::Uses& uses, Reading now);
    void tick(Reading now);
    std::optional<SteadyTime> wake_at() const { return patience_.until(); }

private:
    std::uint64_t ours() const;
    Context& context_;
    std::uint64_t theirs_ = 0;
    std::uint64_t asked_ = 0;  // request in flight, 0: none
    Patience patience_{Engine::answer_wait_ms};
};

/// Kept documents (key ring, products, configuration, secrets), and commands.
class DocumentKeeper {
public:
    explicit DocumentKeeper(Context& context);
    void on_link_up();
    void on_link_down();
    void on_news(const std::vector<std::pair<std::uint8_t, std::uint64_t>>& versions,
                 Generation generation, Reading now);
    void on_document(BytesView bytes, Reading now);
    void tick(Reading now);
    std::optional<SteadyTime> wake_at() const { return patience_.until(); }
    /// Type and version of every document held, for the birth.
    std::vector<std::pair<std::uint8_t, std::uint64_t>> held() const;

private:
    struct Version {
        Generation generation;
        std::uint64_t version = 0;
        friend auto operator<=>(const Version&, const Version&) = default;
    };
    void keep(const wire::Document& document, BytesView bytes, Reading now);
    void on_command(const wire::Document& document, Reading now);
    std::optional<wire::CommandReply> answer_before(const wire::Command& command) const;
    CommandResult judge(const wire::Command& command, Reading now);

    Context& context_;
    /// Answers of this boot, for commands that come again because the answer was lost.
    std::deque<wire::CommandReply> answers_;
    static constexpr std::size_t answers_max = 32;
    /// No command lives longer (the server's limit is a day), whatever the clocks say of each
    /// other: further back the journal is not asked.
    static constexpr Millis command_span_max_ms{2LL * 24 * 60 * 60 * 1000};
    std::map<wire::DocumentType, Version> held_;
    std::map<wire::DocumentType, Version> theirs_;
    std::optional<wire::DocumentType> asked_;
    Patience patience_{Engine::answer_wait_ms};
};

}  // namespace pf::firmware::sync
