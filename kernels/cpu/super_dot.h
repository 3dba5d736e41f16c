#pragma once

#include "kernels/cpu/layout.h"

// The sums of a super-block's blocks, each times its small scale. Include a simd_*.h first.
//
// lowScale(), highScale(): the scale of the first or the second of a pair of blocks as SuperDot wants it, with the
// super-block's own factor d in it or not: value(d) has it in any case. kStartsWithOffset: does startBlock() take −offset · Σq?
namespace hearth::kernels {
namespace {

#ifdef HEARTH_KERNELS_VNNI
using BlockScale = F;
constexpr bool kStartsWithOffset = true;
HEARTH_INLINE BlockScale lowScale(I pairs, F d) { return mul(d, toFloat(signedShiftRight<16>(shiftLeft<16>(pairs)))); }
HEARTH_INLINE BlockScale highScale(I pairs, F d) { return mul(d, toFloat(signedShiftRight<16>(pairs))); }

template <int Bits>
struct SuperDot {
  I wide;
  F sum;

  HEARTH_INLINE void startChunk() { sum = zero(); }
  HEARTH_INLINE void startBlock(I offset) { wide = offset; }
  template <int Step>
  HEARTH_INLINE void step(I weights, I activations, BlockScale) {
    wide = dotBytes(wide, weights, activations);
  }
  HEARTH_INLINE void endBlock(BlockScale scale) { sum = fma(toFloat(wide), scale, sum); }
  HEARTH_INLINE F value(F) const { return sum; }
};
#else
using BlockScale = I;  // twice in a lane, as int16
constexpr bool kStartsWithOffset = false;
HEARTH_INLINE BlockScale lowScale(I pairs, F) { return lowTwice(pairs); }
HEARTH_INLINE BlockScale highScale(I pairs, F) { return highTwice(pairs); }

/// The multiplication that widens the int16 sums multiplies by the scale, too: no float until the super-block's end, where
/// at most 256 · 63 · 127 · 128 stands in a lane.
template <int Bits>
struct SuperDot {
  static constexpr int kFlush = Bits == 4 ? 8 : Bits == 5 ? 4 : 2;  // see Dot
  I narrow;
  I wide;

  HEARTH_INLINE void startChunk() { wide = zeroInt(); }
  HEARTH_INLINE void startBlock(I) {}
  template <int Step>
  HEARTH_INLINE void step(I weights, I activations, BlockScale scale) {
    const I product = multiplyBytes(weights, activations);
    if constexpr (Step % kFlush == 0) {
      narrow = product;
    } else {
      narrow = addPairs(narrow, product);
    }
    if constexpr (Step % kFlush == kFlush - 1) wide = dotPairs(wide, narrow, scale);
  }
  HEARTH_INLINE void endBlock(BlockScale) {}
  HEARTH_INLINE F value(F d) const { return mul(d, toFloat(wide)); }
};
#endif

}  // namespace
}  // namespace hearth::kernels
