#pragma once
// One run of paifangctl: what it may reach, how it speaks, and what the chosen command will do.
#include <chrono>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/entropy.hpp"
#include "common/base/time.hpp"
#include "firmware/ctl/server.hpp"
#include "firmware/ctl/text.hpp"

namespace pf::firmware::ctl {

/// Everything outside the program. Tests bring their own.
struct World {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    Environment environment;
    Connect connect;
    Entropy& entropy;
    std::function<WallTime()> now;
    std::function<std::chrono::microseconds()> stopwatch;  // steady
    std::function<void(Millis)> sleep;
    bool person_watches = false;  // `err` is a terminal
};

class Session {
public:
    Session(World& world, Language spoken) : world_{world}, language_{spoken} {}

    World& world() noexcept { return world_; }
    Language language() const noexcept { return language_; }
    const std::string& pick(const Words& words) const noexcept { return in(language_, words); }
    /// The one of two names that is in the language spoken.
    std::string name_in(const Json& json) const;

    // Said on the command line.
    bool json = false;
    PlaceOptions place;
    std::string idempotency_key;
    /// The chosen command; set by the parser, run after it.
    std::function<Exit()> run;

    // What is printed. A command prints one document, or a stream of them, or words.
    /// With --json the document; without it nothing.
    void document(const Json& document);
    /// Without --json a sentence or a table; with it nothing. The newline is added when missing.
    void say(const Words& words);
    void say(std::string_view text);
    /// The same for our own picture of a code, whose colours are control characters.
    void draw(std::string_view picture);
    /// One item of a stream: with --json one line.
    void item(const Json& item, const Words& words);
    /// Says why on standard error; with --json also as the document {"error": {…}}.
    Exit fail(const Failure& failure);

    bool server_named() const { return place_named(place, world_.environment); }
    Got<Server*> server();

private:
    World& world_;
    Language language_;
    std::unique_ptr<Server> server_;
};

/// A text, a number, true, false or nothing as people read it.
std::string plain(const Json& json);
/// The field as plain(); empty when it is not there.
std::string field(const Json& json, const char* name);

}  // namespace pf::firmware::ctl
