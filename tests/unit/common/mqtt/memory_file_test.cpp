#include "common/mqtt/memory_file.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

using pf::mqtt::MemoryFile;

namespace {

std::string read(const std::string& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

TEST_CASE("a memory file reads from its start, every time it is opened") {
    const std::string content(100'000, 'k');
    const MemoryFile file{content};
    CHECK(read(file.path()) == content);
    CHECK(read(file.path()) == content);
}

TEST_CASE("two memory files are two, and an empty one is empty") {
    const MemoryFile one{"one"};
    const MemoryFile two{"two"};
    const MemoryFile none{""};
    CHECK(one.path() != two.path());
    CHECK(read(one.path()) == "one");
    CHECK(read(two.path()) == "two");
    CHECK(read(none.path()).empty());
}

TEST_CASE("a memory file is gone with its object") {
    std::string path;
    {
        const MemoryFile file{"secret"};
        path = file.path();
    }
    CHECK_FALSE(std::ifstream{path}.is_open());
}
