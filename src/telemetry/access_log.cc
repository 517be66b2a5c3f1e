// telemetry/access_log.cc: keys in a fixed order, values escaped, secrets left out.
#include "telemetry/access_log.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "telemetry/line_buffer.h"

namespace spillway::telemetry {
namespace {

// Bytes after escaping. Paths and queries are what people search for; the rest are names.
constexpr size_t path_bytes_max = 4096;
constexpr size_t query_bytes_max = 4096;
constexpr size_t user_agent_bytes_max = 1024;
constexpr size_t error_bytes_max = 1024;
constexpr size_t host_bytes_max = 512;
constexpr size_t name_bytes_max = 256;
constexpr size_t names = 11;             // Fields of at most name_bytes_max.
constexpr size_t frame_bytes_max = 768;  // Braces, keys, quotes, numbers.
static_assert(path_bytes_max + query_bytes_max + user_agent_bytes_max + error_bytes_max +
                  host_bytes_max + names * name_bytes_max + frame_bytes_max <=
              access_line_bytes_max);

// Sorted, as is_secret_parameter normalises names.
constexpr std::array<std::string_view, 24> secret_names = {"access_token",
                                                           "api_key",
                                                           "apikey",
                                                           "auth",
                                                           "authorization",
                                                           "client_secret",
                                                           "code",
                                                           "credential",
                                                           "id_token",
                                                           "jwt",
                                                           "passwd",
                                                           "password",
                                                           "pwd",
                                                           "refresh_token",
                                                           "secret",
                                                           "session",
                                                           "session_id",
                                                           "sessionid",
                                                           "sig",
                                                           "signature",
                                                           "token",
                                                           "x_amz_credential",
                                                           "x_amz_security_token",
                                                           "x_amz_signature"};
static_assert(std::ranges::is_sorted(secret_names));

constexpr size_t secret_name_bytes_max = 20;  // Of the longest above.
static_assert(std::ranges::all_of(secret_names, [](std::string_view name) {
  return name.size() <= secret_name_bytes_max;
}));

void append_text(LineBuffer& line, std::string_view key, std::string_view value, size_t bytes_max) {
  if (value.empty()) return;
  line.append(key);
  line.append_escaped(value, bytes_max);
  line.append("\"");
}

// Part by part, because each may be a secret; stops once the field is full.
void append_query(LineBuffer& line, std::string_view query) {
  if (query.empty()) return;
  line.append(",\"query\":\"");
  size_t room = query_bytes_max;
  while (!query.empty() && room > 0) {
    const size_t end = std::min(query.find_first_of("&;"), query.size());
    const std::string_view part = query.substr(0, end);
    const size_t equals = part.find('=');
    const size_t before = line.text().size();
    if (equals != std::string_view::npos && is_secret_parameter(part.substr(0, equals))) {
      line.append_escaped(part.substr(0, equals + 1), room);
      line.append_escaped("redacted", room - std::min(room, line.text().size() - before));
    } else {
      line.append_escaped(part, room);
    }
    if (end < query.size()) line.append_escaped(query.substr(end, 1), 1);
    query.remove_prefix(std::min(end + 1, query.size()));
    room -= std::min(room, line.text().size() - before);
  }
  line.append("\"");
}

}  // namespace

bool is_secret_parameter(std::string_view name) {
  std::array<char, secret_name_bytes_max> normal;
  size_t size = 0;
  bool after_bracket = false;
  for (size_t i = 0; i < name.size(); ++i) {
    char c = to_lower(name[i]);
    if (c == '%' && name.size() - i > 2 && hex_value(name[i + 1]) >= 0 &&
        hex_value(name[i + 2]) >= 0) {
      c = to_lower(static_cast<char>(hex_value(name[i + 1]) * 16 + hex_value(name[i + 2])));
      i += 2;
    }
    after_bracket = after_bracket || c == '[';
    if (c == '[' || c == ']') continue;
    // Of `user[password]` the last part counts; `token[]` has none after its bracket.
    if (after_bracket) size = 0;
    after_bracket = false;
    if (size < normal.size()) normal[size] = c == '-' ? '_' : c;
    ++size;
  }
  if (size > normal.size()) return false;
  return std::ranges::binary_search(secret_names, std::string_view(normal.data(), size));
}

size_t format_access_line(const AccessRecord& record, std::span<char, access_line_bytes_max> out) {
  LineBuffer line(out);
  line.append("{\"time\":\"");
  line.append_timestamp(record.time);
  line.append("\"");
  append_text(line, ",\"method\":\"", record.method, name_bytes_max);
  append_text(line, ",\"protocol\":\"", record.protocol, name_bytes_max);
  append_text(line, ",\"scheme\":\"", record.scheme, name_bytes_max);
  append_text(line, ",\"host\":\"", record.host, host_bytes_max);
  append_text(line, ",\"path\":\"", record.path, path_bytes_max);
  append_query(line, record.query);
  append_text(line, ",\"route\":\"", record.route, name_bytes_max);
  append_text(line, ",\"service\":\"", record.service, name_bytes_max);
  append_text(line, ",\"endpoint\":\"", record.endpoint, name_bytes_max);
  line.append(",\"status\":");
  line.append_integer(record.status);
  line.append(",\"bytes_in\":");
  line.append_integer(record.bytes_in);
  line.append(",\"bytes_out\":");
  line.append_integer(record.bytes_out);
  line.append(",\"duration_ms\":");
  line.append_milliseconds(record.duration);
  if (record.upstream_duration) {
    line.append(",\"upstream_ms\":");
    line.append_milliseconds(*record.upstream_duration);
  }
  line.append(",\"retries\":");
  line.append_integer(record.retries);
  if (record.hedges > 0) {
    line.append(",\"hedges\":");
    line.append_integer(record.hedges);
  }
  append_text(line, ",\"client_ip\":\"", record.client_ip, name_bytes_max);
  append_text(line, ",\"user\":\"", record.user, name_bytes_max);
  append_text(line, ",\"user_agent\":\"", record.user_agent, user_agent_bytes_max);
  append_text(line, ",\"request_id\":\"", record.request_id, name_bytes_max);
  append_text(line, ",\"trace_id\":\"", record.trace_id, name_bytes_max);
  append_text(line, ",\"error\":\"", record.error, error_bytes_max);
  line.append("}\n");
  return line.text().size();
}

}  // namespace spillway::telemetry
