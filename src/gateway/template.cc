// gateway/template.cc: copies the parts into the request's scratch.
#include "gateway/template.h"

#include <algorithm>
#include <array>

#include "gateway/request_context.h"

namespace spillway::gateway {
namespace {

using Place = ValueTemplate::Place;

class Filling {
 public:
  explicit Filling(RequestContext& context) : context_(context), space_(context.scratch.space()) {}

  void add(std::string_view text) {
    fits_ = fits_ && text.size() <= space_.size() - size_;
    if (!fits_) return;
    std::ranges::copy(text, space_.begin() + static_cast<ptrdiff_t>(size_));
    size_ += text.size();
  }
  void add(Place place) {
    const http::RequestHead& request = context_.exchange.request();
    switch (place) {
      case Place::path: return add(context_.path);
      case Place::query:
        if (request.has_query) add("?");
        return add(request.query);
      case Place::host: return add(request.host);
      case Place::scheme: return add(context_.scheme);
      case Place::client_ip: {
        std::array<char, 46> text;
        return add({text.data(), write_ip(context_.client, text.data())});
      }
      case Place::request_id: return add(context_.request_id);
      case Place::user: return add(context_.user);
      case Place::route: return add(context_.route_label);
    }
  }
  std::optional<std::string_view> done() {
    if (!fits_) return std::nullopt;
    context_.scratch.use(size_);
    return std::string_view(space_.data(), size_);
  }

 private:
  RequestContext& context_;
  const std::span<char> space_;
  size_t size_ = 0;
  bool fits_ = true;
};

}  // namespace

std::optional<std::string_view> fill_in(const ValueTemplate& value, RequestContext& context) {
  if (value.parts.empty()) return std::string_view{};
  if (value.is_fixed()) return value.parts.front().text;
  Filling filling(context);
  for (const ValueTemplate::Part& part : value.parts) {
    filling.add(part.text);
    if (part.place) filling.add(*part.place);
  }
  return filling.done();
}

}  // namespace spillway::gateway
