#include "sync-server/app/data_dir.hpp"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "common/crypto/x509.hpp"
#include "sync-server/app/certificates.hpp"

namespace pf::server::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_bytes_max = 1024 * 1024;
constexpr std::string_view authority_name = "Paifang authority";

/// Closes what it holds.
class File {
public:
    explicit File(int number) : number_{number} {}
    ~File() {
        if (number_ >= 0) ::close(number_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    int get() const { return number_; }

private:
    int number_;
};

bool write_all(int file, std::string_view content) {
    while (!content.empty()) {
        const ssize_t wrote = ::write(file, content.data(), content.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return false;
        content.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

bool sync_directory(const fs::path& directory) {
    const File handle{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return handle.get() >= 0 && ::fsync(handle.get()) == 0;
}

crypto::Serial random_serial(Entropy& entropy) {
    crypto::Serial serial{};
    entropy.fill(serial);
    serial[0] = static_cast<Byte>((serial[0] & 0x7f) | 0x40);  // positive, no leading zero
    return serial;
}

}  // namespace

bool write_private(const fs::path& file, std::string_view content, bool fresh_only) {
    if (fresh_only && fs::exists(file)) return false;
    const fs::path draft = file.string() + ".new";
    {
        const File handle{
            ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR)};
        if (handle.get() < 0 || !write_all(handle.get(), content) || ::fsync(handle.get()) != 0)
            return false;
    }
    return ::rename(draft.c_str(), file.c_str()) == 0 && sync_directory(file.parent_path());
}

std::optional<std::string> read_file(const fs::path& file) {
    const File handle{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (handle.get() < 0) return std::nullopt;
    std::string out;
    char piece[4096];
    for (;;) {
        const ssize_t got = ::read(handle.get(), piece, sizeof piece);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 || out.size() > file_bytes_max) return std::nullopt;
        if (got == 0) return out;
        out.append(piece, static_cast<std::size_t>(got));
    }
}

DirLock::DirLock(const std::filesystem::path& file)
    : fd_{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)},
      held_{fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) == 0} {}

DirLock::~DirLock() {
    if (fd_ >= 0) ::close(fd_);
}

std::optional<std::string> DataDir::prepare() const {
    std::error_code error;
    fs::create_directories(path_.parent_path(), error);
    if (::mkdir(path_.c_str(), S_IRWXU) != 0 && errno != EEXIST)
        return fmt::format("the data directory {} can't be made: {}", path_.string(),
                           std::strerror(errno));
    if (::access(path_.c_str(), R_OK | W_OK | X_OK) != 0)
        return fmt::format("the data directory {} can't be used: {}", path_.string(),
                           std::strerror(errno));
    return std::nullopt;
}

namespace {

/// The content of a file, made by `make` when it is not there yet.
template <class Make>
std::variant<std::string, std::string*> content_of(const fs::path& file, std::string& error,
                                                   Make&& make) {
    if (fs::exists(file)) {
        if (auto content = read_file(file)) return *content;
        error = fmt::format("{} can't be read", file.string());
        return &error;
    }
    std::string made = make();
    if (write_private(file, made, true)) return made;
    error = fmt::format("{} can't be written", file.string());
    return &error;
}

}  // namespace

std::variant<fleet::Keys, std::string> DataDir::keys(Entropy& entropy) const {
    std::string error;
    const auto master_hex = content_of(*this / "master.key", error, [&] {
        std::array<Byte, 32> key{};
        entropy.fill(key);
        return to_hex(key) + "\n";
    });
    const auto authority_key = content_of(*this / "authority.key", error, [&] {
        return crypto::PrivateKey::generate(entropy).to_pem();
    });
    if (!error.empty()) return error;

    std::string hex = std::get<std::string>(master_hex);
    while (hex.ends_with('\n') || hex.ends_with('\r')) hex.pop_back();
    const auto master = array_from_hex<32>(hex);
    if (!master) return fmt::format("{} is no key", (*this / "master.key").string());
    const auto key = crypto::PrivateKey::from_pem(std::get<std::string>(authority_key));
    if (!key) return fmt::format("{} is no P-256 key", (*this / "authority.key").string());

    // Dated from 1970 to the end of time: a gate's battery dies, and then it still knows us.
    const auto pem = content_of(*this / "authority.pem", error, [&] {
        return crypto::make_authority(*key, authority_name, random_serial(entropy),
                                      {wall_from_ms(0), authority_until()});
    });
    if (!error.empty()) return error;
    const auto& text = std::get<std::string>(pem);
    const auto certificate = crypto::read_certificate(text);
    if (!certificate || !(certificate->key == key->public_key()))
        return fmt::format("{} is not the certificate of authority.key",
                           (*this / "authority.pem").string());
    return fleet::Keys{.master = *master, .authority = *key, .authority_pem = text};
}

}  // namespace pf::server::app
