// http/hop_by_hop.h: takes out of a message what was meant for one connection only.
#pragma once

#include "http/field.h"

namespace spillway::http {

// What the sender of the next hop still wants of the fields that are normally taken out.
struct HopByHopKeep {
  bool upgrade = false;         // A granted upgrade: the Upgrade field travels on.
  bool content_length = false;  // Responses to HEAD and 304: it describes, it does not frame.
};

// Names in Connection beyond this are no real client's; each costs a walk over the fields.
inline constexpr size_t connection_options_max = 16;

// Removes, per RFC 9110 section 7.6.1: Connection and what it names, Keep-Alive, Proxy-Connection,
// Transfer-Encoding, Upgrade, Content-Length (HeadWriter::framing writes ours) and TE; a TE that
// accepts trailers stays as "trailers", and the writer then names te in its own Connection.
//
// A name in Connection that this program acts on, such as Host, Authorization or X-Forwarded-For,
// is ignored: stripping those is an attack on whoever trusts them, never a wish of a client.
// False: more than connection_options_max names; refuse the message.
[[nodiscard]] bool remove_hop_by_hop(HeaderList& fields, const HopByHopKeep& keep = {});

}  // namespace spillway::http
