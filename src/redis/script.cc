// redis/script.cc: EVALSHA, and EVAL where the script is new.
#include "redis/script.h"

#include <openssl/evp.h>

#include "base/ascii.h"
#include "base/check.h"
#include "redis/command.h"

namespace spillway::redis {

using runtime::Task;

namespace {

std::string evaluation(std::string_view verb, std::string_view script,
                       std::span<const std::string> keys, std::span<const std::string> arguments) {
  std::string text;
  CommandWriter writer(text, 3 + keys.size() + arguments.size());
  writer.add(verb).add(script).add(static_cast<int64_t>(keys.size()));
  for (const std::string& key : keys) writer.add(key);
  for (const std::string& argument : arguments) writer.add(argument);
  return text;
}

}  // namespace

// SHA-1 is the name that Redis gives to scripts; nothing here relies on its strength.
Script::Script(std::string_view text) : text_(text), digest_{} {
  std::array<uint8_t, EVP_MAX_MD_SIZE> bytes{};
  uint32_t size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), bytes.data(), &size, EVP_sha1(), nullptr) == 1);
  CHECK(size * 2 == digest_.size());
  for (uint32_t i = 0; i < size; ++i) {
    digest_[i * 2] = hex_digits[bytes[i] >> 4];
    digest_[i * 2 + 1] = hex_digits[bytes[i] & 0xF];
  }
}

Task<Result<Reply>> Script::run(Client& client, std::span<const std::string> keys,
                                std::span<const std::string> arguments, Deadline deadline,
                                runtime::Interruption* interruption) const {
  const std::string by_digest = evaluation("EVALSHA", digest(), keys, arguments);
  auto reply = co_await client.call(keys.front(), by_digest, deadline, interruption);
  if (!reply || reply->error_code() != "NOSCRIPT") co_return reply;
  const std::string by_text = evaluation("EVAL", text_, keys, arguments);
  co_return co_await client.call(keys.front(), by_text, deadline, interruption);
}

}  // namespace spillway::redis
