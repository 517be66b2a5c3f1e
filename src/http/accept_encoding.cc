// http/accept_encoding.cc: weights read and compared.
#include "http/accept_encoding.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "http/list.h"

namespace spillway::http {
namespace {

// What one request says of each coding, in thousandths.
struct Weights {
  std::array<std::optional<uint16_t>, content_coding_count> codings;
  std::optional<uint16_t> identity;
  std::optional<uint16_t> others;  // "*".

  uint16_t of(ContentCoding coding) const {
    return codings[static_cast<size_t>(coding)].value_or(others.value_or(0));
  }
};

// What is named twice counts as first said.
void note(Weights& weights, std::string_view coding, uint16_t weight) {
  const auto keep = [weight](std::optional<uint16_t>& kept) {
    if (!kept) kept = weight;
  };
  if (coding == "*") keep(weights.others);
  if (equals_ignoring_case(coding, "identity")) keep(weights.identity);
  if (equals_ignoring_case(coding, "x-gzip")) coding = "gzip";
  for (size_t i = 0; i < content_coding_count; ++i) {
    if (equals_ignoring_case(coding, enum_names(ContentCoding{})[i])) keep(weights.codings[i]);
  }
}

Weights weights_of(const HeaderList& request) {
  Weights weights;
  size_t elements = 0;
  for (const HeaderField& field : request) {
    if (field.id != Field::accept_encoding) continue;
    ListReader list(field.value);
    for (std::string_view element; elements < accept_encoding_elements_max && list.next(element);
         ++elements) {
      const auto preference = parse_preference(element);
      if (preference) note(weights, preference->name, preference->weight);
    }
  }
  return weights;
}

}  // namespace

std::optional<uint16_t> parse_weight(std::string_view text) {
  constexpr size_t longest = std::string_view("0.333").size();
  if (text.empty() || text.size() > longest || (text[0] != '0' && text[0] != '1')) return {};
  if (text.size() > 1 && text[1] != '.') return {};
  uint16_t weight = text[0] == '1' ? 1000 : 0;
  uint16_t place = 100;
  for (const char c : text.substr(std::min<size_t>(text.size(), 2))) {
    if (!is_digit(c)) return {};
    weight = static_cast<uint16_t>(weight + (c - '0') * place);
    place = static_cast<uint16_t>(place / 10);
  }
  if (weight > 1000) return {};
  return weight;
}

std::optional<Preference> parse_preference(std::string_view element) {
  const size_t semicolon = element.find(';');
  Preference preference{.name = trimmed(element.substr(0, semicolon))};
  if (semicolon == std::string_view::npos) return preference;
  const std::string_view parameter = trimmed(element.substr(semicolon + 1));
  if (parameter.size() < 3 || to_lower(parameter[0]) != 'q' || parameter[1] != '=') return {};
  const auto weight = parse_weight(parameter.substr(2));
  if (!weight) return {};
  preference.weight = *weight;
  return preference;
}

std::optional<ContentCoding> choose_coding(const HeaderList& request,
                                           std::span<const ContentCoding> offered) {
  if (!request.has(Field::accept_encoding)) return {};
  const Weights weights = weights_of(request);
  std::optional<ContentCoding> best;
  uint16_t best_weight = 0;
  for (const ContentCoding coding : offered) {
    const uint16_t weight = weights.of(coding);
    if (weight <= best_weight) continue;
    best = coding;
    best_weight = weight;
  }
  if (weights.identity && *weights.identity > best_weight) return {};
  return best;
}

AcceptedCodings accepted_codings(const HeaderList& request) {
  AcceptedCodings accepted;
  if (!request.has(Field::accept_encoding)) return accepted;
  const Weights weights = weights_of(request);
  for (size_t i = 0; i < content_coding_count; ++i) {
    accepted.takes[i] = weights.of(static_cast<ContentCoding>(i)) > 0;
  }
  return accepted;
}

}  // namespace spillway::http
