// http/websocket.h: the two values by which a WebSocket handshake knows its answer.
#pragma once

#include <string>
#include <string_view>

namespace spillway::http {

// A fresh Sec-WebSocket-Key: 16 random bytes (RFC 6455 section 4.1).
std::string make_websocket_key();
// The Sec-WebSocket-Accept that answers it (section 4.2.2).
std::string websocket_accept(std::string_view key);

}  // namespace spillway::http
