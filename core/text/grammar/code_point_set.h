#pragma once

#include <cstdint>
#include <vector>

namespace hearth {

/// Both ends included.
struct CodePoints {
  char32_t first = 0;
  char32_t last = 0;
  friend bool operator==(const CodePoints&, const CodePoints&) = default;
};

/// A set of Unicode scalar values (surrogates are never in it). A value; any thread.
class CodePointSet {
 public:
  CodePointSet() = default;
  CodePointSet(std::initializer_list<CodePoints> ranges) {
    for (const auto& range : ranges) add(range.first, range.last);
  }
  [[nodiscard]] static CodePointSet all() { return {{0, 0x10ffff}}; }

  void add(char32_t first, char32_t last);
  void add(char32_t one) { add(one, one); }
  void add(const CodePointSet& other);
  [[nodiscard]] CodePointSet inverted() const;
  [[nodiscard]] CodePointSet without(const CodePointSet& other) const;
  [[nodiscard]] CodePointSet intersected(const CodePointSet& other) const;
  [[nodiscard]] bool contains(char32_t codePoint) const;
  [[nodiscard]] bool empty() const { return ranges().empty(); }
  /// Sorted, disjoint, not touching.
  [[nodiscard]] const std::vector<CodePoints>& ranges() const {
    normalise();
    return m_ranges;
  }

 private:
  void normalise() const;
  mutable std::vector<CodePoints> m_ranges;
  mutable bool m_sorted = true;
};

/// The bytes that UTF-8 has at one place: both ends included.
struct ByteRange {
  std::uint8_t first = 0;
  std::uint8_t last = 0;
  friend auto operator<=>(const ByteRange&, const ByteRange&) = default;
};
/// One to four ranges, one behind the other: every choice of bytes from them is a character of the set.
struct ByteSequence {
  int length = 0;
  ByteRange bytes[4];
};
/// Appends sequences that together spell exactly the characters first…last, none twice (Unicode 3.9, table 3-7).
void appendUtf8(char32_t first, char32_t last, std::vector<ByteSequence>& out);

}  // namespace hearth
