#include "firmware/https/response_reader.hpp"

#include <array>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>

namespace pf::firmware::https {
namespace {

namespace beast_http = boost::beast::http;
using boost::system::error_code;
constexpr std::uint32_t header_bytes_max = 64 * 1024;
/// "0" and two line ends. Asked again about a last chunk that isn't whole, Beast 1.81 asserts that
/// it is at least this long (boostorg/beast pull request 2861): whoever sends "0\r\n" and the rest
/// later would end the program.
constexpr std::size_t last_chunk_bytes = 5;

}  // namespace

struct ResponseReader::Impl {
    explicit Impl(bool head) : to_head(head) { begin(); }

    void begin() {
        parser.emplace();
        parser->header_limit(header_bytes_max);
        parser->body_limit(boost::none);  // the client counts
        parser->skip(to_head);
    }

    std::string_view unread() const { return std::string_view{input}.substr(used); }
    Step starve() const {
        if (ended) return Step::cut;
        return unread().size() > header_bytes_max ? Step::failed : Step::need_more;
    }
    bool too_short_to_ask() const {
        return in_chunk_header && unread().size() < last_chunk_bytes && unread().starts_with('0');
    }
    Step read_head();
    Step read_body();

    bool to_head;
    std::optional<beast_http::response_parser<beast_http::buffer_body>> parser;
    std::string input;
    std::size_t used = 0;
    bool ended = false;
    bool head_given = false;
    bool in_chunk_header = false;  // begun and not finished
    std::string piece;
    std::array<char, 32 * 1024> room{};
};

ResponseReader::Step ResponseReader::Impl::read_head() {
    for (;;) {
        if (unread().empty()) return starve();
        parser->eager(false);
        error_code error;
        used += parser->put(boost::asio::const_buffer{unread().data(), unread().size()}, error);
        if (error == beast_http::error::need_more) return starve();
        if (error) return Step::failed;
        if (!parser->is_header_done()) return starve();
        if (parser->get().result_int() >= 200) break;
        begin();
    }
    head_given = true;
    parser->eager(true);
    return Step::head;
}

ResponseReader::Step ResponseReader::Impl::read_body() {
    auto& body = parser->get().body();
    while (!parser->is_done()) {
        if (too_short_to_ask()) return starve();
        if (unread().empty()) {
            if (!ended) return Step::need_more;
            error_code error;
            parser->put_eof(error);
            return error ? Step::cut : Step::end;
        }
        body.data = room.data();
        body.size = room.size();
        body.more = true;
        error_code error;
        used += parser->put(boost::asio::const_buffer{unread().data(), unread().size()}, error);
        const bool starved = error == beast_http::error::need_more;
        in_chunk_header = starved;
        if (error && !starved && error != beast_http::error::need_buffer) return Step::failed;
        if (const auto got = room.size() - body.size; got > 0) {
            piece.assign(room.data(), got);
            return Step::piece;
        }
        if (starved) return starve();
    }
    return Step::end;
}

ResponseReader::ResponseReader(bool to_head) : impl_(std::make_unique<Impl>(to_head)) {}
ResponseReader::~ResponseReader() = default;

void ResponseReader::feed(std::string_view bytes) {
    impl_->input.erase(0, impl_->used);
    impl_->used = 0;
    impl_->input.append(bytes);
}

void ResponseReader::feed_end() { impl_->ended = true; }

ResponseReader::Step ResponseReader::next() {
    return impl_->head_given ? impl_->read_body() : impl_->read_head();
}

Response ResponseReader::take_head() {
    const auto& message = impl_->parser->get();
    Response response;
    response.status = static_cast<int>(message.result_int());
    for (const auto& field : message)
        response.headers.emplace_back(std::string{field.name_string()}, std::string{field.value()});
    return response;
}

std::string ResponseReader::take_piece() { return std::move(impl_->piece); }

}  // namespace pf::firmware::https
