#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/text/tokenizer.h"

namespace hearth {

/// Remembers where in the output the tokens of recent short words stand: text repeats its words. Lives for one encode(),
/// whose output it points into; one thread.
class WordCache {
 public:
  /// Short texts are not worth the table.
  explicit WordCache(std::size_t textBytes) : m_slots(textBytes >= 1024 ? kSlots : 0) {}

  /// encodeWord(word, out) must append the same tokens whenever it is called with the same word.
  template <class Encode>
  void encode(std::string_view word, std::vector<TokenId>& out, const Encode& encodeWord) {
    if (m_slots.empty() || word.empty() || word.size() > kMaxWord) {
      encodeWord(word, out);
      return;
    }
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    Slot& slot = m_slots[(hash ^ hash >> 32U) % kSlots];
    const std::size_t begin = out.size();
    if (std::string_view(slot.word.data(), slot.size) == word) {
      out.resize(begin + slot.count);
      std::copy_n(out.begin() + static_cast<std::ptrdiff_t>(slot.begin), slot.count,
                  out.begin() + static_cast<std::ptrdiff_t>(begin));
      return;
    }
    encodeWord(word, out);
    std::memcpy(slot.word.data(), word.data(), word.size());
    slot.size = static_cast<std::uint8_t>(word.size());
    slot.count = static_cast<std::uint32_t>(out.size() - begin);
    slot.begin = begin;
  }

 private:
  static constexpr std::size_t kSlots = 4096;
  static constexpr std::size_t kMaxWord = 27;
  struct Slot {
    std::array<char, kMaxWord> word;
    std::uint8_t size = 0;  // 0 = free
    std::uint32_t count = 0;
    std::size_t begin = 0;
  };
  std::vector<Slot> m_slots;
};

}  // namespace hearth
