#pragma once

#include <cstddef>
#include <cstdint>

/// Numbers of the GGUF container that reader and writer share (format: ggml docs/gguf.md), and the caps we put on it.
namespace hearth::gguf {

inline constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF", read little-endian
inline constexpr std::uint32_t kOldestVersion = 2;
inline constexpr std::uint32_t kNewestVersion = 3;
inline constexpr std::uint64_t kDefaultAlignment = 32;
inline constexpr int kMaxRank = 4;

enum class ValueType : std::uint32_t {
  Uint8 = 0, Int8 = 1, Uint16 = 2, Int16 = 3, Uint32 = 4, Int32 = 5, Float32 = 6, Bool = 7, String = 8, Array = 9,
  Uint64 = 10, Int64 = 11, Float64 = 12,
};

// Caps: generous against every published model (262k-token vocabularies, 46k unmerged expert tensors), small enough that a
// hostile header cannot ask for more than a few hundred megabytes whatever the file's size.
inline constexpr std::uint64_t kMaxMetadataEntries = 1U << 16U;
inline constexpr std::uint64_t kMaxTensors = 1U << 18U;
inline constexpr std::uint64_t kMaxKeyBytes = 65535;        // the specification's own limit
inline constexpr std::uint64_t kMaxTensorNameBytes = 256;   // the specification says 64; some converters write more
inline constexpr std::uint64_t kMaxStringBytes = 16U << 20U;
inline constexpr std::uint64_t kMaxArrayElements = 1U << 24U;  // over all arrays of a file
inline constexpr std::uint64_t kMinAlignment = 8;           // the specification: a multiple of 8
inline constexpr std::uint64_t kMaxAlignment = 1U << 20U;
inline constexpr std::int64_t kMaxSplits = 1024;            // each part holds a descriptor open

}  // namespace hearth::gguf
