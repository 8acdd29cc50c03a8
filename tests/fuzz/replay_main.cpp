// Runs a fuzz target as an ordinary test where there is no libFuzzer: the empty input, every corpus
// file, truncations of each and seeded mutations. Usage:
//   fuzz_<name> [--runs=N] [--seed=N] CORPUS_DIR|FILE…     a FILE is run as it is, nothing else
// When an input brings the program down it is saved as crash-<name> in the working directory and
// the line to repeat it is printed.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/rng.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// Present when a sanitizer is linked in; a sanitizer's report does not pass through our handlers.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

namespace fs = std::filesystem;
using Input = std::vector<std::uint8_t>;

constexpr std::size_t truncations_per_file_max = 512;
constexpr std::size_t mutations_per_file_max = 300;

// What a dying process may still look at: plain data, no allocation.
const std::uint8_t* running_data = nullptr;
std::size_t running_size = 0;
char crash_path[512] = "crash-input";

void write_all(int fd, const void* data, std::size_t size) {
    const auto* at = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t wrote = ::write(fd, at, size);
        if (wrote <= 0) return;
        at += wrote;
        size -= static_cast<std::size_t>(wrote);
    }
}

void save_running_input() {
    if (running_data == nullptr) return;
    const int fd = ::open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd >= 0) {
        write_all(fd, running_data, running_size);
        ::close(fd);
    }
    constexpr std::string_view lead = "\ninput saved; repeat with this program and: ";
    write_all(STDERR_FILENO, lead.data(), lead.size());
    write_all(STDERR_FILENO, crash_path, std::strlen(crash_path));
    write_all(STDERR_FILENO, "\n", 1);
    running_data = nullptr;
}

extern "C" void on_fatal_signal(int number) {
    save_running_input();
    std::signal(number, SIG_DFL);
    std::raise(number);
}

void watch_for_death(const char* program) {
    const std::string name = fs::path(program).filename().string();
    const std::string path = (fs::current_path() / ("crash-" + name)).string();
    std::strncpy(crash_path, path.c_str(), sizeof crash_path - 1);
    if (__sanitizer_set_death_callback != nullptr) {
        __sanitizer_set_death_callback(save_running_input);
        std::signal(SIGABRT, on_fatal_signal);  // an assert; the rest is the sanitizer's
        return;
    }
    for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
        std::signal(number, on_fatal_signal);
    }
}

void run(const Input& input) {
    // An exact allocation: a read past the end then meets the sanitizer's red zone.
    const auto exact = std::make_unique<std::uint8_t[]>(input.size());
    std::copy(input.begin(), input.end(), exact.get());
    running_data = exact.get();
    running_size = input.size();
    LLVMFuzzerTestOneInput(exact.get(), input.size());
    running_data = nullptr;
}

Input read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return Input{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// One to four small wounds, of the kinds that break parsers.
Input mutate(const Input& original, pf::tests::Rng& rng) {
    constexpr std::uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x1b, 0x5f, 0x9f, '0', '"'};
    Input input = original;
    const std::uint64_t wounds = 1 + rng.below(4);
    for (std::uint64_t i = 0; i < wounds; ++i) {
        const auto at = static_cast<std::size_t>(rng.below(input.size() + 1));
        const auto spot = input.begin() + static_cast<std::ptrdiff_t>(at);
        const auto random_byte = static_cast<std::uint8_t>(rng.below(256));
        switch (rng.below(6)) {
            case 0:
                input.insert(spot, random_byte);
                break;
            case 1:
                input.insert(spot, rng.pick(edges));
                break;
            case 2: {  // said twice: duplicate keys, repeated headers
                const Input head(input.begin(), spot);
                input.insert(spot, head.begin(), head.end());
                break;
            }
            case 3:
                if (spot != input.end()) input.erase(spot);
                break;
            case 4:
                if (spot != input.end()) *spot ^= static_cast<std::uint8_t>(1U << rng.below(8));
                break;
            case 5:
                if (spot != input.end()) *spot = rng.pick(edges);
                break;
        }
    }
    return input;
}

struct Options {
    std::size_t runs_max = 20'000;
    std::uint64_t seed = 1;
    std::vector<fs::path> corpus;  // files found in folders
    std::vector<fs::path> as_is;   // files named one by one
};

template <typename Number>
bool read_option(std::string_view argument, std::string_view key, Number& out) {
    if (!argument.starts_with(key)) return false;
    const std::string_view text = argument.substr(key.size());
    return std::from_chars(text.data(), text.data() + text.size(), out).ec == std::errc();
}

/// False when an argument is neither an option, a folder nor a file.
bool read_arguments(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (read_option(argument, "--runs=", options.runs_max)) continue;
        if (read_option(argument, "--seed=", options.seed)) continue;
        if (fs::is_directory(argument)) {
            for (const auto& entry : fs::recursive_directory_iterator(argument)) {
                if (entry.is_regular_file()) options.corpus.push_back(entry.path());
            }
        } else if (fs::is_regular_file(argument)) {
            options.as_is.emplace_back(argument);
        } else {
            std::cerr << "neither an option nor a corpus: " << argument << '\n';
            return false;
        }
    }
    // The folder's own order differs between machines; a seed must mean the same everywhere.
    std::sort(options.corpus.begin(), options.corpus.end());
    return true;
}

std::size_t replay_corpus(const Options& options) {
    run({});
    for (const fs::path& path : options.corpus) run(read_file(path));
    std::size_t runs = 1 + options.corpus.size();

    // Every file gets the same share of what is left, so one long file cannot starve the others.
    const std::size_t left = options.runs_max > runs ? options.runs_max - runs : 0;
    const std::size_t share = left / options.corpus.size();
    const std::size_t truncations = std::min(truncations_per_file_max, share / 2);
    const std::size_t mutations = std::min(mutations_per_file_max, share - truncations);
    pf::tests::Rng rng(options.seed);
    for (const fs::path& path : options.corpus) {
        const Input whole = read_file(path);
        const std::size_t cuts = std::min(whole.size(), truncations);
        for (std::size_t i = 0; i < cuts; ++i, ++runs) {
            const std::size_t length = i * whole.size() / cuts;  // every length when they fit
            run(Input(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)));
        }
        for (std::size_t i = 0; i < mutations; ++i, ++runs) run(mutate(whole, rng));
    }
    return runs;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    if (!read_arguments(argc, argv, options)) return 2;
    watch_for_death(argv[0]);
    for (const fs::path& path : options.as_is) run(read_file(path));
    if (!options.as_is.empty() && options.corpus.empty()) return 0;
    if (options.corpus.empty()) {
        std::cerr << "the corpus is empty: a fuzz target without one proves nothing\n";
        return 1;
    }
    const std::size_t runs = replay_corpus(options);
    std::cout << runs << " inputs from " << options.corpus.size() << " corpus files, seed "
              << options.seed << '\n';
    return 0;
}
