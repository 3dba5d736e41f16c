#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/base/platform/platform.h"
#include "core/compute/batch.h"
#include "kernels/cpu/kernel_table.h"

namespace hearth {

/// How the KV cache of a model is shaped.
struct KvShape {
  int layers = 0;
  int kvHeads = 0;
  int headDim = 0;
  kernels::KvType type = kernels::KvType::F16;
  [[nodiscard]] std::uint64_t bytesPerToken() const noexcept {
    return 2ULL * static_cast<unsigned>(layers) * static_cast<unsigned>(kvHeads) * static_cast<std::uint64_t>(kernels::kvRowBytes(type, headDim));
  }
};

/// "f16", "f32" or "q8_0"; nothing for any other name.
[[nodiscard]] std::optional<kernels::KvType> kvTypeNamed(std::string_view name) noexcept;

/// The memory of all KV pages of one engine. Owned by the engine, written by Model::forward through block tables.
/// A page holds `pageTokens` positions of every layer: [layer][K|V][kvHead], each a block as kernels::KvType says.
class KvStorage {
 public:
  /// Reserves address space for all pages; memory is touched as pages are first written.
  /// Errors: InvalidArgument (a dimension is not positive or absurd), OutOfMemory with needed_bytes.
  [[nodiscard]] static Result<std::unique_ptr<KvStorage>> create(const KvShape& shape, int pageTokens, int pageCount);
  KvStorage(const KvStorage&) = delete;
  KvStorage& operator=(const KvStorage&) = delete;

  [[nodiscard]] const KvShape& shape() const noexcept { return m_shape; }
  [[nodiscard]] int pageTokens() const noexcept { return m_pageTokens; }
  [[nodiscard]] int pageCount() const noexcept { return m_pageCount; }
  /// A head's block (kernels::KvType); `page` in [0, pageCount), unchecked.
  [[nodiscard]] std::byte* keys(PageId page, int layer, int kvHead) const noexcept { return head(page, 2 * layer, kvHead); }
  [[nodiscard]] std::byte* values(PageId page, int layer, int kvHead) const noexcept { return head(page, 2 * layer + 1, kvHead); }
  /// Copies a whole page (copy-on-write).
  void copyPage(PageId from, PageId to) noexcept;
  [[nodiscard]] std::uint64_t pageBytes() const noexcept { return m_pageBytes; }

 private:
  KvStorage() = default;
  [[nodiscard]] std::byte* head(PageId page, int plane, int kvHead) const noexcept {
    return m_memory.data() + static_cast<std::uint64_t>(page) * m_pageBytes +
           static_cast<std::uint64_t>(plane * m_shape.kvHeads + kvHead) * m_headBytes;
  }
  KvShape m_shape;
  int m_pageTokens = 0;
  int m_pageCount = 0;
  std::uint64_t m_headBytes = 0;  // one head's keys of one layer in one page
  std::uint64_t m_pageBytes = 0;
  platform::BigMemory m_memory;
};

}  // namespace hearth
