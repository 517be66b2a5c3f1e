// admin/log_ring.cc: keeping the newest lines and waking who waits for more.
#include "admin/log_ring.h"

#include <algorithm>

namespace spillway::admin {

bool is_from(const LogLine& line, std::string_view source) {
  if (source.empty() || line.source == source) return true;
  return line.source.size() > source.size() && line.source.starts_with(source) &&
         line.source[source.size()] == '.';
}

void LogRing::append(std::string_view source, bool is_error, std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  lines_.push_back({.number = ++number_,
                    .time = loop_.wall_now(),
                    .source = std::string(source),
                    .is_error = is_error,
                    .text = std::string(text.substr(0, line_bytes_max))});
  bytes_ += lines_.back().text.size();
  while (lines_.size() > lines_max || bytes_ > bytes_max) {
    bytes_ -= lines_.front().text.size();
    lines_.pop_front();
  }
  wake();
}

void LogRing::wake() {
  while (Follower* follower = followers_.pop_front()) follower->news.set();
}

std::vector<LogLine> LogRing::last(size_t count, std::string_view source) const {
  std::vector<LogLine> result;
  for (auto line = lines_.rbegin(); line != lines_.rend() && result.size() < count; ++line) {
    if (is_from(*line, source)) result.push_back(*line);
  }
  std::ranges::reverse(result);
  return result;
}

std::vector<LogLine> LogRing::next(uint64_t& after, size_t count, std::string_view source) const {
  std::vector<LogLine> result;
  for (auto line = std::ranges::upper_bound(lines_, after, {}, &LogLine::number);
       line != lines_.end() && result.size() < count; ++line) {
    after = line->number;
    if (is_from(*line, source)) result.push_back(*line);
  }
  return result;
}

runtime::Task<Result<void>> LogRing::wait(uint64_t after, Deadline deadline) {
  if (number_ > after) co_return Result<void>{};
  Follower follower(loop_);
  followers_.push_back(follower);
  co_return co_await follower.news.wait(deadline);
}

}  // namespace spillway::admin
