// telemetry/cells.cc: allocates cells in chunks and takes freed ones first.
#include "telemetry/cells.h"

#include "base/check.h"

namespace spillway::telemetry {

CellStore::Place CellStore::allocate(size_t count) {
  CHECK(count > 0 && count <= chunk_cells);
  if (std::vector<Place>& freed = free_by_size_[count]; !freed.empty()) {
    const Place place = freed.back();
    freed.pop_back();
    return place;
  }
  if (used_of_last_ + count > chunk_cells) {
    for (size_t lane = 0; lane < lanes_; ++lane) {
      memory_.push_back(Memory(new (alignment) Cell[chunk_cells]()));
    }
    used_of_last_ = 0;
  }
  const Place place{.chunk = static_cast<uint32_t>(memory_.size() / lanes_ - 1),
                    .offset = static_cast<uint32_t>(used_of_last_)};
  used_of_last_ += count;
  return place;
}

void CellStore::free(Place place, size_t count) {
  for (size_t lane = 0; lane < lanes_; ++lane) {
    Cell* cells = at(place, lane);
    for (size_t i = 0; i < count; ++i) cells[i].store(0, std::memory_order_relaxed);
  }
  free_by_size_[count].push_back(place);
}

Cell* CellStore::at(Place place, size_t lane) const {
  CHECK(lane < lanes_);
  return memory_[place.chunk * lanes_ + lane].get() + place.offset;
}

}  // namespace spillway::telemetry
