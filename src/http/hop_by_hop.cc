// http/hop_by_hop.cc: the fields of one connection, by name and by Connection's own list.
#include "http/hop_by_hop.h"

#include <array>

#include "base/ascii.h"
#include "http/list.h"

namespace spillway::http {
namespace {

struct Options {
  std::array<std::string_view, connection_options_max> names;
  size_t seen = 0;     // Of all kinds.
  size_t unknown = 0;  // The part of them in `names`.
};

// False: too many.
bool read_connection(const HeaderList& fields, Options& options) {
  for (const HeaderField& field : fields) {
    if (field.id != Field::connection) continue;
    ListReader list(field.value);
    std::string_view name;
    while (list.next(name)) {
      if (++options.seen > connection_options_max) return false;
      const bool is_plain = equals_ignoring_case(name, "close");
      if (!is_plain && field_from(name) == Field::other) options.names[options.unknown++] = name;
    }
  }
  return true;
}

bool is_named(const Options& options, std::string_view name) {
  for (size_t i = 0; i < options.unknown; ++i) {
    if (equals_ignoring_case(options.names[i], name)) return true;
  }
  return false;
}

}  // namespace

bool remove_hop_by_hop(HeaderList& fields, const HopByHopKeep& keep) {
  Options options;
  if (!read_connection(fields, options)) return false;
  bool accepts_trailers = false;
  fields.remove_if([&](const HeaderField& field) {
    switch (field.id) {
      case Field::connection:
      case Field::keep_alive:
      case Field::proxy_connection:
      case Field::transfer_encoding: return true;
      case Field::upgrade: return !keep.upgrade;
      case Field::content_length: return !keep.content_length;
      case Field::te:
        accepts_trailers = accepts_trailers || list_has_token(field.value, "trailers");
        return true;
      case Field::other: return options.unknown > 0 && is_named(options, field.name);
      default: return false;
    }
  });
  // There is room: a TE field was just removed.
  return !accepts_trailers || fields.add(Field::te, "trailers");
}

}  // namespace spillway::http
