// Whatever stands where a server's address is expected (typed by people, told by a pairing): what
// reads has a host and a port, nothing in it can end a line of a request, and written down again it
// reads as the same.
#include <algorithm>
#include <cstdlib>

#include "firmware/https/url.hpp"

namespace {

using pf::firmware::https::read_url;

void require(bool holds) {
    if (!holds) std::abort();
}

bool harmless(const std::string& text) {
    return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto url = read_url({reinterpret_cast<const char*>(data), size});
    if (!url) return 0;
    require(!url->host.empty() && url->port != 0);
    require(harmless(url->host) && harmless(url->prefix) && harmless(url->authority));
    require(url->host.find('/') == std::string::npos);
    require(url->prefix.empty() || (url->prefix.front() == '/' && url->prefix.back() != '/'));
    const auto again = read_url((url->tls ? "https://" : "http://") + url->authority + url->prefix);
    require(again && again->tls == url->tls && again->host == url->host &&
            again->port == url->port && again->prefix == url->prefix &&
            again->authority == url->authority);
    return 0;
}
