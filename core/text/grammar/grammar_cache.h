#pragma once

#include <list>
#include <mutex>
#include <string>

#include "core/text/grammar/grammar.h"

namespace hearth {

/// The grammars of the shapes that were asked for last, compiled once. Any thread.
class GrammarCache {
 public:
  explicit GrammarCache(std::size_t capacity = 16) : m_capacity(capacity) {}
  /// As compileShape(); null for Any. Errors are not kept.
  [[nodiscard]] Result<GrammarPtr> get(const OutputShape& shape, std::string_view path,
                                       std::span<const std::string> startAfter = {});

 private:
  struct Entry {
    OutputShape shape;
    std::vector<std::string> startAfter;
    GrammarPtr grammar;
  };
  std::size_t m_capacity;
  std::mutex m_mutex;
  std::list<Entry> m_entries;  // guarded; the one used last is in front
};

}  // namespace hearth
