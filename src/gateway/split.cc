// gateway/split.cc: headers and cookies first, then shares.
#include "gateway/split.h"

#include <algorithm>

#include "gateway/balance_key.h"

namespace spillway::gateway {
namespace {

const SplitChange* change_of(const SplitTarget& target, const SplitChanges& changes) {
  if (changes.empty()) return nullptr;
  const auto found = changes.find(target.service);
  return found == changes.end() ? nullptr : &found->second;
}

bool asks_for(const SplitTarget& target, const http::HeaderList& fields) {
  for (const auto& [name, value] : target.headers) {
    const http::HeaderField* field = fields.find(name);
    if (field != nullptr && (value == "*" || field->value == value)) return true;
  }
  return std::ranges::any_of(target.cookies, [&](const auto& cookie) {
    const auto value = cookie_value(fields, cookie.first);
    return value && (cookie.second == "*" || *value == cookie.second);
  });
}

}  // namespace

double share_of(const SplitTarget& target, const SplitChanges& changes) {
  const SplitChange* change = change_of(target, changes);
  if (change != nullptr) return change->is_off ? 0 : change->share.of_one;
  return target.share ? target.share->of_one : 0;
}

size_t side_by_fields(const SplitConfig& split, const SplitChanges& changes,
                      const http::HeaderList& fields) {
  for (size_t side = 1; side < split.to.size(); ++side) {
    const SplitTarget& target = split.to[side];
    if (target.headers.empty() && target.cookies.empty()) continue;
    const SplitChange* change = change_of(target, changes);
    if (change != nullptr && change->is_off) continue;
    if (asks_for(target, fields)) return side;
  }
  return 0;
}

size_t side_by_share(const SplitConfig& split, const SplitChanges& changes, double point) {
  double end = 0;
  for (size_t side = 1; side < split.to.size(); ++side) {
    end += share_of(split.to[side], changes);
    if (point < end) return side;
  }
  return 0;
}

double shares_of(const SplitConfig& split, const SplitChanges& changes) {
  double sum = 0;
  for (size_t side = 1; side < split.to.size(); ++side) sum += share_of(split.to[side], changes);
  return sum;
}

}  // namespace spillway::gateway
