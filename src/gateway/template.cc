// gateway/template.cc: copies the parts into the request's scratch.
#include "gateway/template.h"

#include <algorithm>
#include <array>

#include "gateway/request_context.h"

namespace spillway::gateway {
namespace {

using Place = ValueTemplate::Place;

// Counts what it would take, where there is no room for it.
class Filling {
 public:
  Filling(RequestContext& context, std::span<char> space) : context_(context), space_(space) {}

  void add(const ValueTemplate& value) {
    for (const ValueTemplate::Part& part : value.parts) {
      add(part.text);
      if (part.place) add(*part.place);
    }
  }
  size_t size() const { return size_; }
  bool fits() const { return size_ <= space_.size(); }

 private:
  void add(std::string_view text) {
    if (size_ + text.size() <= space_.size()) std::ranges::copy(text, space_.data() + size_);
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

  RequestContext& context_;
  const std::span<char> space_;
  size_t size_ = 0;
};

}  // namespace

std::optional<std::string_view> fill_in(const ValueTemplate& value, RequestContext& context) {
  if (value.parts.empty()) return std::string_view{};
  if (value.is_fixed()) return value.parts.front().text;
  std::span<char> space = context.scratch.space();
  Filling filling(context, space);
  filling.add(value);
  if (!filling.fits()) {
    space = context.scratch.space_for(filling.size());
    if (space.size() < filling.size()) return std::nullopt;
    Filling(context, space).add(value);
  }
  context.scratch.use(filling.size());
  return std::string_view(space.data(), filling.size());
}

}  // namespace spillway::gateway
