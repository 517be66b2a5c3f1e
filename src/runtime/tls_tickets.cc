// runtime/tls_tickets.cc: making, keeping and handing over the keys of session tickets.
#include "runtime/tls_tickets.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "base/ascii.h"
#include "base/check.h"

namespace spillway::runtime {
namespace {

using Key = TlsTicketKeys::Key;

constexpr size_t key_bytes = sizeof Key::name + sizeof Key::cipher + sizeof Key::mac + 8;

Key fresh_key(WallTime now) {
  Key key{.made = now};
  const auto fill = [](std::span<uint8_t> bytes) {
    CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  };
  fill(key.name);
  fill(key.cipher);
  fill(key.mac);
  return key;
}

void append_hex(std::string& text, std::span<const uint8_t> bytes) {
  for (const uint8_t byte : bytes) {
    text += hex_digits[byte >> 4];
    text += hex_digits[byte & 15];
  }
}

// False if `text` has no such bytes in front; takes them off.
bool take_hex(std::string_view& text, std::span<uint8_t> bytes) {
  if (text.size() < bytes.size() * 2) return false;
  for (uint8_t& byte : bytes) {
    const int high = hex_value(text[0]);
    const int low = hex_value(text[1]);
    if (high < 0 || low < 0) return false;
    byte = static_cast<uint8_t>(high << 4 | low);
    text.remove_prefix(2);
  }
  return true;
}

}  // namespace

std::shared_ptr<TlsTicketKeys> TlsTicketKeys::make(WallTime now) {
  return std::make_shared<TlsTicketKeys>(std::vector{fresh_key(now)});
}

std::string TlsTicketKeys::encode() const {
  std::string text;
  keys_.with([&](const std::vector<Key>& keys) {
    for (const Key& key : keys) {
      std::array<uint8_t, 8> made;
      const int64_t nanoseconds = key.made.time_since_epoch().count();
      std::memcpy(made.data(), &nanoseconds, made.size());
      append_hex(text, key.name);
      append_hex(text, key.cipher);
      append_hex(text, key.mac);
      append_hex(text, made);
    }
  });
  return text;
}

Result<std::shared_ptr<TlsTicketKeys>> TlsTicketKeys::decode(std::string_view text) {
  const size_t count = text.size() / (2 * key_bytes);
  std::vector<Key> keys;
  while (!text.empty() && keys.size() < keys_max) {
    Key key{};
    std::array<uint8_t, 8> made;
    if (!take_hex(text, key.name) || !take_hex(text, key.cipher) || !take_hex(text, key.mac) ||
        !take_hex(text, made)) {
      break;
    }
    int64_t nanoseconds = 0;
    std::memcpy(&nanoseconds, made.data(), made.size());
    key.made = WallTime(std::chrono::nanoseconds(nanoseconds));
    keys.push_back(key);
  }
  if (!text.empty() || keys.empty() || keys.size() != count) {
    return fail(Error::Code::invalid, "these are no keys of session tickets");
  }
  return std::make_shared<TlsTicketKeys>(std::move(keys));
}

// A clock that was set back makes a key that seems to be of the future: it is renewed too.
bool TlsTicketKeys::rotate(WallTime now) {
  return keys_.with([now](std::vector<Key>& keys) {
    const auto age = now - keys.front().made;
    if (age >= Duration::zero() && age < rotate_every) return false;
    keys.insert(keys.begin(), fresh_key(now));
    if (keys.size() > keys_max) keys.resize(keys_max);
    return true;
  });
}

Key TlsTicketKeys::newest() const {
  return keys_.with([](const std::vector<Key>& keys) { return keys.front(); });
}

std::optional<TlsTicketKeys::Found> TlsTicketKeys::find(const uint8_t* name) const {
  return keys_.with([name](const std::vector<Key>& keys) -> std::optional<Found> {
    for (size_t i = 0; i < keys.size(); ++i) {
      if (std::memcmp(keys[i].name.data(), name, keys[i].name.size()) != 0) continue;
      return Found{.key = keys[i], .is_newest = i == 0};
    }
    return std::nullopt;
  });
}

}  // namespace spillway::runtime
