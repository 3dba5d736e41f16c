#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/text/grammar/automaton.h"

namespace hearth::grammar {

/// One of the ways in which the text so far can be read: where in the automaton, how often the counter of the topmost frame
/// has been matched, and the stack.
struct Thread {
  std::uint32_t state = kDoneState;
  std::uint32_t count = 0;
  std::uint32_t frame = 0;
  friend bool operator==(const Thread&, const Thread&) = default;
};
using Threads = std::vector<Thread>;

/// What a call goes back to.
struct Frame {
  std::uint32_t to = 0;
  std::uint32_t counter = kNone;  ///< the call matches its rule as often as this says
  std::uint32_t count = 0;        ///< the caller's
  std::uint32_t parent = 0;
  friend bool operator==(const Frame&, const Frame&) = default;
};

/// All stacks of one matcher: frames know the frame below them, equal stacks are the same frame. So a stack is a number,
/// copying one costs nothing, and an older state of the matcher stays valid whatever was pushed since. One thread at a time.
class Stacks {
 public:
  static constexpr std::uint32_t kRoot = 0;             ///< the empty stack
  static constexpr std::uint32_t kBottom = 0xfffffffe;  ///< in masks: a frame that is not known yet

  Stacks() : m_frames(1), m_table(64, kNone) {}
  [[nodiscard]] const Frame& operator[](std::uint32_t frame) const { return m_frames[frame]; }
  [[nodiscard]] std::size_t size() const { return m_frames.size(); }
  [[nodiscard]] std::uint32_t push(const Frame& frame);
  /// Forgets all frames but those that these threads stand on; their numbers change.
  void keep(std::span<Threads* const> users);

 private:
  void grow();
  std::vector<Frame> m_frames;
  std::vector<std::uint32_t> m_table;  // open addressing, at most half full
};

[[nodiscard]] inline bool mayEnd(const Threads& threads) {
  return std::any_of(threads.begin(), threads.end(), [](const Thread& t) { return t.state == kDoneState; });
}

/// What the bottom of a walk does when it is reached: nothing, for it cannot be.
struct NoBottom {
  void operator()(std::uint32_t) const {}
};

/// Runs the automaton. Holds the stacks of its threads. One thread at a time.
class Stepper {
 public:
  explicit Stepper(const Automaton& automaton) : m_automaton(&automaton) {}

  [[nodiscard]] Threads start();
  /// The threads after one more byte (none = refused); what they are before it stays as it is. False when they are too many:
  /// the grammar is too ambiguous to be followed, and nothing may be let through.
  [[nodiscard]] bool step(const Threads& from, std::uint8_t byte, Threads& to) {
    to.clear();
    NoBottom none;
    return follow(from, 0, from.size(), byte, to, none);
  }
  /// Appends to `to` what the threads first…last−1 of `from` become, which may be `to` itself. `bottom(count)` is called
  /// where a walk's bottom frame is reached.
  template <class Bottom>
  [[nodiscard]] bool follow(const Threads& from, std::size_t first, std::size_t last, std::uint8_t byte, Threads& to,
                            Bottom& bottom);
  /// Adds a thread and all that it becomes without a further byte; `begin` is where this set of threads begins in `to`.
  template <class Bottom>
  [[nodiscard]] bool add(const Thread& thread, Threads& to, std::size_t begin, Bottom& bottom);

  [[nodiscard]] Stacks& stacks() { return m_stacks; }
  [[nodiscard]] const Automaton& automaton() const { return *m_automaton; }
  /// Work done so far, in steps of threads.
  [[nodiscard]] std::uint64_t work() const { return m_work; }

