#include "tests/integration/server/house.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/mqtt/paho_link.hpp"

namespace pf::tests {

using namespace pf::firmware;

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return condition();
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    return true;
}

namespace {

std::string text_of(const std::string& file) {
    std::ifstream in{file};
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

Answer answer_of(const Result<https::Response, https::Fault>& response, const std::string& why) {
    if (response.has_error())
        return {.status = 0,
                .json = {},
                .code = std::string{https::to_text(response.error())} + ": " + why,
                .etag = {}};
    Answer out{.status = response->status,
               .json = Json::parse(response->body, nullptr, false),
               .code = {},
               .etag = {}};
    if (out.json.is_object() && out.json.contains("code")) out.code = out.json["code"];
    if (const auto tag = response->header("ETag")) out.etag = std::string{*tag};
    return out;
}

}  // namespace

// --- process
// ------------------------------------------------------------------------------------------

Process::Process(const std::vector<std::string>& command, const std::string& log) {
    std::vector<char*> arguments;
    for (const std::string& argument : command)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    process_ = ::fork();
    REQUIRE(process_ >= 0);
    if (process_ == 0) {
        const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(file, STDOUT_FILENO);
        ::dup2(file, STDERR_FILENO);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
}

Process::~Process() {
    if (ended_) return;
    signal(SIGKILL);
    (void)wait();
}

void Process::signal(int number) const {
    if (!ended_) ::kill(process_, number);
}

std::optional<int> Process::wait(std::chrono::milliseconds patience) {
    (void)eventually(
        [this] {
            int status = 0;
            if (!ended_ && ::waitpid(process_, &status, WNOHANG) == process_)
                ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            return ended_.has_value();
        },
        patience);
    return ended_;
}

// --- server
// -------------------------------------------------------------------------------------------

std::string Server::config_file() {
    const std::string file = folder_ / "server.toml";
    std::ofstream{file} << "data = \"" << data() << "\"\n"
                        << "[http]\nport = 0\n[renewal]\nport = 0\n[broker]\n"
                        << broker_settings << "\n[lists]\n"
                        << list_settings << "\n"
                        << "[log]\nlevel = \"debug\"\n"
                        << (Database::on_postgres()
                                ? "[database]\nurl = \"" + database_->where() + "\"\n"
                                : "");
    return file;
}

void Server::start() {
    const std::string ports = data() + "/ports.json";
    std::filesystem::remove(ports);
    process_ = std::make_unique<Process>(
        std::vector<std::string>{PAIFANG_SERVER, "--config", config_file()}, folder_ / "log");
    bool early = false;
    const bool there = eventually([&] {
        early = process_->wait(std::chrono::milliseconds{0}).has_value();
        return early || std::filesystem::exists(ports);
    });
    REQUIRE_MESSAGE((there && !early), log());
    ports_ = Json::parse(text_of(ports));
    REQUIRE_MESSAGE(eventually([&] { return get("/v1/health").status == 200; }), log());
}

int Server::stop() {
    process_->signal(SIGTERM);
    return process_->wait().value_or(-1);
}

Server::Ran Server::run(const std::vector<std::string>& arguments) {
    std::vector<std::string> command{PAIFANG_SERVER, "--config", config_file()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const std::string said = folder_ / "said";
    std::filesystem::remove(said);
    Process process{command, said};
    const int code = process.wait().value_or(-1);
    return {code, text_of(said)};
}

void Server::kill() {
    process_->signal(SIGKILL);
    (void)process_->wait();
}

std::string Server::url() const { return "https://localhost:" + std::to_string(port("http")); }
std::string Server::authority_pem() const { return text_of(data() + "/authority.pem"); }
std::string Server::log() const { return text_of(folder_ / "log"); }
std::string Server::admin_key() const {
    std::string text = text_of(data() + "/admin.key");
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

https::Options Server::options() const {
    https::Options out;
    out.base_url = url();
    out.ca_pem = authority_pem();
    out.request_timeout = std::chrono::minutes{5};
    return out;
}

Answer Server::ask(const std::string& method, const std::string& path, const std::string& body,
                   https::Fields headers, const std::string& type) {
    https::Client client{options()};
    https::Request request{
        .method = method, .target = path, .headers = std::move(headers), .body = body};
    request.headers.emplace_back("Authorization", "Bearer " + admin_key());
    if (!body.empty()) request.headers.emplace_back("Content-Type", type);
    const auto response = client.request(request);
    return answer_of(response, client.explain());
}

void Server::furnish() {
    REQUIRE(post("/v1/sites", {{"name_zh", "黄山"}, {"name_en", "Huangshan"}}).status == 201);
    REQUIRE(post("/v1/sites/1/points", {{"name_zh", "南门"}, {"name_en", "South"}}).status == 201);
    REQUIRE(post("/v1/sites/1/products", {{"name_zh", "成人票"}, {"name_en", "Adult"}}).status ==
            201);
}

std::string Server::invite(const std::string& id) {
    const auto answer = post("/v1/devices", {{"id", id},
                                             {"site", 1},
                                             {"configuration",
                                              {{"number", "1"},
                                               {"name_zh", "一号"},
                                               {"name_en", "One"},
                                               {"kind", "gate"},
                                               {"point", 1}}}});
    REQUIRE(answer.status == 201);
    return answer.json["pairing_code"];
}

void Server::take_keys_of(const Server& other) const {
    std::filesystem::create_directories(data());
    for (const char* name : {"/master.key", "/authority.key", "/authority.pem", "/admin.key"})
        std::filesystem::copy_file(other.data() + name, data() + name);
}

// --- a broker elsewhere
// --------------------------------------------------------------------------------

void Elsewhere::start(const std::string& settings) {
    std::ofstream{server.file("mosquitto.conf")} << settings << "user root\n";
    process = std::make_unique<Process>(
        std::vector<std::string>{"/usr/sbin/mosquitto", "-c", server.file("mosquitto.conf")},
        server.file("mosquitto.log"));
}

std::string hand_out_kit(Server& server) {
    // The first start makes the authority; its own broker also says which port is free.
    server.start();
    server.furnish();
    const std::string port = std::to_string(server.port("broker"));
    CHECK(server.stop() == 0);
    server.broker_settings = "kind = \"external\"\nhost = \"localhost\"\nport = " + port;
    const auto kit = server.run({"broker", "certificate", "--name", "localhost", "--out",
                                 server.file("kit"), "--port", port});
    REQUIRE_MESSAGE(kit.code == 0, kit.said);
    return kit.said;
}

// --- board
// --------------------------------------------------------------------------------------------

Answer Board::claim(const Server& server, const std::string& code) {
    key_ = crypto::PrivateKey::generate(*entropy_);
    https::Options options;
    options.base_url = server.url();
    options.pin_sha256 = array_from_hex<32>(code.substr(code.find('.') + 1));
    options.ignore_certificate_dates = true;
    https::Client client{options};
    https::Request request{.method = "POST", .target = "/v1/pairings/claim"};
    request.headers.emplace_back("Content-Type", "application/json");
    request.body =
        Json{{"code", code}, {"request_pem", crypto::make_request(*key_, "new-device")}}.dump();
    const auto answer = answer_of(client.request(request), client.explain());
    if (answer.status == 201) {
        id_ = answer.json["device"];
        root = answer.json["topic_root"];
        certificate_pem = answer.json["certificate_pem"];
        authority_pem = answer.json["authority_pem"];
        renewal_url = answer.json["renewal_url"];
        broker_host_ = answer.json["broker"]["host"];
        broker_port_ = answer.json["broker"]["port"];
    }
    return answer;
}

Answer Board::renew() {
    https::Options options;
    options.base_url = renewal_url;
    options.ca_pem = authority_pem;
    options.certificate_pem = certificate_pem;
    options.private_key_pem = key_->to_pem();
    https::Client client{options};
    https::Request request{.method = "POST", .target = "/v1/certificates/renew"};
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = Json{{"request_pem", crypto::make_request(*key_, id_)}}.dump();
    const auto answer = answer_of(client.request(request), client.explain());
    if (answer.status == 201) certificate_pem = answer.json["certificate_pem"];
    return answer;
}

void Board::connect(Loop& loop, std::vector<std::string> subscriptions) {
    mqtt::Options options;
    options.host = broker_host_;
    options.port = broker_port_;
    options.client_id = id_;
    options.tls = mqtt::Tls{.authority_pem = authority_pem,
                            .certificate_pem = certificate_pem,
                            .key_pem = key_->to_pem()};
    options.subscriptions = {root + "dn/#"};
    for (std::string& more : subscriptions) options.subscriptions.push_back(std::move(more));
    link_ = mqtt::make_paho_link(std::move(options), loop.post(), entropy_);
    link_->open(heard);
}

wire::Birth Board::birth(std::uint64_t counter) const {
    const DeviceId id = *DeviceId::parse(id_);
    return {.connect_counter = counter,
            .boot = BootId{1},
            .kind = wire::DeviceKind::gate,
            .firmware = "0.1.0-test",
            .journal = {Epoch{7}, 0, journal::genesis(id, Epoch{7})},
            .confirmed = std::nullopt,
            .confirmed_generation = {},
            .lists = {},
            .uses_generation = {},
            .documents = {},
            .wall = std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now()),
            .clock = journal::ClockQuality::unconfirmed};
}

wire::Batch Board::batch(std::uint64_t events) const {
    const DeviceId id = *DeviceId::parse(id_);
    wire::Batch out{.device = id,
                    .epoch = Epoch{7},
                    .first_seq = 1,
                    .head_before = journal::genesis(id, Epoch{7}),
                    .events = {},
                    .signature = {}};
    for (std::uint64_t seq = 1; seq <= events; ++seq)
        out.events.push_back(
            journal::encode({.seq = seq,
                             .wall = wall_from_ms(1'790'000'000'000),
                             .steady = SteadyTime{Millis{1'000}},
                             .boot = BootId{1},
                             .clock = journal::ClockQuality::confirmed,
                             .body = journal::Booted{"0.1." + std::to_string(seq)}}));
    out.signature = key_->sign(journal::head_to_sign(id, wire::cursor_after(out)));
    return out;
}

}  // namespace pf::tests
