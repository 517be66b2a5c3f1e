// http/http2_head.cc: pseudo-header fields, Host, cookies and WebSocket requests of HTTP/2.
#include "http/http2_head.h"

#include <nghttp2/nghttp2.h>

#include "http/authority.h"
#include "http/head_fields.h"
#include "http/scan.h"
#include "http/websocket.h"

namespace spillway::http {

namespace {

using Trouble = std::optional<HeadResult>;

HeadResult bad(std::string_view text) { return HeadResult::violation(400, text); }

// ": " and CRLF, what a field costs in HTTP/1 beside its bytes.
constexpr size_t field_overhead = 4;
// Beyond so many times a head's limit, whoever sends it means harm.
constexpr size_t bomb_factor = 4;

std::string_view text_of(nghttp2_rcbuf* bytes) {
  const nghttp2_vec text = nghttp2_rcbuf_get_buf(bytes);
  return {reinterpret_cast<const char*>(text.base), text.len};
}

}  // namespace

std::string_view Http2Bytes::hold(nghttp2_rcbuf* bytes) {
  // What lies in the static table is there for ever.
  if (nghttp2_rcbuf_is_static(bytes) == 0) {
    nghttp2_rcbuf_incref(bytes);
    held_.push_back(bytes);
  }
  return text_of(bytes);
}

void Http2Bytes::clear() {
  for (nghttp2_rcbuf* bytes : held_) nghttp2_rcbuf_decref(bytes);
  held_.clear();
}

uint16_t Http2HeadSize::add(std::string_view name, std::string_view value,
                            const HeadLimits& limits) {
  bytes_ += name.size() + value.size() + field_overhead;
  if (name == ":path" && value.size() > limits.url_bytes_max) return 414;
  if (!name.starts_with(':') && ++fields_ > limits.fields_max) return 431;
  return bytes_ > limits.head_bytes_max ? 431 : 0;
}

void Http2RequestHead::clear() {
  head_.clear();
  bytes_.clear();
  size_.reset();
  trailer_size_.reset();
  trouble_ = trailer_trouble_ = 0;
  protocol_ = {};
  cookie_.clear();
  websocket_key_.clear();
  trailers_.reset();
}

bool Http2RequestHead::is_bomb(const HeadLimits& limits) const {
  return size_.bytes() + trailer_size_.bytes() > bomb_factor * limits.head_bytes_max;
}

void Http2RequestHead::add(nghttp2_rcbuf* name, nghttp2_rcbuf* value, const HeadLimits& limits) {
  const uint16_t trouble = size_.add(text_of(name), text_of(value), limits);
  if (trouble_ == 0) trouble_ = trouble;
  if (trouble_ != 0) return;
  const std::string_view name_text = bytes_.hold(name);
  const std::string_view value_text = bytes_.hold(value);
  if (name_text.starts_with(':')) return add_pseudo(name_text, value_text);
  const Field id = field_from(name_text);
  if (id == Field::cookie) return add_cookie(value_text);
  if (!head_.fields.add(id, name_text, value_text)) trouble_ = 431;
}

void Http2RequestHead::add_pseudo(std::string_view name, std::string_view value) {
  if (name == ":method") head_.method_text = value;
  if (name == ":path") head_.target = value;
  if (name == ":authority") head_.authority = value;
  if (name == ":protocol") protocol_ = value;
}

void Http2RequestHead::add_cookie(std::string_view value) {
  if (!head_.fields.has(Field::cookie)) {
    if (!head_.fields.add(Field::cookie, value)) trouble_ = 431;
    return;
  }
  for (HeaderField& field : head_.fields) {
    if (field.id != Field::cookie) continue;
    if (cookie_.empty()) cookie_ = field.value;
    cookie_.append("; ").append(value);
    field.value = cookie_;
  }
}

void Http2RequestHead::add_trailer(nghttp2_rcbuf* name, nghttp2_rcbuf* value) {
  const uint16_t trouble = trailer_size_.add(text_of(name), text_of(value), http2_trailer_limits);
  if (trailer_trouble_ == 0) trailer_trouble_ = trouble;
  if (trailer_trouble_ != 0 || !may_be_trailer(field_from(text_of(name)))) return;
  if (trailers_ == nullptr) trailers_ = std::make_unique<HeaderList>();
  const std::string_view name_text = bytes_.hold(name);
  if (!trailers_->add(name_text, bytes_.hold(value))) trailer_trouble_ = 431;
}

Trouble Http2RequestHead::read_target() {
  if (head_.authority.empty()) {
    const HeaderField* host = head_.fields.find(Field::host);
    if (host == nullptr) return bad("neither :authority nor Host");
    head_.authority = host->value;
  }
  const auto authority = parse_authority(head_.authority);
  if (!authority) return bad("invalid :authority or Host");
  head_.host = authority->host;
  head_.port = authority->port;
  if (head_.target.empty()) {
    if (head_.method == Method::connect && protocol_.empty()) return std::nullopt;
    return bad("no :path");
  }
  if (!all_in(target_bytes, head_.target)) return bad("invalid character in :path");
  if (head_.target == "*") {
    if (head_.method != Method::options) return bad("\"*\" is a target of OPTIONS only");
    head_.path = head_.target;
    return std::nullopt;
  }
  if (!head_.target.starts_with('/')) return bad(":path does not begin with /");
  split_path_and_query(head_.target, head_);
  return std::nullopt;
}

// RFC 9113 section 8.3.1: a Host beside :authority says the same, or somebody plays two servers
// against each other.
Trouble Http2RequestHead::check_host() {
  const HeaderField* field = head_.fields.find(Field::host);
  if (field == nullptr) return std::nullopt;
  if (head_.fields.count(Field::host) > 1) return bad("more than one Host");
  if (field->value == head_.authority) return std::nullopt;
  const auto host = parse_authority(field->value);
  const Authority target{.host = head_.host, .port = head_.port};
  if (!host || !is_same_authority(target, *host, 0)) return bad("Host differs from :authority");
  return std::nullopt;
}

// An extended CONNECT becomes what an HTTP/1.1 client would send (RFC 8441 section 5, RFC 6455
// section 4.1).
Trouble Http2RequestHead::read_protocol(bool is_whole) {
  if (protocol_ != "websocket") {
    return HeadResult::violation(501, "only websocket is spoken by extended CONNECT");
  }
  if (is_whole) return bad("an extended CONNECT that has ended");
  websocket_key_ = make_websocket_key();
  head_.fields.remove(Field::sec_websocket_key);
  if (!head_.fields.add(Field::sec_websocket_key, websocket_key_)) {
    return HeadResult::violation(431, "too many header fields");
  }
  head_.method_text = to_string(Method::get);
  head_.method = Method::get;
  head_.wants_upgrade = true;
  head_.upgrade_protocol = protocol_;
  return std::nullopt;
}

Trouble Http2RequestHead::complete(bool is_whole) {
  constexpr size_t method_bytes_max = 32;  // As in HTTP/1.
  head_.is_http2 = true;
  head_.keep_alive = true;
  head_.method = method_from(head_.method_text);
  if (trouble_ == 414) return HeadResult::violation(414, "request target too long");
  if (trouble_ != 0) return HeadResult::violation(431, "too long or too many header fields");
  if (!is_token(head_.method_text)) return bad("malformed request method");
  if (head_.method_text.size() > method_bytes_max) {
    return HeadResult::violation(501, "request method too long");
  }
  if (Trouble trouble = read_target()) return trouble;
  if (Trouble trouble = check_host()) return trouble;
  if (!protocol_.empty()) return read_protocol(is_whole);

  FramingFields framing;
  if (Trouble trouble = read_framing(head_.fields, 1, framing)) return trouble;
  if (framing.has_length) {
    head_.framing = {.kind = BodyFraming::Kind::length, .length = framing.length};
  } else if (!is_whole && head_.method != Method::connect) {
    head_.framing = {.kind = BodyFraming::Kind::chunked};
  }
  return read_expect(head_);
}

}  // namespace spillway::http
