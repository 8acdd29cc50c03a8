#include "common/mqtt/paho_client.hpp"

#include <MQTTAsync.h>

#include <algorithm>
#include <cassert>
#include <cstring>

#include "common/mqtt/no_delay.hpp"

namespace pf::mqtt {

namespace {

// MQTT 5.0 section 3.2.2.2 and 3.4.2.1; MQTT 3.1.1 section 3.2.2.3. From this code on, 5 means no.
constexpr int reason_failure_min = 0x80;
constexpr int reason_not_authorised = 0x87;
constexpr int connack_5_version = 0x84;
constexpr int connack_3_version = 1;
constexpr int qos = 1;

/// Paho keeps one count of unsent messages, and compares with "greater or equal".
constexpr int buffered_spare = 2;

/// Once for the process: OpenSSL initialises itself, and its other users must not see it undone.
void init_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        MQTTAsync_init_options options = MQTTAsync_init_options_initializer;
        options.do_openssl_init = 0;
        MQTTAsync_global_init(&options);
    });
}

std::string uri_of(const Options& options) {
    const bool is_ipv6 = options.host.find(':') != std::string::npos;
    return (options.tls ? "ssl://" : "tcp://") +
           (is_ipv6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

Fault publish_fault(int reason_code) {
    if (reason_code == reason_not_authorised) return Fault::not_authorised;
    if (reason_code >= reason_failure_min) return Fault::rejected;
    return Fault::lost;  // no word from the broker: the connection ended first
}

}  // namespace

struct PahoClient::Callbacks {
    static PahoClient& self(void* context) { return *static_cast<PahoClient*>(context); }

    static void connected(void* context, MQTTAsync_successData*) { accepted(self(context)); }
    static void connected5(void* context, MQTTAsync_successData5*) { accepted(self(context)); }
    static void accepted(PahoClient& client) {
        send_at_once(client.options_.port);
        client.calls_.connect_done(std::nullopt, false);
    }
    static void connect_failed(void* context, MQTTAsync_failureData* data) {
        failed(self(context), data->code, data->message);
    }
    static void connect_failed5(void* context, MQTTAsync_failureData5* data) {
        failed(self(context), data->code, data->message);
    }
    static void failed(PahoClient& client, int code, const char* message) {
        // Paho tells the phases apart by its text alone; see docs/adr/0010.
        const std::string_view text = message != nullptr ? message : "";
        const bool answered = text == "CONNACK return code";
        const bool hung_up = text == "TCP connect completion failure" || text == "socket error";
        const bool version = answered && (code == connack_5_version || code == connack_3_version);
        Fault fault = Fault::unreachable;
        if (client.tls_error_seen_) fault = Fault::tls_refused;
        if (answered || hung_up) fault = Fault::connect_refused;
        client.calls_.connect_done(fault, version);
    }
    static int tls_error(const char*, std::size_t, void* context) {
        self(context).tls_error_seen_ = true;
        return 1;  // go on printing; the text goes nowhere else
    }

    static void subscribed(void* context, MQTTAsync_successData* data) {
        PahoClient& client = self(context);
        const std::size_t count = client.options_.subscriptions.size();
        const int* granted = count == 1 ? &data->alt.qos : data->alt.qosList;
        client.calls_.subscribe_done(
            std::all_of(granted, granted + count, [](int code) { return code == qos; }));
    }
    static void subscribed5(void* context, MQTTAsync_successData5* data) {
        PahoClient& client = self(context);
        const std::size_t count = client.options_.subscriptions.size();
        const MQTTReasonCodes* granted = count == 1 ? &data->reasonCode : data->alt.sub.reasonCodes;
        client.calls_.subscribe_done(
            std::all_of(granted, granted + count, [](int code) { return code == qos; }));
    }
    static void subscribe_failed(void* context, MQTTAsync_failureData*) {
        self(context).calls_.subscribe_done(false);
    }
    static void subscribe_failed5(void* context, MQTTAsync_failureData5*) {
        self(context).calls_.subscribe_done(false);
    }

    static void lost(void* context, char*) { self(context).calls_.connection_lost(); }

    static int arrived(void* context, char* topic, int length, MQTTAsync_message* message) {
        // Paho passes 0 for a topic that ends at its first NUL.
        const std::string_view name{
            topic, length > 0 ? static_cast<std::size_t>(length) : std::strlen(topic)};
        const BytesView payload{static_cast<const Byte*>(message->payload),
                                static_cast<std::size_t>(message->payloadlen)};
        self(context).calls_.message_arrived(name, payload);
        MQTTAsync_freeMessage(&message);
        MQTTAsync_free(topic);
        return 1;  // taken; 0 would make Paho hand it over again for ever
    }

    static void published(void* context, MQTTAsync_successData*) { sent(context, std::nullopt); }
    static void published5(void* context, MQTTAsync_successData5*) { sent(context, std::nullopt); }
    static void publish_failed(void* context, MQTTAsync_failureData*) {
        sent(context, Fault::lost);
    }
    static void publish_failed5(void* context, MQTTAsync_failureData5* data) {
        sent(context, publish_fault(data->reasonCode));
    }
    static void sent(void* context, std::optional<Fault> fault) {
        Slot& slot = *static_cast<Slot*>(context);
        PahoClient& client = *slot.client;
        const PublishId id = slot.id;
        client.free_slot(slot);
        client.calls_.publish_done(id, fault);
    }
};

std::shared_ptr<PahoClient> PahoClient::create(const Options& options, Protocol protocol,
                                               PahoCalls& calls) {
    init_library();
    std::shared_ptr<PahoClient> client{new PahoClient(options, protocol, calls)};
    MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer;
    create.MQTTVersion = protocol == Protocol::v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    create.sendWhileDisconnected = 0;
    create.maxBufferedMessages = static_cast<int>(options.limits.in_flight_max) + buffered_spare;
    const int made = MQTTAsync_createWithOptions(&client->handle_, uri_of(options).c_str(),
                                                 options.client_id.c_str(),
                                                 MQTTCLIENT_PERSISTENCE_NONE, nullptr, &create);
    if (made != MQTTASYNC_SUCCESS) {
        client->handle_ = nullptr;
        return nullptr;
    }
    const int set = MQTTAsync_setCallbacks(client->handle_, client.get(), &Callbacks::lost,
                                           &Callbacks::arrived, nullptr);
    return set == MQTTASYNC_SUCCESS ? client : nullptr;
}

PahoClient::PahoClient(const Options& options, Protocol protocol, PahoCalls& calls)
    : options_{options}, protocol_{protocol}, calls_{calls}, slots_{options.limits.in_flight_max} {}

PahoClient::~PahoClient() { destroy(); }

bool PahoClient::connect(const std::optional<TlsPaths>& tls, const std::optional<Will>& will) {
    const bool is_5 = protocol_ == Protocol::v5;
    MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer;
    if (is_5) connect = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
    MQTTAsync_willOptions last = MQTTAsync_willOptions_initializer;

    connect.MQTTVersion = is_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    connect.cleansession = is_5 ? 0 : 1;
    connect.cleanstart = is_5 ? 1 : 0;
    connect.keepAliveInterval = static_cast<int>(options_.keep_alive_s);
    connect.connectTimeout = static_cast<int>(options_.answer_s_max);
    connect.maxInflight = static_cast<int>(options_.limits.in_flight_max) + buffered_spare;
    connect.automaticReconnect = 0;
    connect.context = this;
    connect.onSuccess = is_5 ? nullptr : &Callbacks::connected;
    connect.onFailure = is_5 ? nullptr : &Callbacks::connect_failed;
    connect.onSuccess5 = is_5 ? &Callbacks::connected5 : nullptr;
    connect.onFailure5 = is_5 ? &Callbacks::connect_failed5 : nullptr;
    if (tls) {
        ssl.trustStore = tls->authority.c_str();
        ssl.keyStore = tls->certificate.c_str();
        ssl.privateKey = tls->key.c_str();
        ssl.enableServerCertAuth = 1;
        ssl.verify = 1;  // the certificate must name the host
        ssl.disableDefaultTrustStore = 1;
        ssl.ssl_error_cb = &Callbacks::tls_error;
        ssl.ssl_error_context = this;
        connect.ssl = &ssl;
    }
    if (will) {
        last.topicName = will->topic.c_str();
        last.qos = qos;
        last.payload.len = static_cast<int>(will->payload.size());
        last.payload.data = will->payload.data();
        connect.will = &last;
    }
    const std::scoped_lock lock{handle_mutex_};
    return handle_ != nullptr && MQTTAsync_connect(handle_, &connect) == MQTTASYNC_SUCCESS;
}

bool PahoClient::subscribe(const std::vector<std::string>& filters) {
    assert(!filters.empty());
    const bool is_5 = protocol_ == Protocol::v5;
    std::vector<char*> names;
    // Paho's signature wants writable text and does not write it.
    for (const std::string& filter : filters) names.push_back(const_cast<char*>(filter.c_str()));
    const std::vector<int> levels(filters.size(), qos);
    std::vector<MQTTSubscribe_options> each(filters.size(), MQTTSubscribe_options_initializer);

    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.context = this;
    response.onSuccess = is_5 ? nullptr : &Callbacks::subscribed;
    response.onFailure = is_5 ? nullptr : &Callbacks::subscribe_failed;
    response.onSuccess5 = is_5 ? &Callbacks::subscribed5 : nullptr;
    response.onFailure5 = is_5 ? &Callbacks::subscribe_failed5 : nullptr;
    if (is_5) {
        response.subscribeOptionsCount = static_cast<int>(each.size());
        response.subscribeOptionsList = each.data();
    }
    const std::scoped_lock lock{handle_mutex_};
    return handle_ != nullptr &&
           MQTTAsync_subscribeMany(handle_, static_cast<int>(names.size()), names.data(),
                                   levels.data(), &response) == MQTTASYNC_SUCCESS;
}

bool PahoClient::publish(PublishId id, const std::string& topic, BytesView payload) {
    const bool is_5 = protocol_ == Protocol::v5;
    Slot* slot = take_slot(id);
    if (slot == nullptr) return false;
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.context = slot;
    response.onSuccess = is_5 ? nullptr : &Callbacks::published;
    response.onFailure = is_5 ? nullptr : &Callbacks::publish_failed;
    response.onSuccess5 = is_5 ? &Callbacks::published5 : nullptr;
    response.onFailure5 = is_5 ? &Callbacks::publish_failed5 : nullptr;
    const std::scoped_lock lock{handle_mutex_};
    const bool taken = handle_ != nullptr &&
                       MQTTAsync_send(handle_, topic.c_str(), static_cast<int>(payload.size()),
                                      payload.data(), qos, 0, &response) == MQTTASYNC_SUCCESS;
    if (!taken) free_slot(*slot);
    return taken;
}

void PahoClient::destroy() noexcept {
    void* handle = nullptr;
    {
        const std::scoped_lock lock{handle_mutex_};
        std::swap(handle, handle_);
    }
    // Paho holds its global lock around every callback, and takes it here: afterwards none runs.
    if (handle != nullptr) MQTTAsync_destroy(&handle);
}

PahoClient::Slot* PahoClient::take_slot(PublishId id) {
    const std::scoped_lock lock{slots_mutex_};
    const auto found = std::ranges::find(slots_, false, &Slot::busy);
    if (found == slots_.end()) return nullptr;
    *found = Slot{.client = this, .id = id, .busy = true};
    return &*found;
}

void PahoClient::free_slot(Slot& slot) {
    const std::scoped_lock lock{slots_mutex_};
    slot.busy = false;
}

}  // namespace pf::mqtt
