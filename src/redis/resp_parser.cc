// redis/resp_parser.cc: lines, strings by length, and a stack of what they belong to.
#include "redis/resp_parser.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/check.h"

namespace spillway::redis {
namespace {

using Kind = Reply::Kind;

constexpr std::string_view line_end = "\r\n";

std::string_view without_plus(std::string_view text) {
  const bool has_plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
  return has_plus ? text.substr(1) : text;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  text = without_plus(text);
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end || text.empty()) return std::nullopt;
  return value;
}

bool is_big_number(std::string_view text) {
  text = without_plus(text);
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

Kind aggregate_kind(char type) {
  switch (type) {
    case '%':
    case '|': return Kind::map;
    case '~': return Kind::set;
    case '>': return Kind::push;
    default: return Kind::array;
  }
}

}  // namespace

RespEvent RespParser::parse(std::string_view bytes) {
  CHECK(trouble_.empty());
  const size_t size = bytes.size();
  is_whole_ = false;
  bool goes_on = true;
  while (goes_on && !is_whole_ && trouble_.empty()) {
    goes_on = in_bulk_ ? read_bulk(bytes) : read_line(bytes);
  }
  const size_t consumed = size - bytes.size();
  if (!trouble_.empty()) return {RespEvent::Kind::violation, consumed, trouble_};
  return {is_whole_ ? RespEvent::Kind::reply : RespEvent::Kind::need_more, consumed, {}};
}

// False: the rest has not come.
bool RespParser::read_line(std::string_view& bytes) {
  const size_t end = bytes.find('\n');
  const size_t taken = end == std::string_view::npos ? bytes.size() : end + 1;
  if (line_.size() + taken > limits_.line_bytes_max) {
    refuse("a line is too long");
    return false;
  }
  std::string_view line = bytes.substr(0, taken);
  if (!line_.empty() || end == std::string_view::npos) line = line_.append(line);
  bytes.remove_prefix(taken);
  if (end == std::string_view::npos) return false;
  if (line.size() < line_end.size() + 1 || line.find('\r') != line.size() - line_end.size()) {
    refuse("a line does not end in CR LF");
    return false;
  }
  on_line(line.substr(0, line.size() - line_end.size()));
  line_.clear();
  return true;
}

bool RespParser::read_bulk(std::string_view& bytes) {
  std::string& text = bulk_.text;
  const size_t whole = bulk_size_ + line_end.size();
  const std::string_view piece = bytes.substr(0, whole - text.size());
  text.append(piece);
  bytes.remove_prefix(piece.size());
  if (text.size() < whole) return false;
  if (!std::string_view(text).ends_with(line_end)) {
    refuse("a string does not end where it was to end");
    return false;
  }
  text.resize(bulk_size_);
  end_bulk();
  return true;
}

void RespParser::on_line(std::string_view line) {
  const char type = line.front();
  const std::string_view rest = line.substr(1);
  if (open_.empty()) {
    elements_ = 1;
    bytes_ = 0;
  }
  switch (type) {
    case '$':
    case '!':
    case '=': return begin_bulk(type, rest);
    case '*':
    case '%':
    case '~':
    case '>':
    case '|': return begin_aggregate(type, rest);
    default: return on_scalar(type, rest);
  }
}

void RespParser::on_scalar(char type, std::string_view rest) {
  Reply reply;
  switch (type) {
    case '+':
    case '-':
      reply.kind = type == '+' ? Kind::status : Kind::error;
      reply.text = rest;
      bytes_ += rest.size();
      if (bytes_ > limits_.reply_bytes_max) return refuse("a reply is too long");
      break;
    case ':': {
      const auto value = number_of<int64_t>(rest);
      if (!value) return refuse("an integer is none");
      reply.kind = Kind::integer;
      reply.integer = *value;
      break;
    }
    case ',': {
      const auto value = number_of<double>(rest);
      if (!value) return refuse("a number is none");
      reply.kind = Kind::number;
      reply.number = *value;
      break;
    }
    case '(':
      if (!is_big_number(rest)) return refuse("a big number is none");
      reply.kind = Kind::big_number;
      reply.text = rest;
      break;
    case '#':
      if (rest != "t" && rest != "f") return refuse("a boolean is neither true nor false");
      reply.kind = Kind::boolean;
      reply.integer = rest == "t" ? 1 : 0;
      break;
    case '_':
      if (!rest.empty()) return refuse("a null has a value");
      break;
    default: return refuse("a reply begins with an unknown byte");
  }
  complete(std::move(reply));
}

void RespParser::begin_bulk(char type, std::string_view length) {
  if (type == '$' && length == "-1") return complete({});
  const auto size = parse_decimal<uint64_t>(length);
  if (!size) return refuse("a string has no length");
  if (*size > limits_.bulk_bytes_max) return refuse("a string is too long");
  bytes_ += *size;
  if (bytes_ > limits_.reply_bytes_max) return refuse("a reply is too long");
  bulk_ = {.kind = type == '!' ? Kind::error : type == '=' ? Kind::verbatim : Kind::string};
  bulk_size_ = *size;
  in_bulk_ = true;
}

void RespParser::end_bulk() {
  in_bulk_ = false;
  if (bulk_.kind == Kind::verbatim) {
    constexpr size_t format_size = 4;  // "txt:"
    if (bulk_.text.size() < format_size || bulk_.text[format_size - 1] != ':') {
      return refuse("a verbatim string has no format");
    }
    bulk_.text.erase(0, format_size);
  }
  complete(std::exchange(bulk_, {}));
}

void RespParser::begin_aggregate(char type, std::string_view count) {
  if (type == '*' && count == "-1") return complete({});
  const auto items = parse_decimal<uint64_t>(count);
  if (!items) return refuse("an aggregate has no count");
  if (*items > limits_.elements_max) return refuse("a reply has too many elements");
  const bool is_attribute = type == '|';
  const Kind kind = aggregate_kind(type);
  const size_t left = *items * (kind == Kind::map ? 2 : 1);
  elements_ += left;
  if (elements_ > limits_.elements_max) return refuse("a reply has too many elements");
  if (kind == Kind::push && !open_.empty()) return refuse("a push came within a reply");
  if (open_.size() >= limits_.depth_max) return refuse("a reply is nested too deeply");
  if (left > 0) {
    open_.push_back({.reply = {.kind = kind}, .left = left, .is_attribute = is_attribute});
  } else if (!is_attribute) {
    complete({.kind = kind});
  }
}

void RespParser::complete(Reply reply) {
  while (!open_.empty()) {
    Open& around = open_.back();
    around.reply.items.push_back(std::move(reply));
    if (--around.left > 0) return;
    const bool is_attribute = around.is_attribute;
    reply = std::move(around.reply);
    open_.pop_back();
    if (is_attribute) return;  // What it is about comes next.
  }
  whole_ = std::move(reply);
  is_whole_ = true;
}

}  // namespace spillway::redis
