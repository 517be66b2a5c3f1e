// sim/ledger.cc: keeping account of requests.
#include "sim/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace spillway::sim {

std::string_view to_string(Fate fate) {
  constexpr std::array<std::string_view, fates> names = {"answered", "refused",   "cut",
                                                         "broken",   "timed_out", "given_up"};
  return names[static_cast<size_t>(fate)];
}

void Ledger::violated(std::string what) {
  if (violations_.size() < violations_max) violations_.push_back(std::move(what));
}

void Ledger::began(uint64_t id, std::string_view method, std::string_view kind) {
  requests_[id] = {.method = std::string(method), .kind = kind};
  ++in_flight_;
}

void Ledger::ended(uint64_t id, Fate fate, std::string_view why) {
  Request& request = requests_.at(id);
  if (request.has_ended) return violated(fmt::format("request {} ended twice", id));
  request.has_ended = true;
  request.fate = fate;
  request.why = why;
  ++counts_[static_cast<size_t>(fate)];
  --in_flight_;
}

void Ledger::reached(uint64_t id, std::string_view origin) {
  const auto found = requests_.find(id);
  if (found == requests_.end()) {
    return violated(fmt::format("{} got request {}, which nobody made", origin, id));
  }
  Request& request = found->second;
  if (++request.times_reached > 1 && request.method == "POST") {
    violated(fmt::format("POST {} was given to an origin {} times, now to {}", id,
                         request.times_reached, origin));
  }
}

void Ledger::close() {
  for (const auto& [id, request] : requests_) {
    if (!request.has_ended) {
      violated(fmt::format("{} {} of {} has no end", request.method, id, request.kind));
    }
    if (request.has_ended && request.fate == Fate::answered && request.times_reached == 0) {
      violated(fmt::format("{} {} was answered, but no origin saw it", request.method, id));
    }
  }
}

uint64_t Ledger::count(Fate fate, std::string_view method) const {
  return static_cast<uint64_t>(std::ranges::count_if(requests_, [&](const auto& entry) {
    const Request& request = entry.second;
    return request.has_ended && request.fate == fate && request.method == method;
  }));
}

std::vector<std::string> Ledger::failures() const {
  std::vector<std::string> result;
  for (const Fate fate : {Fate::timed_out, Fate::broken, Fate::cut, Fate::refused}) {
    for (const auto& [id, request] : requests_) {
      if (!request.has_ended || request.fate != fate) continue;
      result.push_back(fmt::format("{} {} of {}: {}: {}", request.method, id, request.kind,
                                   to_string(fate), request.why));
    }
  }
  return result;
}

std::string Ledger::summary() const {
  std::string result = fmt::format("{} requests", issued());
  for (size_t i = 0; i < fates; ++i) {
    if (counts_[i] > 0) result += fmt::format(", {} {}", counts_[i], to_string(Fate(i)));
  }
  return result;
}

}  // namespace spillway::sim
