// http/forwarded.cc: walks the chain of proxies from our end and writes it one link longer.
#include "http/forwarded.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.h"
#include "http/authority.h"
#include "http/ip_text.h"
#include "http/scan.h"
#include "http/serializer.h"

namespace spillway::http {
namespace {

constexpr size_t ip_text_max = 46;  // What write_ip asks for.

bool is_trusted(const ForwardedInput& input, const IpAddress& address) {
  return std::ranges::any_of(input.trusted,
                             [&](const IpPrefix& prefix) { return prefix.contains(address); });
}

// Takes the last element off a list; false if none is left. Empty elements are skipped. A quoted
// string that holds a comma is cut, and its pieces are no address: the walk ends there.
bool take_last(std::string_view& list, std::string_view& element) {
  while (!list.empty()) {
    const size_t comma = list.rfind(',');
    element = trimmed(comma == std::string_view::npos ? list : list.substr(comma + 1));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(0, comma);
    if (!element.empty()) return true;
  }
  return false;
}

// The "for" of one forwarded-element: for=192.0.2.43;proto=http (RFC 7239 section 4).
std::string_view for_parameter(std::string_view element) {
  while (!element.empty()) {
    const size_t semicolon = element.find(';');
    const std::string_view pair = trimmed(element.substr(0, semicolon));
    element.remove_prefix(semicolon == std::string_view::npos ? element.size() : semicolon + 1);
    if (pair.size() > 4 && equals_ignoring_case(pair.substr(0, 4), "for=")) return pair.substr(4);
  }
  return {};
}

// An unreadable entry ends the walk: the client is then the last proxy that could be believed.
IpAddress find_client(const ForwardedInput& input, const HeaderList& fields) {
  const Field id = fields.has(Field::x_forwarded_for) ? Field::x_forwarded_for : Field::forwarded;
  IpAddress client = input.peer;
  size_t hops = 0;
  for (size_t i = fields.size(); i > 0; --i) {
    if (fields[i - 1].id != id) continue;
    std::string_view list = fields[i - 1].value;
    std::string_view element;
    while (take_last(list, element)) {
      if (++hops > forwarded_hops_max) return client;
      const auto node = id == Field::forwarded ? for_parameter(element) : element;
      const std::optional<IpAddress> address = ip_from_node(node);
      if (!address) return client;
      client = *address;
      if (!is_trusted(input, client)) return client;
    }
  }
  return client;
}

std::string_view last_element(const HeaderList& fields, Field id) {
  std::string_view last;
  for (const HeaderField& field : fields) {
    std::string_view list = field.value;
    if (field.id == id && !take_last(list, last)) last = {};
  }
  return last;
}

// Copies the received lines of one kind as one list, ready for one more element.
void put_received(HeadWriter& writer, const HeaderList& fields, Field id) {
  for (const HeaderField& field : fields) {
    if (field.id != id || field.value.empty()) continue;
    writer.text(field.value);
    writer.text(", ");
  }
}

// RFC 7239 section 6: an IPv6 address stands in brackets, and both brackets and colons in quotes.
void put_forwarded_element(HeadWriter& writer, const ForwardedInput& input,
                           std::string_view peer_text) {
  writer.text(input.peer.is_v4() ? "for=" : "for=\"[");
  writer.text(peer_text);
  if (!input.peer.is_v4()) writer.text("]\"");
  if (!input.authority.empty()) {
    const bool needs_quotes = !is_token(input.authority);
    writer.text(needs_quotes ? ";host=\"" : ";host=");
    writer.text(input.authority);
    if (needs_quotes) writer.text("\"");
  }
  writer.text(";proto=");
  writer.text(input.scheme);
}

// Also with underscores.
bool is_forwarding_name(std::string_view name) {
  constexpr std::string_view prefix = "x-forwarded-";
  return is_same_variable(name.substr(0, prefix.size()), prefix) ||
         is_same_variable(name, to_string(Field::x_real_ip));
}

void believe_scheme_and_host(const HeaderList& fields, ForwardedOutput& output) {
  const std::string_view scheme = last_element(fields, Field::x_forwarded_proto);
  if (equals_ignoring_case(scheme, "https")) output.scheme = "https";
  if (equals_ignoring_case(scheme, "http")) output.scheme = "http";
  const std::string_view host = last_element(fields, Field::x_forwarded_host);
  if (parse_authority(host)) output.host = host;
}

}  // namespace

bool resolve_forwarded(const ForwardedInput& input, const HeaderList& fields,
                       std::span<char> buffer, ForwardedOutput& output) {
  output = ForwardedOutput{.client = input.peer, .scheme = input.scheme, .host = input.authority};
  const bool peer_is_trusted = output.peer_is_trusted = is_trusted(input, input.peer);
  if (peer_is_trusted) {
    output.client = find_client(input, fields);
    believe_scheme_and_host(fields, output);
  }

  char peer_buffer[ip_text_max];
  char client_buffer[ip_text_max];
  const std::string_view peer_text(peer_buffer, write_ip(input.peer, peer_buffer));
  HeadWriter writer(buffer);
  writer.text({client_buffer, write_ip(output.client, client_buffer)});
  const size_t real_ip_end = writer.size();
  if (peer_is_trusted) put_received(writer, fields, Field::x_forwarded_for);
  writer.text(peer_text);
  const size_t for_end = writer.size();
  if (input.with_forwarded) {
    if (peer_is_trusted) put_received(writer, fields, Field::forwarded);
    put_forwarded_element(writer, input, peer_text);
  }
  if (writer.overflowed()) return false;
  const std::string_view written = writer.written();
  output.real_ip = written.substr(0, real_ip_end);
  output.x_forwarded_for = written.substr(real_ip_end, for_end - real_ip_end);
  output.forwarded = written.substr(for_end);
  return true;
}

void remove_forwarded(HeaderList& fields, bool peer_is_trusted) {
  fields.remove_if([peer_is_trusted](const HeaderField& field) {
    switch (field.id) {
      case Field::forwarded:
      case Field::x_forwarded_for:
      case Field::x_forwarded_host:
      case Field::x_forwarded_port:
      case Field::x_forwarded_proto:
      case Field::x_real_ip: return true;
      case Field::other:
        return is_forwarding_name(field.name) && !(peer_is_trusted && !field.name.contains('_'));
      default: return false;
    }
  });
}

}  // namespace spillway::http
