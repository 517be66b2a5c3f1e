// gateway/filters/filter_names.h: the filters as people call them, in running order.
#pragma once

#include <array>
#include <string_view>

namespace spillway::gateway {

// The method policy, which looks at a request before its path is read, then as make_filters in
// gateway.cc makes them, which CHECKs the count.
inline constexpr std::array<std::string_view, 4> filter_names = {"method policy", "loop guard",
                                                                 "client identity", "tracing"};

}  // namespace spillway::gateway
