// runtime/object_pool.h: big objects that are used again and again on one core.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace spillway::runtime {

// Lends objects that are too big to make anew for each request; the borrower clears what it needs
// cleared. Outlives what it lends. One core.
template <class T>
class ObjectPool {
 public:
  // Gives the object back when destroyed.
  class Lent {
   public:
    Lent() = default;
    Lent(Lent&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), object_(std::move(other.object_)) {}
    Lent& operator=(Lent&& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(object_, other.object_);
      return *this;
    }
    ~Lent() {
      if (object_ != nullptr) pool_->take_back(std::move(object_));
    }
    T& operator*() const { return *object_; }
    T* operator->() const { return object_.get(); }

   private:
    friend class ObjectPool;
    Lent(ObjectPool& pool, std::unique_ptr<T> object) : pool_(&pool), object_(std::move(object)) {}
    ObjectPool* pool_ = nullptr;
    std::unique_ptr<T> object_;
  };

  Lent borrow() {
    if (free_.empty()) return Lent(*this, std::make_unique<T>());
    std::unique_ptr<T> object = std::move(free_.back());
    free_.pop_back();
    return Lent(*this, std::move(object));
  }

 private:
  static constexpr size_t free_max = 1024;  // As many requests in flight cost no allocation.
  void take_back(std::unique_ptr<T> object) {
    if (free_.size() < free_max) free_.push_back(std::move(object));
  }
  std::vector<std::unique_ptr<T>> free_;
};

}  // namespace spillway::runtime
