// runtime/tls_tickets.h: the keys of session tickets, one set for all cores and server processes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "base/time.h"

namespace spillway::runtime {

// A key seals tickets while it is the newest, and opens them while it is kept: so a client can
// resume for between one and two times `rotate_every`. Who holds the keys can read what was said in
// sessions of TLS 1.2 that began with them (RFC 5077 section 5.5): so they live in memory alone and
// are forgotten. Any thread.
class TlsTicketKeys {
 public:
  static constexpr Duration rotate_every = 12h;
  static constexpr size_t keys_max = 3;  // The newest, and two that may still be in use.

  struct Key {
    std::array<uint8_t, 16> name;  // Says which key sealed a ticket (RFC 5077 section 4).
    std::array<uint8_t, 32> cipher;
    std::array<uint8_t, 32> mac;
    WallTime made;
  };

  // With one fresh key. Aborts if the system has no random bytes.
  static std::shared_ptr<TlsTicketKeys> make(WallTime now);
  // As encode() wrote them. Error: invalid.
  static Result<std::shared_ptr<TlsTicketKeys>> decode(std::string_view text);
  // In hexadecimal, for another process of this program; a secret.
  std::string encode() const;

  // Makes a new key if the newest is old; whether it did.
  bool rotate(WallTime now);
  Key newest() const;
  struct Found {
    Key key;
    bool is_newest = false;
  };
  std::optional<Found> find(const uint8_t* name) const;

  explicit TlsTicketKeys(std::vector<Key> keys) : keys_(std::move(keys)) {}

 private:
  mutable Guarded<std::vector<Key>> keys_;  // Newest first; never empty.
};

}  // namespace spillway::runtime
