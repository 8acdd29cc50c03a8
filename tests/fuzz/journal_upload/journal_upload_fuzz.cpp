// Whatever a dead gate's exported journal holds: how it was cut into pieces must not change what is
// read, the tool that made it and the server that takes it must read it alike, and whatever is
// accepted is booked at most once however often it is imported.
#include <nlohmann/json.hpp>

#include "firmware/ctl/journal_file.hpp"
#include "tests/fuzz/server_house/house.hpp"

namespace {

using namespace pf::fuzz;
using nlohmann::json;

api::Prepared<api::Write> upload(House& house, std::string_view bytes, std::size_t at_once) {
    const api::Endpoint* endpoint = House::route("POST /v1/journals");
    require(endpoint != nullptr, "the route exists");
    auto begun = std::get<api::UploadRoute>(endpoint->run).begin(house.request(*endpoint));
    require(begun.index() == 1, "an upload begins");
    auto& sink = *std::get<1>(begun);
    for (; !bytes.empty(); bytes.remove_prefix(std::min(at_once, bytes.size())))
        sink.feed(bytes.substr(0, at_once));
    return sink.finish();
}

/// "": accepted.
std::string refusal(const api::Prepared<api::Write>& prepared) {
    const auto* problem = std::get_if<http::Problem>(&prepared);
    return problem == nullptr ? "" : problem->code + ' ' + problem->detail;
}

void import_until_known(House& house, const api::Write& import, std::size_t batches) {
    house.look([&](const api::Context& c) {
        std::size_t booked = 0;
        // A batch behind a gap may be booked once the gap is filled by a later one of the file.
        for (std::size_t round = 0;; ++round) {
            require(round <= batches, "imported again and again, something is booked every time");
            const api::Reply reply = import(c);
            require(reply.response.status == 200, "a journal that is read is answered");
            const json answer = json::parse(reply.response.body);
            require(answer.at("batches").size() == batches, "every batch has its answer");
            const auto now = answer.at("booked").get<std::size_t>();
            booked += now;
            if (now == 0) break;
        }
        require(booked <= batches, "nothing is booked twice");
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static House house;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto whole = upload(house, bytes, size + 1);
    for (const std::size_t at_once : {std::size_t{1}, std::size_t{7}})
        require(refusal(upload(house, bytes, at_once)) == refusal(whole),
                "how a journal was cut into pieces changes nothing");

    std::string fault;
    const auto batches = pf::firmware::ctl::read_journal_file({data, size}, fault);
    const auto* problem = std::get_if<http::Problem>(&whole);
    require(batches.has_value() == (problem == nullptr), "tool and server accept the same files");
    if (problem != nullptr) {
        require(problem->status == 422 && problem->code == fault,
                "tool and server refuse a file for the same reason");
        return 0;
    }
    import_until_known(house, std::get<api::Write>(whole), batches->size());
    return 0;
}
