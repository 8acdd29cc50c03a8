#pragma once
// One run of Mosquitto: started, listened to, ended. It dies with the thread that started it.
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace pf::server::broker {

struct Account {
    uid_t user;
    gid_t group;
};

/// A descriptor that is closed with the object.
class Descriptor {
public:
    explicit Descriptor(int number = -1) noexcept : number_{number} {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept;
    Descriptor& operator=(Descriptor&& other) noexcept;
    int get() const noexcept { return number_; }
    explicit operator bool() const noexcept { return number_ >= 0; }

private:
    int number_;
};

class Child {
public:
    /// Throws std::system_error when the system has no process or descriptor left. Not being able
    /// to execute the program shows as a child that ends at once.
    Child(const std::filesystem::path& program, const std::filesystem::path& directory,
          std::string_view settings_file, std::optional<Account> account);
    /// Kills what still runs.
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    pid_t process() const noexcept { return process_; }
    int output() const noexcept { return output_.get(); }  // its standard error, not blocking
    int ended() const noexcept { return ended_.get(); }    // readable once it has ended

    void signal(int number) noexcept;
    /// Waits for the end; kills after `patience`.
    void finish(std::chrono::milliseconds patience) noexcept;

private:
    Descriptor output_;
    Descriptor ended_;
    pid_t process_ = 0;
};

}  // namespace pf::server::broker
