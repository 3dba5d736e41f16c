#pragma once

#include <cstdint>

namespace hearth {

class GgufFile;

/// What Tokenizer::fromGguf() will keep in memory, and what the opened file keeps of the vocabulary's lists, in bytes:
/// reckoned from the sizes of the lists, without building anything. Any thread.
[[nodiscard]] std::uint64_t tokenizerBytes(const GgufFile& file);

}  // namespace hearth
