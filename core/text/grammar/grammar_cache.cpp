#include "core/text/grammar/grammar_cache.h"

#include <algorithm>

namespace hearth {

Result<GrammarPtr> GrammarCache::get(const OutputShape& shape, std::string_view path,
                                     std::span<const std::string> startAfter) {
  if (shape.kind == OutputShape::Kind::Any) return GrammarPtr();
  {
    const std::lock_guard lock(m_mutex);
    const auto it = std::find_if(m_entries.begin(), m_entries.end(), [&](const Entry& entry) {
      return entry.shape == shape && std::ranges::equal(entry.startAfter, startAfter);
    });
    if (it != m_entries.end()) {
      m_entries.splice(m_entries.begin(), m_entries, it);
      return it->grammar;
    }
  }
  HEARTH_TRY(GrammarPtr made, compileShape(shape, path, startAfter));
  const std::lock_guard lock(m_mutex);
  m_entries.push_front({shape, {startAfter.begin(), startAfter.end()}, made});
  if (m_entries.size() > m_capacity) m_entries.pop_back();
  return made;
}

}  // namespace hearth
