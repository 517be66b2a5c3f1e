// http/content_encoder.h: compresses a body piece by piece: zlib, libdeflate, Brotli, Zstandard.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/coding_config.h"

namespace spillway::http {

// What a piece of a body asks of its encoder, beyond being taken in.
enum class EncoderFlush : uint8_t {
  none,  // It may keep back what compresses better with more.
  sync,  // All that came can be read from what it has given.
  end,   // The body is complete.
};

// One body under way to its coding. Holds up to about 1 MB (windows of 32 KB for gzip, 256 KB for
// the others, tables, and for gzip 128 KB of the body); made once and used again. One core.
class ContentEncoder {
 public:
  virtual ~ContentEncoder() = default;
  // Appends to `out` what the piece became: at most a little more than all that was kept back.
  virtual void encode(std::string_view piece, EncoderFlush flush, std::string& out) = 0;
  // Ready for another body, whatever became of the last.
  virtual void reset() = 0;
};

// Levels chosen for answers made on the spot: gzip 5, Brotli 4, Zstandard 3.
std::unique_ptr<ContentEncoder> make_content_encoder(ContentCoding coding);

// The encoders of one core: those in use are bounded, those at rest are kept for the next body.
class EncoderPool {
 public:
  // More would be held by slow clients and streams; what finds none goes uncompressed.
  static constexpr size_t in_use_max = 256;
  // Of each coding; a burst's others are freed.
  static constexpr size_t at_rest_max = 8;

  // Gives its encoder back at its end. Must not outlive the pool.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept { swap(other); }
    Lease& operator=(Lease&& other) noexcept {
      Lease(std::move(other)).swap(*this);
      return *this;
    }
    ~Lease();
    explicit operator bool() const { return encoder_ != nullptr; }
    ContentEncoder* operator->() const { return encoder_.get(); }

   private:
    friend EncoderPool;
    Lease(EncoderPool& pool, ContentCoding coding, std::unique_ptr<ContentEncoder> encoder)
        : pool_(&pool), coding_(coding), encoder_(std::move(encoder)) {}
    void swap(Lease& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(coding_, other.coding_);
      std::swap(encoder_, other.encoder_);
    }

    EncoderPool* pool_ = nullptr;
    ContentCoding coding_ = ContentCoding::gzip;
    std::unique_ptr<ContentEncoder> encoder_;
  };

  // Empty if too many are in use.
  Lease take(ContentCoding coding);
  size_t in_use() const { return in_use_; }

 private:
  void give_back(ContentCoding coding, std::unique_ptr<ContentEncoder> encoder);

  size_t in_use_ = 0;
  std::array<std::vector<std::unique_ptr<ContentEncoder>>, content_coding_count> at_rest_;
};

}  // namespace spillway::http