 private:
  static constexpr std::size_t kMostThreads = 4096;
  [[nodiscard]] static bool insert(const Thread& thread, Threads& to, std::size_t begin) {
    for (std::size_t i = begin; i < to.size(); ++i) {
      if (to[i] == thread) return true;
    }
    if (to.size() - begin >= kMostThreads) return false;
    to.push_back(thread);
    return true;
  }
  const Automaton* m_automaton;
  Stacks m_stacks;
  std::uint64_t m_work = 0;
};

template <class Bottom>
bool Stepper::add(const Thread& thread, Threads& to, std::size_t begin, Bottom& bottom) {
  const auto& states = m_automaton->states;
  const std::size_t first = to.size();
  if (!insert(thread, to, begin)) return false;
  for (std::size_t i = first; i < to.size(); ++i) {
    const Thread t = to[i];
    const State& state = states[t.state];
    m_work += 1 + (to.size() - begin) / 8;
    if (state.accepts) {
      if (t.frame == Stacks::kBottom) {
        if (state.counted) {
          bottom(t.count + 1);
          if (!insert({state.start, t.count + 1, t.frame}, to, begin)) return false;
        } else {
          bottom(0);
        }
      } else if (t.frame == Stacks::kRoot) {
        if (!insert({kDoneState, 0, Stacks::kRoot}, to, begin)) return false;
      } else {
        const Frame frame = m_stacks[t.frame];
        if (frame.counter == kNone) {
          if (!insert({frame.to, frame.count, frame.parent}, to, begin)) return false;
        } else {
          const Counter& counter = m_automaton->counters[frame.counter];
          // Without an upper bound only whether the lower one is reached matters.
          const std::uint32_t count = counter.most == kNone ? std::min(t.count + 1, counter.least) : t.count + 1;
          if (count >= counter.least && !insert({frame.to, frame.count, frame.parent}, to, begin)) return false;
          if (count < counter.most && !insert({state.start, count, t.frame}, to, begin)) return false;
        }
      }
    }
    const std::uint32_t callsEnd = states[t.state + 1].calls;
    for (std::uint32_t c = state.calls; c < callsEnd; ++c) {
      const CallEdge& call = m_automaton->calls[c];
      if (call.counter != kNone) {
        if (m_automaton->counters[call.counter].least == 0 && !insert({call.to, t.count, t.frame}, to, begin)) return false;
        if (call.start == kNone) continue;
      } else if (states[call.to].returns && !state.counted) {
        // Nothing is left to do after the call: it may return to where this rule would have.
        if (!insert({call.start, 0, t.frame}, to, begin)) return false;
        continue;
      }
      const std::uint32_t pushed = m_stacks.push({call.to, call.counter, t.count, t.frame});
      if (!insert({call.start, 0, pushed}, to, begin)) return false;
    }
  }
  // States without edges have done their work.
  std::size_t kept = first;
  for (std::size_t i = first; i < to.size(); ++i) {
    const State& state = states[to[i].state];
    if (to[i].state == kDoneState || state.edges != states[to[i].state + 1].edges) to[kept++] = to[i];
  }
  to.resize(kept);
  return true;
}

template <class Bottom>
bool Stepper::follow(const Threads& from, std::size_t first, std::size_t last, std::uint8_t byte, Threads& to,
                     Bottom& bottom) {
  const std::size_t begin = to.size();
  const auto& states = m_automaton->states;
  const auto take = [&](const Thread& t, std::uint32_t next) { return add({next, t.count, t.frame}, to, begin, bottom); };
  for (std::size_t i = first; i < last; ++i) {
    const Thread t = from[i];
    const State& state = states[t.state];
    ++m_work;
    if (state.dense != kNone) {
      const std::uint32_t next = m_automaton->dense[state.dense + byte];
      if (next != kNone && !take(t, next)) return false;
      continue;
    }
    const std::uint32_t end = states[t.state + 1].edges;
    for (std::uint32_t e = state.edges; e < end; ++e) {
      const ByteEdge& edge = m_automaton->edges[e];
      if (byte < edge.first || byte > edge.last) continue;
      if (!take(t, edge.to)) return false;
    }
  }
  return true;
}

}  // namespace hearth::grammar
