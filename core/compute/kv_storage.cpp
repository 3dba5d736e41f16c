#include "core/compute/kv_storage.h"

#include <cstring>

namespace hearth {

std::optional<kernels::KvType> kvTypeNamed(std::string_view name) noexcept {
  for (const kernels::KvType type : {kernels::KvType::F16, kernels::KvType::F32, kernels::KvType::Q8_0}) {
    if (name == kernels::kvTypeName(type)) return type;
  }
  return {};
}

Result<std::unique_ptr<KvStorage>> KvStorage::create(const KvShape& shape, int pageTokens, int pageCount) {
  // The caps keep every product below far from overflow: 2 · 4096 · 4096 · 4096 · 4096 · 4 < 2^52, times pages is checked.
  const auto inside = [](int value) { return value > 0 && value <= 4096; };
  if (!inside(shape.layers) || !inside(shape.kvHeads) || !inside(shape.headDim) || !inside(pageTokens) || pageCount <= 0) {
    return fail(ErrorCode::InvalidArgument, "a KV cache needs between 1 and 4096 layers, heads, head dimensions and tokens in a page",
                {{"layers", std::to_string(shape.layers)},
                 {"kv_heads", std::to_string(shape.kvHeads)},
                 {"head_dim", std::to_string(shape.headDim)},
                 {"page_tokens", std::to_string(pageTokens)},
                 {"pages", std::to_string(pageCount)}});
  }
  std::unique_ptr<KvStorage> storage(new KvStorage);
  storage->m_shape = shape;
  storage->m_pageTokens = pageTokens;
  storage->m_pageCount = pageCount;
  storage->m_headBytes = static_cast<std::uint64_t>(kernels::kvBlockBytes(shape.type, pageTokens, shape.headDim));
  storage->m_pageBytes = static_cast<std::uint64_t>(pageTokens) * shape.bytesPerToken();
  const auto pages = static_cast<std::uint64_t>(pageCount);
  if (storage->m_pageBytes > UINT64_MAX / pages) {
    return fail(Error{ErrorCode::OutOfMemory, "the KV cache is larger than any address space", {}}.with("needed_bytes", UINT64_MAX));
  }
  HEARTH_TRY(storage->m_memory, platform::BigMemory::reserve(storage->m_pageBytes * pages));
  return storage;
}

void KvStorage::copyPage(PageId from, PageId to) noexcept {
  std::memcpy(m_memory.data() + static_cast<std::uint64_t>(to) * m_pageBytes,
              m_memory.data() + static_cast<std::uint64_t>(from) * m_pageBytes, m_pageBytes);
}

}  // namespace hearth
