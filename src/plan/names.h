// plan/names.h: which known name somebody probably meant.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace spillway::plan {

// How many letters to insert, delete, change or swap with a neighbour. Both are cut to 64 bytes.
size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `known`, if it is near enough to be what was meant.
std::optional<std::string_view> nearest(std::string_view name,
                                        std::span<const std::string_view> known);

// "a, b, c".
std::string listed(std::span<const std::string_view> names);

}  // namespace spillway::plan
