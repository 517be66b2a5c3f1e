// http/via.h: names this proxy in Via and notices requests that come round again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/field.h"

namespace spillway::http {

// Our pseudonym in Via (RFC 9110 section 7.6.3). Made once from the plan; immutable, any core, and
// outlives the heads it was appended to.
class Via {
 public:
  // REQUIRES a token, best unique to this instance: two proxies of one name look like a loop.
  explicit Via(std::string_view pseudonym);

  // "1.1 name", for a message that was received in HTTP/1.`minor_version`; "2 name" for HTTP/2.
  std::string_view value(uint8_t minor_version, bool is_http2 = false) const {
    if (is_http2) return value_2_;
    return minor_version == 0 ? value_1_0_ : value_1_1_;
  }
  // Appends ours as a last field line, which is the same as a last element. False: no room.
  [[nodiscard]] bool append(uint8_t minor_version, HeaderList& fields) const {
    return fields.add(Field::via, value(minor_version));
  }
  // How often the message has passed here. Once may be meant (a route to ourselves); answer 508
  // (RFC 5842 section 7.2) beyond the plan's limit.
  size_t times_passed(const HeaderList& fields) const;

 private:
  std::string value_1_0_;
  std::string value_1_1_;
  std::string value_2_;
};

}  // namespace spillway::http
