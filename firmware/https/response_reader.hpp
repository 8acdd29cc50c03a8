#pragma once
// From bytes to one response. No socket, no time.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "firmware/https/client.hpp"

namespace pf::firmware::https {

class ResponseReader {
public:
    enum class Step : std::uint8_t { need_more, head, piece, end, failed, cut };

    /// `to_head`: the answer to HEAD, which has no body whatever its fields say.
    explicit ResponseReader(bool to_head);
    ~ResponseReader();
    ResponseReader(const ResponseReader&) = delete;
    ResponseReader& operator=(const ResponseReader&) = delete;

    void feed(std::string_view bytes);
    /// The connection ended: the end of a body without length, `cut` for all others.
    void feed_end();
    /// Interim (1xx) responses are passed over.
    Step next();
    /// Status and fields, after `head`.
    Response take_head();
    std::string take_piece();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pf::firmware::https
