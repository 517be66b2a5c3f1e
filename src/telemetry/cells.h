// telemetry/cells.h: memory for counters, so laid out that cores never share a cache line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <vector>

#include "telemetry/metric.h"

namespace spillway::telemetry {

// Gives out the same place in every lane; a lane is the memory of one core. A lane's cells lie
// densely together, which costs less cache than a line per counter. Memory is reused but returned
// only at the end, so a cell's address is good for the life of the store. Guarded by its owner.
class CellStore {
 public:
  struct Place {
    uint32_t chunk = 0;
    uint32_t offset = 0;
  };
  static constexpr size_t chunk_cells = 4096;  // 32 KiB per lane: a few hundred series at a time.

  explicit CellStore(size_t lanes) : lanes_(lanes) {}

  // `count` neighbouring cells in every lane, all zero; at most chunk_cells.
  Place allocate(size_t count);
  void free(Place place, size_t count);
  Cell* at(Place place, size_t lane) const;
  size_t lanes() const { return lanes_; }

 private:
  // Two lines, because processors fetch lines in pairs.
  static constexpr std::align_val_t alignment{128};
  struct AlignedDelete {
    void operator()(Cell* cells) const { ::operator delete[](cells, alignment); }
  };
  using Memory = std::unique_ptr<Cell[], AlignedDelete>;

  const size_t lanes_;
  std::vector<Memory> memory_;                         // Chunk by chunk, lane by lane.
  std::map<size_t, std::vector<Place>> free_by_size_;  // Counts repeat: scalars, few histograms.
  size_t used_of_last_ = chunk_cells;
};

}  // namespace spillway::telemetry
