#pragma once
// The parser's own words in both languages; it knows English only.
#include "firmware/ctl/exit.hpp"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace pf::firmware::ctl {

/// What was wrong with the command line.
Words parse_words(const CLI::ParseError& error);

/// Its help in Chinese, of the whole tree as it stands now.
void speak_chinese(CLI::App& app);

}  // namespace pf::firmware::ctl
