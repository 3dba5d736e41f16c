#include "core/text/grammar/code_point_set.h"

#include <algorithm>

namespace hearth {
namespace {

constexpr char32_t kLast = 0x10ffff;
constexpr char32_t kFirstSurrogate = 0xd800, kLastSurrogate = 0xdfff;

int encode(char32_t c, std::uint8_t* out) {
  if (c < 0x80) {
    out[0] = static_cast<std::uint8_t>(c);
    return 1;
  }
  const int length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  constexpr std::uint8_t kLead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (int i = length - 1; i > 0; --i) {
    out[i] = static_cast<std::uint8_t>(0x80 | (c & 0x3f));
    c >>= 6;
  }
  out[0] = static_cast<std::uint8_t>(kLead[length] | c);
  return length;
}

}  // namespace

void CodePointSet::add(char32_t first, char32_t last) {
  last = std::min(last, kLast);
  if (first > last) return;
  if (first <= kLastSurrogate && last >= kFirstSurrogate) {
    if (first < kFirstSurrogate) add(first, kFirstSurrogate - 1);
    if (last > kLastSurrogate) add(kLastSurrogate + 1, last);
    return;
  }
  m_sorted = m_sorted && (m_ranges.empty() || first > m_ranges.back().last + 1);
  m_ranges.push_back({first, last});
}

void CodePointSet::add(const CodePointSet& other) {
  for (const auto& range : other.ranges()) add(range.first, range.last);
}

void CodePointSet::normalise() const {
  if (m_sorted) return;
  std::sort(m_ranges.begin(), m_ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::size_t kept = 0;
  for (std::size_t i = 1; i < m_ranges.size(); ++i) {
    if (m_ranges[i].first <= m_ranges[kept].last + 1) {
      m_ranges[kept].last = std::max(m_ranges[kept].last, m_ranges[i].last);
    } else {
      m_ranges[++kept] = m_ranges[i];
    }
  }
  m_ranges.resize(std::min(m_ranges.size(), kept + 1));
  m_sorted = true;
}

CodePointSet CodePointSet::inverted() const {
  CodePointSet out;
  char32_t next = 0;
  for (const auto& range : ranges()) {
    if (range.first > next) out.add(next, range.first - 1);
    next = range.last + 1;
  }
  if (next <= kLast) out.add(next, kLast);
  return out;
}

CodePointSet CodePointSet::intersected(const CodePointSet& other) const {
  CodePointSet out;
  const auto& a = ranges();
  const auto& b = other.ranges();
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const char32_t first = std::max(a[i].first, b[j].first), last = std::min(a[i].last, b[j].last);
    if (first <= last) out.add(first, last);
    (a[i].last < b[j].last ? i : j) += 1;
  }
  return out;
}

CodePointSet CodePointSet::without(const CodePointSet& other) const { return intersected(other.inverted()); }

bool CodePointSet::contains(char32_t codePoint) const {
  const auto& all = ranges();
  const auto at =
      std::upper_bound(all.begin(), all.end(), codePoint, [](char32_t c, const CodePoints& r) { return c < r.first; });
  return at != all.begin() && codePoint <= std::prev(at)->last;
}

// Splits until all characters of a piece have the same length and each byte's range is independent of the others'.
void appendUtf8(char32_t first, char32_t last, std::vector<ByteSequence>& out) {
  if (first > last) return;
  for (const char32_t edge : {char32_t{0x7f}, char32_t{0x7ff}, char32_t{0xd7ff}, char32_t{0xffff}}) {
    if (first <= edge && last > edge) {
      appendUtf8(first, edge, out);
      appendUtf8(edge == 0xd7ff ? std::max<char32_t>(edge + 1, 0xe000) : edge + 1, last, out);
      return;
    }
  }
  if (first >= 0x80) {
    for (int low = 1; low < 4; ++low) {
      const char32_t mask = (char32_t{1} << (6 * low)) - 1;
      if ((first & ~mask) == (last & ~mask)) continue;
      if ((first & mask) != 0) {
        appendUtf8(first, first | mask, out);
        appendUtf8((first | mask) + 1, last, out);
        return;
      }
      if ((last & mask) != mask) {
        appendUtf8(first, (last & ~mask) - 1, out);
        appendUtf8(last & ~mask, last, out);
        return;
      }
    }
  }
  std::uint8_t a[4], b[4];
  ByteSequence sequence;
  sequence.length = encode(first, a);
  (void)encode(last, b);
  for (int i = 0; i < sequence.length; ++i) sequence.bytes[i] = {a[i], b[i]};
  out.push_back(sequence);
}

}  // namespace hearth
