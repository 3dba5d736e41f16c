#include "core/text/grammar/stepper.h"

namespace hearth::grammar {
namespace {

std::uint64_t hashOf(const Frame& frame) {
  std::uint64_t hash = (std::uint64_t{frame.to} << 32U | frame.parent) * 0x9e3779b97f4a7c15U;
  hash ^= (std::uint64_t{frame.counter} << 32U | frame.count) * 0xff51afd7ed558ccdU;
  hash ^= hash >> 29U;
  return hash * 0xc4ceb9fe1a85ec53U >> 16U;
}

}  // namespace

std::uint32_t Stacks::push(const Frame& frame) {
  const std::size_t mask = m_table.size() - 1;
  std::size_t at = hashOf(frame) & mask;
  for (; m_table[at] != kNone; at = (at + 1) & mask) {
    if (m_frames[m_table[at]] == frame) return m_table[at];
  }
  const auto id = static_cast<std::uint32_t>(m_frames.size());
  m_frames.push_back(frame);
  m_table[at] = id;
  if (m_frames.size() * 2 > m_table.size()) grow();
  return id;
}

void Stacks::grow() {
  m_table.assign(m_table.size() * 2, kNone);
  const std::size_t mask = m_table.size() - 1;
  for (std::uint32_t id = 1; id < m_frames.size(); ++id) {
    std::size_t at = hashOf(m_frames[id]) & mask;
    while (m_table[at] != kNone) at = (at + 1) & mask;
    m_table[at] = id;
  }
}

void Stacks::keep(std::span<Threads* const> users) {
  std::vector<Frame> old = std::move(m_frames);
  std::vector<std::uint32_t> moved(old.size(), kNone);
  moved[kRoot] = kRoot;
  m_frames.assign(1, Frame());
  m_table.assign(64, kNone);
  std::vector<std::uint32_t> path;
  for (Threads* threads : users) {
    for (Thread& thread : *threads) {
      path.clear();
      for (std::uint32_t f = thread.frame; moved[f] == kNone; f = old[f].parent) path.push_back(f);
      for (auto f = path.rbegin(); f != path.rend(); ++f) {
        Frame frame = old[*f];
        frame.parent = moved[frame.parent];
        moved[*f] = push(frame);
      }
      thread.frame = moved[thread.frame];
    }
  }
}

Threads Stepper::start() {
  Threads threads;
  NoBottom none;
  (void)add({m_automaton->start, 0, Stacks::kRoot}, threads, 0, none);
  return threads;
}

}  // namespace hearth::grammar
