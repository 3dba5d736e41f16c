#pragma once

// Puts the shared bodies together into one KernelTable. Include a simd_*.h first.
#include "kernels/cpu/matmul_body.h"
#include "kernels/cpu/vector_body.h"
// after vector_body.h:
#include "kernels/cpu/attention_tile.h"
// after attention_tile.h:
#include "kernels/cpu/attention_body.h"

namespace hearth::kernels {
namespace {

PackPlan planPack(FormatId source, std::int64_t rows, std::int64_t cols) noexcept { return planTiles(source, rows, cols, kLanes); }

constexpr KernelTable makeTable(const char* isa) noexcept {
  return {
      .isa = isa,
      .pairColumns = kLeastColumnsForTwo,
      .planPack = planPack,
      .pack = packTiles,
      .activationBytes = activationBytes,
      .prepareActivation = prepareActivation,
      .activationOffset = activationOffset,
      .matmul = matmul,
      .rmsNorm = rmsNorm,
      .layerNorm = layerNorm,
      .rope = rope,
      .siluMul = siluMul,
      .geluMul = geluMul,
      .gelu = gelu,
      .add = addTo,
      .scale = scaleBy,
      .writeKv = writeKv,
      .attentionScratchFloats = attentionScratchFloats,
      .attention = attention,
      .attentionSpan = attentionSpan,
      .attentionMerge = attentionMerge,
      .argmax = argmax,
      .readBytes = readBytes,
      .int8MacLoop = int8MacLoop,
  };
}

}  // namespace
}  // namespace hearth::kernels
