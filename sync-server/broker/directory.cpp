#include "sync-server/broker/directory.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

namespace pf::server::broker {

namespace {

bool may_pass(const std::filesystem::path& directory, const Account& account) {
    struct stat of {};
    if (::stat(directory.c_str(), &of) != 0) return false;
    if (of.st_uid == account.user) return (of.st_mode & S_IXUSR) != 0;
    if (of.st_gid == account.group) return (of.st_mode & S_IXGRP) != 0;
    return (of.st_mode & S_IXOTH) != 0;
}

bool write_all(int descriptor, std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = ::write(descriptor, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace

std::optional<Account> account_for(const std::filesystem::path& directory,
                                   const std::string& user) {
    if (::geteuid() != 0) return std::nullopt;
    const passwd* entry = ::getpwnam(user.c_str());
    if (entry == nullptr || entry->pw_uid == 0) return std::nullopt;
    const Account account{.user = entry->pw_uid, .group = entry->pw_gid};
    std::error_code error;
    std::filesystem::path parent = std::filesystem::absolute(directory, error).parent_path();
    if (error) return std::nullopt;
    for (;; parent = parent.parent_path()) {
        // What is not there yet will be made by us and can't be passed through: closed to others.
        if (!may_pass(parent, account)) return std::nullopt;
        // The root itself counts: in some containers only root gets past it.
        if (parent == parent.root_path()) return account;
    }
}

bool prepare_directory(const std::filesystem::path& directory,
                       const std::optional<Account>& account) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error || ::chmod(directory.c_str(), S_IRWXU) != 0) return false;
    return !account || ::chown(directory.c_str(), account->user, account->group) == 0;
}

bool write_file(const std::filesystem::path& directory, std::string_view name,
                std::string_view content, const std::optional<Account>& account) {
    const std::filesystem::path target = directory / name;
    const std::filesystem::path fresh = directory / (std::string{name} + ".new");
    ::unlink(fresh.c_str());
    const Descriptor file{::open(
        fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR)};
    if (!file || !write_all(file.get(), content)) return false;
    if (account && ::fchown(file.get(), account->user, account->group) != 0) return false;
    return ::rename(fresh.c_str(), target.c_str()) == 0;
}

std::optional<std::uint16_t> free_port(const std::string& address) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(address.c_str(), "0", &hints, &found) != 0) return std::nullopt;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list{found, &::freeaddrinfo};
    const Descriptor probe{::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_storage bound{};
    socklen_t size = sizeof(bound);
    auto* name = reinterpret_cast<sockaddr*>(&bound);
    if (!probe || ::bind(probe.get(), found->ai_addr, found->ai_addrlen) != 0 ||
        ::getsockname(probe.get(), name, &size) != 0) {
        return std::nullopt;
    }
    // The port lies at the same place in both families' addresses.
    static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
    return ntohs(reinterpret_cast<const sockaddr_in*>(name)->sin_port);
}

}  // namespace pf::server::broker
