// http/media_type.h: the media type of a file, and which of several a client would rather have.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/field.h"

namespace spillway::http {

// By the ending of the name, in any case; what sites are made of (IANA's registry of media types).
// Text comes with its charset, UTF-8. "application/octet-stream" for an ending that is not known.
std::string_view media_type_of(std::string_view file_name);

// Elements of Accept beyond this are no real client's; the rest is not read.
inline constexpr size_t accept_elements_max = 64;

// How much the client wants a body of `media_type` (its parameters do not matter), in thousandths;
// 0: not at all. The most specific range decides (RFC 9110 section 12.5.1). Without Accept anything
// is welcome: 1000. A range that is malformed, or has parameters, counts as not there.
uint16_t weight_of(const HeaderList& request, std::string_view media_type);

}  // namespace spillway::http
