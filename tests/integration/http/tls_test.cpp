// Who is believed, on both sides, with certificates by our own authority.
#include <doctest/doctest.h>

#include "firmware/https/client.hpp"
#include "tests/integration/http/certificates.hpp"
#include "tests/integration/http/house.hpp"
#include "tests/integration/http/raw_client.hpp"

using namespace pf::tests;
using http::ClientCertificate;
using pf::firmware::https::Client;
using pf::firmware::https::Fault;
using pf::firmware::https::Options;

namespace {

http::TlsOptions tls_of(TestAuthority& authority, const Identity& server,
                        ClientCertificate mode = ClientCertificate::none) {
    return {.certificate_chain_pem = server.certificate_pem + authority.pem(),
            .private_key_pem = server.private_key_pem,
            .client_certificate = mode,
            .client_ca_pem = authority.pem()};
}

Options to(const House& house, const std::string& host, std::size_t listener = 0) {
    Options options;
    options.base_url = "https://" + host + ":" + std::to_string(house.port(listener));
    return options;
}

/// "200", or the fault's name.
std::string outcome(Options options, std::string* body = nullptr) {
    Client client{std::move(options)};
    const auto answer = client.request({.target = "/who"});
    if (answer.has_error()) return std::string{to_text(answer.error())};
    if (body) *body = answer->body;
    return std::to_string(answer->status);
}

}  // namespace

