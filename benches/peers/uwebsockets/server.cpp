// µWebSockets, as in its own examples: no compression, no pings of its own, and nothing dropped.
#include <cstdio>
#include <cstring>

#include "App.h"

struct Nothing {};

// Of one message and, together, of what waits to be sent to one connection.
constexpr unsigned LONGEST = 2u << 20;
constexpr unsigned WAITING = 1u << 30;

int main(int count, char **arguments) {
    const bool fanOut = count > 1 && std::strcmp(arguments[1], "fan-out") == 0;
    uWS::App app;
    uWS::App::WebSocketBehavior<Nothing> behavior = {
        .compression = uWS::DISABLED,
        .maxPayloadLength = LONGEST,
        .maxBackpressure = WAITING,
        .sendPingsAutomatically = false,
    };
    if (fanOut) {
        behavior.open = [](auto *socket) { socket->subscribe("room"); };
        behavior.message = [&app](auto *, std::string_view message, uWS::OpCode code) { app.publish("room", message, code); };
    } else {
        behavior.message = [](auto *socket, std::string_view message, uWS::OpCode code) { socket->send(message, code); };
    }
    app.ws<Nothing>("/*", std::move(behavior));
    app.listen("127.0.0.1", 0, [](us_listen_socket_t *listener) {
        if (listener == nullptr) return;
        std::printf("127.0.0.1:%d\n", us_socket_local_port(0, reinterpret_cast<us_socket_t *>(listener)));
        std::fflush(stdout);
    });
    app.run();
    return 0;
}
