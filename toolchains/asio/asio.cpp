// Asio, its TLS and Beast, compiled once; everybody else sees declarations (PUBLIC defines of this
// target). A source that includes Asio without linking paifang::asio would be a second copy.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
