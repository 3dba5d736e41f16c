#pragma once

#include <cstdint>

// Included by translation units that are compiled for different instruction sets: internal linkage only, see layout.h.
namespace hearth::kernels {

/// How keys and values are kept. A *block* is one KV head's keys (or values) of one page:
///
///   keys    [headDim][pageTokens]   turned, so that one register holds one dimension of neighbouring tokens: scores
///                                   need no transposition and no sums across lanes
///   values  [pageTokens][headDim]
///   Q8_0    int8 in the same order, then half scale[⌈headDim / 32⌉][pageTokens]: x ≈ scale · q, for 32 dimensions of one
///   token
enum class KvType : std::uint8_t { F16, F32, Q8_0 };

constexpr int kKvScaleDims = 32;  ///< dimensions that share a scale (Q8_0)

static constexpr const char* kvTypeName(KvType type) noexcept {
  return type == KvType::F16 ? "f16" : type == KvType::F32 ? "f32" : "q8_0";
}

/// Bytes of an element, without the scales.
static constexpr std::int64_t kvElementBytes(KvType type) noexcept {
  return type == KvType::F16 ? 2 : type == KvType::F32 ? 4 : 1;
}

/// Bytes that one token's key (or value) of one head takes.
static constexpr std::int64_t kvRowBytes(KvType type, int headDim) noexcept {
  const std::int64_t scales = type == KvType::Q8_0 ? 2LL * ((headDim + kKvScaleDims - 1) / kKvScaleDims) : 0;
  return kvElementBytes(type) * headDim + scales;
}

static constexpr std::int64_t kvBlockBytes(KvType type, int pageTokens, int headDim) noexcept {
  return pageTokens * kvRowBytes(type, headDim);
}

/// Attention goes over spans of so many positions, counted from position 0: a query's softmax is computed in each span by
/// itself, and the spans' results are joined in order. So threads can share one sequence's spans without changing a bit.
constexpr int kAttentionSpan = 256;

/// Floats of one query vector's result in one span: Σ weight · value, then the largest score and Σ weight.
static constexpr std::int64_t attentionStateFloats(int headDim) noexcept { return (headDim + 15) / 16 * 16 + 16; }

}  // namespace hearth::kernels
