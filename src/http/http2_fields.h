// http/http2_fields.h: the fields of one HTTP/2 field section, as nghttp2 takes them.
#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "http/field.h"

namespace spillway::http {

// Points to what it was given; nghttp2 copies when it is submitted, and writes names in small
// letters. Lies on a stack.
class Http2Fields {
 public:
  void add(std::string_view name, std::string_view value) {
    CHECK(size_ < fields_.size());
    fields_[size_++] = {.name = bytes_of(name),
                        .value = bytes_of(value),
                        .namelen = name.size(),
                        .valuelen = value.size(),
                        .flags = NGHTTP2_NV_FLAG_NONE};
  }
  // All but those that speak of one HTTP/1 connection (RFC 9113 section 8.2.2).
  void add_end_to_end(const HeaderList& fields) {
    for (const HeaderField& field : fields) {
      switch (field.id) {
        case Field::connection:
        case Field::keep_alive:
        case Field::proxy_connection:
        case Field::transfer_encoding:
        case Field::upgrade: break;
        case Field::host: break;  // It is :authority.
        default: add(field.name, field.value);
      }
    }
  }
  const nghttp2_nv* data() const { return fields_.data(); }
  size_t size() const { return size_; }

 private:
  static uint8_t* bytes_of(std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  }

  static constexpr size_t ours_max = 8;  // Pseudo-header fields, date, via and the like.
  size_t size_ = 0;
  std::array<nghttp2_nv, HeaderList::fields_max + ours_max> fields_;
};

}  // namespace spillway::http
