#pragma once
// A TCP client without manners: sends any bytes, stops anywhere.
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pf::tests {

inline constexpr std::chrono::seconds patience{20};

/// Asks until it is true or patience ends.
bool eventually(const std::function<bool()>& condition);

class RawClient {
public:
    explicit RawClient(std::uint16_t port);
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    bool send(std::string_view bytes);
    void end_sending();
    /// Gone without a goodbye: the server sees a reset.
    void reset();

    /// All that came so far, once `marker` is in it or the connection has ended.
    const std::string& until(std::string_view marker);
    /// All until the server closed. Throws when it does not.
    const std::string& all();
    bool ended() const { return ended_; }
    void clear() { received_.clear(); }

private:
    bool receive_some();
    int socket_ = -1;
    std::string received_;
    bool ended_ = false;
};

/// The status numbers of the responses in `bytes`, in order: "200 404".
std::string statuses(std::string_view bytes);

}  // namespace pf::tests
