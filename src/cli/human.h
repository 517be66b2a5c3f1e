// cli/human.h: numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"

namespace spillway::cli {

std::string human_duration(Duration duration);  // "340 us", "1.2 ms", "12 s", "3m 20s", "2d 4h"
std::string human_bytes(uint64_t bytes);        // "512 B", "1.5 MB" (powers of 1,024)
std::string human_count(double count);          // "950", "12.3k", "4.56M"
std::string human_share(double of_one);         // "0%", "0.03%", "12%"

}  // namespace spillway::cli