TEST_CASE("the client believes its own authority, the right name, and the dates it must") {
    TestAuthority authority{1};
    TestAuthority other{2};
    const auto good = authority.server();
    const auto expired = authority.server(-30, -1);
    const auto future = authority.server(1, 30);
    const auto device = authority.device("gate-9");
    House house;
    house.options.listeners.clear();
    for (const auto* identity : {&good, &expired, &future, &device})
        house.options.listeners.push_back(
            {.tls = tls_of(authority, *identity), .router = house.router});
    house.open();

    struct Row {
        std::size_t listener;
        std::string host;
        const TestAuthority* trusted;
        bool ignore_dates;
        std::string server_name;
        std::string expected;
        std::string_view why;
    };
    const Row rows[] = {
        {0, "127.0.0.1", &authority, false, "", "200", "its address"},
        {0, "localhost", &authority, false, "", "200", "its name"},
        {0, "127.0.0.2", &authority, false, "", "tls_untrusted", "not its address"},
        {0, "127.0.0.1", &authority, false, "example.test", "tls_untrusted", "not that name"},
        {0, "127.0.0.1", &authority, false, "localhost", "200", "the name that was asked for"},
        {0, "127.0.0.1", &other, false, "", "tls_untrusted", "another authority"},
        {0, "127.0.0.1", &other, true, "", "tls_untrusted", "another authority, clock unset"},
        {0, "127.0.0.1", nullptr, false, "", "no_authority", "nobody to trust"},
        {1, "127.0.0.1", &authority, false, "", "tls_untrusted", "expired"},
        {1, "127.0.0.1", &authority, true, "", "200", "expired, clock unset"},
        {2, "127.0.0.1", &authority, false, "", "tls_untrusted", "not yet valid"},
        {2, "127.0.0.1", &authority, true, "", "200", "not yet valid, clock unset"},
        {3, "127.0.0.1", &authority, false, "gate-9", "tls_untrusted",
         "a device's certificate is no server's"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        auto options = to(house, row.host, row.listener);
        if (row.host == "127.0.0.2") {
            // The listener is on 127.0.0.1 only; the name is what differs.
            options = to(house, "127.0.0.1", row.listener);
            options.server_name = row.host;
        }
        if (row.trusted) options.ca_pem = row.trusted->pem();
        options.ignore_certificate_dates = row.ignore_dates;
        if (!row.server_name.empty()) options.server_name = row.server_name;
        CHECK(outcome(options) == row.expected);
    }
}

TEST_CASE("before pairing the authority is found by its fingerprint and handed back") {
    TestAuthority authority{3};
    TestAuthority other{4};
    House house;
    house.options.listeners[0].tls = tls_of(authority, authority.server());
    house.options.listeners.push_back(house.options.listeners[0]);
    // Another's server that shows our authority's certificate but was not issued by it.
    auto stolen = tls_of(other, other.server());
    stolen.certificate_chain_pem += authority.pem();
    house.options.listeners[1].tls = stolen;
    house.open();

    auto options = to(house, "127.0.0.1");
    options.pin_sha256 = authority.fingerprint();
    Client client{options};
    const auto answer = client.request({.target = "/who"});
    REQUIRE(answer.has_value());
    CHECK(answer->body == "main nobody");
    CHECK(answer->authority_pem == authority.pem());

    auto pinned = to(house, "127.0.0.1");
    pinned.ca_pem = answer->authority_pem;
    CHECK(outcome(pinned) == "200");

    options.pin_sha256 = other.fingerprint();
    CHECK(outcome(options) == "tls_untrusted");

    auto deceived = to(house, "127.0.0.1", 1);
    deceived.pin_sha256 = authority.fingerprint();
    CHECK(outcome(deceived) == "tls_untrusted");

    options.pin_sha256 = authority.fingerprint();
    options.server_name = "elsewhere.test";
    CHECK(outcome(options) == "tls_untrusted");
}

TEST_CASE("a listener accepts the client certificates it should, and no others") {
    TestAuthority authority{5};
    TestAuthority other{6};
    const auto server = authority.server();
    House house;
    house.options.listeners.clear();
    const auto listen = [&](std::string name, ClientCertificate mode, bool expired_too) {
        auto tls = tls_of(authority, server, mode);
        tls.accept_expired_client_certificates = expired_too;
        house.options.listeners.push_back(
            {.name = std::move(name), .tls = std::move(tls), .router = house.router});
    };
    listen("none", ClientCertificate::none, false);
    listen("requested", ClientCertificate::requested, false);
    listen("required", ClientCertificate::required, false);
    listen("renewal", ClientCertificate::required, true);
    house.open();

    const std::optional<Identity> nobody;
    const std::optional<Identity> gate = authority.device("gate-1");
    const std::optional<Identity> expired = authority.device("gate-2", -400, -1);
    const std::optional<Identity> future = authority.device("gate-3", 1, 90);
    const std::optional<Identity> foreign = other.device("gate-4");
    const std::optional<Identity> foreign_expired = other.device("gate-5", -400, -1);
    const std::optional<Identity> not_a_device = authority.server();
    struct Row {
        const std::optional<Identity>* who;
        std::string expected[4];  // none, requested, required, renewal
        std::string_view why;
    };
    const std::string no = "certificate_refused";
    const Row rows[] = {
        {&nobody, {"200", "200", no, no}, "no certificate"},
        {&gate, {"200", "200", "200", "200"}, "a good one"},
        {&expired, {"200", no, no, "200"}, "expired"},
        {&future, {"200", no, no, no}, "not yet valid"},
        {&foreign, {"200", no, no, no}, "another authority's"},
        {&foreign_expired, {"200", no, no, no}, "another authority's, expired"},
        {&not_a_device, {"200", no, no, no}, "a server's"},
    };
    for (const auto& row : rows)
        for (std::size_t listener = 0; listener < 4; ++listener) {
            CAPTURE(row.why);
            CAPTURE(listener);
            auto options = to(house, "127.0.0.1", listener);
            options.ca_pem = authority.pem();
            if (*row.who) {
                options.certificate_pem = (*row.who)->certificate_pem;
                options.private_key_pem = (*row.who)->private_key_pem;
            }
            std::string body;
            CHECK(outcome(options, &body) == row.expected[listener]);
            if (body.empty()) continue;
            const bool asked = listener > 0 && row.who->has_value();
            const auto name = house.options.listeners[listener].name;
            CHECK(body == name + ' ' + (asked ? (*row.who)->certificate_pem : "nobody"));
        }
    CHECK(house.all_gone());
}

TEST_CASE("for renewal only the leaf's end is overlooked") {
    TestAuthority authority{7};
    TestAuthority over{13, "Authority of the past", -800, -1};
    const auto expired = authority.device("gate-1", -400, -1);
    auto changed = expired;  // after it was signed
    auto& letter = changed.certificate_pem[changed.certificate_pem.size() - 90];
    letter = letter == 'A' ? 'B' : 'A';
    const auto of_the_past = over.device("gate-2", -700, -10);

    House house;
    auto tls = tls_of(authority, authority.server(), ClientCertificate::required);
    tls.client_ca_pem += over.pem();
    tls.accept_expired_client_certificates = true;
    house.options.listeners[0].tls = tls;
    house.open();
    struct Row {
        const Identity* who;
        std::string expected;
        std::string_view why;
    };
    const Row rows[] = {{&expired, "200", "expired and nothing else"},
                        {&changed, "certificate_refused", "changed after it was signed"},
                        {&of_the_past, "certificate_refused", "its authority is expired too"}};
    for (const auto& row : rows) {
        CAPTURE(row.why);
        auto options = to(house, "127.0.0.1");
        options.ca_pem = authority.pem();
        options.certificate_pem = row.who->certificate_pem;
        options.private_key_pem = row.who->private_key_pem;
        CHECK(outcome(options) == row.expected);
    }
}

TEST_CASE("certificates are replaced while the server runs") {
    TestAuthority before{8};
    TestAuthority after{9};
    House house;
    house.options.listeners[0].tls = tls_of(before, before.server());
    house.open();
    auto old_client = to(house, "127.0.0.1");
    old_client.ca_pem = before.pem();
    auto new_client = to(house, "127.0.0.1");
    new_client.ca_pem = after.pem();
    CHECK(outcome(old_client) == "200");
    CHECK(outcome(new_client) == "tls_untrusted");

    auto broken = tls_of(after, after.server());
    broken.private_key_pem = before.server().private_key_pem;
    const auto refused = house.server().replace_tls("main", broken);
    REQUIRE(refused);
    CHECK(refused->fault == http::StartFault::bad_private_key);
    CHECK(outcome(old_client) == "200");

    CHECK_FALSE(house.server().replace_tls("main", tls_of(after, after.server())));
    CHECK(outcome(old_client) == "tls_untrusted");
    CHECK(outcome(new_client) == "200");
    CHECK(house.server().replace_tls("absent", tls_of(after, after.server())));
}

TEST_CASE("unusable TLS options are named before anything listens") {
    TestAuthority authority{10};
    const auto good = tls_of(authority, authority.server(), ClientCertificate::required);
    struct Row {
        std::function<void(http::TlsOptions&)> spoil;
        http::StartFault fault;
        std::string_view why;
    };
    const Row rows[] = {
        {[](auto& tls) { tls.certificate_chain_pem = "x"; }, http::StartFault::bad_certificate,
         "no certificate"},
        {[](auto& tls) { tls.private_key_pem.clear(); }, http::StartFault::bad_private_key,
         "no key"},
        {[](auto& tls) { tls.client_ca_pem.clear(); }, http::StartFault::bad_client_ca,
         "nobody to check clients against"},
        {[](auto& tls) { tls.client_ca_pem += "-----BEGIN CERTIFICATE-----\nAAAA\n"; },
         http::StartFault::bad_client_ca, "a bundle that breaks off"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        House house;
        house.options.listeners[0].tls = good;
        row.spoil(*house.options.listeners[0].tls);
        http::Server server{house.options};
        const auto started = server.start();
        REQUIRE(started.has_error());
        CHECK(started.error().fault == row.fault);
    }
}

TEST_CASE("the client names what is wrong with its own options and the address") {
    TestAuthority authority{11};
    const auto gate = authority.device("gate-1");
    House house;  // plain
    house.open();
    auto plain_server = to(house, "127.0.0.1");
    plain_server.ca_pem = authority.pem();
    CHECK(outcome(plain_server) == "tls_failed");

    Options options;
    options.ca_pem = authority.pem();
    options.base_url = "ftp://localhost";
    CHECK(outcome(options) == "bad_url");
    options.base_url = "http://192.0.2.1";
    CHECK(outcome(options) == "plain_http_refused");
    options.base_url = "https://name.invalid";
    CHECK(outcome(options) == "unresolved");
    options.base_url = "https://127.0.0.1:" + std::to_string(house.port());
    house.close();
    CHECK(outcome(options) == "unreachable");
    options.ca_pem = "not a certificate";
    CHECK(outcome(options) == "bad_credentials");
    options.ca_pem = authority.pem();
    options.certificate_pem = gate.certificate_pem;
    CHECK(outcome(options) == "bad_credentials");
    options.private_key_pem = authority.device("gate-2").private_key_pem;
    CHECK(outcome(options) == "bad_credentials");
    Client client{{.base_url = "http://127.0.0.1:1"}};
    const auto injected = client.request({.headers = {{"X", "a\r\nHost: other"}}});
    REQUIRE(injected.has_error());
    CHECK(injected.error() == Fault::bad_request);
    const auto target = client.request({.target = "/a b"});
    REQUIRE(target.has_error());
    CHECK(target.error() == Fault::bad_url);
}

TEST_CASE("streams, uploads and slowness behave the same under TLS") {
    TestAuthority authority{12};
    House house;
    house.options.listeners[0].tls = tls_of(authority, authority.server());
    house.options.timeouts.stream_ping = http::Timeouts::ms{20};
    house.options.timeouts.handshake = http::Timeouts::ms{200};
    house.options.timeouts.linger = http::Timeouts::ms{50};
    house.open();
    auto options = to(house, "localhost");
    options.ca_pem = authority.pem();
    Client client{options};

    const auto upload = client.request(
        {.method = "POST", .target = "/upload", .body = std::string(1'000'000, 'x')});
    REQUIRE(upload.has_value());
    CHECK(upload->body == "1000000");
    const auto too_large =
        client.request({.method = "POST", .target = "/echo", .body = std::string(5'000'000, 'x')});
    REQUIRE(too_large.has_value());
    CHECK(too_large->status == 413);
    const auto numbers = client.request({.target = "/numbers"});
    REQUIRE(numbers.has_value());
    CHECK(numbers->body.ends_with("\n1000\n"));

    int pings = 0;
    const auto followed = client.stream({.target = "/follow"}, [&](std::string_view line) {
        if (line == ":") ++pings;
        return pings < 3;
    });
    CHECK(followed.has_value());
    const auto writer = house.stream();
    CHECK(eventually([&] { return writer.gone(); }));

    int lines = 0;
    http::StreamWriter ending;
    const auto ended = client.stream({.target = "/follow"}, [&](std::string_view) {
        if (++lines == 2) {
            ending = house.stream();
            ending.write("data: 1\n\n");
            ending.end();
        }
        return true;
    });
    CHECK(ended.has_value());

    RawClient silent{house.port()};
    CHECK(silent.all().empty());
    RawClient wrong{house.port()};
    wrong.send(request("GET /echo/a"));
    CHECK(statuses(wrong.all()).empty());
    CHECK(house.all_gone());
    const std::lock_guard lock{house.seen().mutex};
    CHECK(house.seen().bugs.empty());
}
