#include "core/text/grammar/token_grammar.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "core/text/grammar/walk.h"

namespace hearth {
namespace {

using grammar::Automaton;
using grammar::Frame;
using grammar::kNone;
using grammar::LocalMask;
using grammar::Stacks;
using grammar::Stepper;
using grammar::Thread;
using grammar::Threads;

constexpr std::size_t kMostLocalBytes = 48U << 20U;
/// A walk that sees fewer nodes than this is as quick as looking its result up.
constexpr std::size_t kNarrowNodes = 1500;
/// Stacks that nobody stands on any more are cleared away from this many frames on.
constexpr std::size_t kManyFrames = 1U << 16U;

void mark(std::vector<std::uint64_t>& bits, TokenId token) {
  bits[static_cast<std::size_t>(token) / 64] |= std::uint64_t{1} << (static_cast<std::size_t>(token) % 64);
}

/// Where a walk with an unknown stack comes back to it.
struct ExitList {
  std::uint32_t node = 0, hit = kNone;
  std::uint32_t least = 0;  // fewest matches with which the frame was left at `hit`
  std::vector<LocalMask::Exit> found;
  void operator()(std::uint32_t count) {
    if (hit == node && !found.empty() && found.back().node == node && found.back().count == count) return;
    least = hit == node ? std::min(least, count) : count;
    hit = node;
    found.push_back({node, count});
  }
};

}  // namespace

std::size_t TokenMask::count() const noexcept {
  std::size_t sum = 0;
  for (const std::uint64_t word : m_words) sum += static_cast<std::size_t>(std::popcount(word));
  return sum;
}

bool TokenMask::empty() const noexcept {
  return std::all_of(m_words.begin(), m_words.end(), [](std::uint64_t word) { return word == 0; });
}

void TokenMask::apply(std::span<float> logits) const noexcept {
  constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
  for (std::size_t w = 0; w * 64 < logits.size(); ++w) {
    const auto part = logits.subspan(w * 64, std::min<std::size_t>(64, logits.size() - w * 64));
    const std::uint64_t word = w < m_words.size() ? m_words[w] : 0;
    if (word == 0) {
      std::fill(part.begin(), part.end(), kMinusInfinity);
    } else if (word != ~std::uint64_t{0}) {
      for (std::size_t i = 0; i < part.size(); ++i) {
        if ((word >> i & 1U) == 0) part[i] = kMinusInfinity;
      }
    }
  }
}

std::shared_ptr<const LocalMask> TokenGrammar::local(std::uint32_t state) const {
  {
    const std::lock_guard lock(m_mutex);
    if (const auto it = m_locals.find(state); it != m_locals.end()) return it->second;
  }
  auto made = compute(state);  // two threads may do the same work; they come to the same result
  if (!made) return nullptr;
  const std::lock_guard lock(m_mutex);
  if (m_bytes + made->bytes() <= kMostLocalBytes) {
    if (m_locals.emplace(state, made).second) m_bytes += made->bytes() + sizeof(LocalMask);
  }
  return made;
}

std::shared_ptr<const LocalMask> TokenGrammar::compute(std::uint32_t id) const {
  const TokenTrie& tree = trie();
  const Automaton& automaton = grammar().automaton();
  const bool counted = automaton.states[id].counted;
  Stepper stepper(automaton);
  auto made = std::make_shared<LocalMask>();
  made->bits.assign(tree.words(), 0);
  ExitList exits;
  Threads threads{{id, 0, Stacks::kBottom}};
  std::size_t visited = 0;
  const bool done =
      grammar::walk(stepper, tree, 0, threads, 0, exits, [&](std::uint32_t node, std::size_t begin, std::size_t end) {
        ++visited;
        const auto tokens = tree.tokens(node);
        if (tokens.empty()) return;
        std::uint32_t weight = exits.hit == node ? exits.least : kNone;
        if (!counted) {
          weight = 0;
        } else {
          for (std::size_t i = begin; i < end; ++i) {
            std::uint32_t count = threads[i].count;
            for (std::uint32_t f = threads[i].frame; f != Stacks::kBottom; f = stepper.stacks()[f].parent)
              count = stepper.stacks()[f].count;
            weight = std::min(weight, count + 1);
          }
        }
        for (const TokenId token : tokens) {
          mark(made->bits, token);
          if (weight > 0) made->heavy.push_back({weight, token});
        }
      });
  if (!done) return nullptr;
  if (visited < kNarrowNodes) {
    made->narrow = true;
    made->bits.clear();
    made->heavy.clear();
    return made;
  }
  std::sort(made->heavy.begin(), made->heavy.end(), [](const auto& a, const auto& b) { return a.weight > b.weight; });
  // Sorted by byte, in the order of the tree within one.
  std::vector<std::uint32_t> sizes(257, 0);
  const auto eachChild = [&](const auto& visit) {
    for (const auto& exit : exits.found) {
      for (std::uint32_t child = exit.node + 1; child < tree.end(exit.node); child = tree.end(child))
        visit(child, exit.count);
    }
  };
  eachChild([&](std::uint32_t child, std::uint32_t) { ++sizes[tree.byte(child) + 1U]; });
  for (std::size_t b = 0; b < 256; ++b) sizes[b + 1] += sizes[b];
  std::copy(sizes.begin(), sizes.end(), made->exitBegin);
  made->exits.resize(sizes[256]);
  eachChild([&](std::uint32_t child, std::uint32_t count) { made->exits[sizes[tree.byte(child)]++] = {child, count}; });
  return made;
}

GrammarMatcher::GrammarMatcher(TokenGrammarPtr grammar)
    : m_grammar(std::move(grammar)), m_stepper(m_grammar->grammar().automaton()) {
  m_state.m_threads = m_stepper.start();
}

bool GrammarMatcher::acceptText(std::string_view bytes) {
  m_work = m_state.m_threads;
  for (const char c : bytes) {
    if (!m_stepper.step(m_work, static_cast<std::uint8_t>(c), m_next) || m_next.empty()) return false;
    std::swap(m_work, m_next);
  }
  m_state.m_threads = m_work;
  return true;
}

void GrammarMatcher::tidy() {
  if (m_stepper.stacks().size() < kManyFrames) return;
  m_lastThreads.clear();
  Threads* const users[] = {&m_state.m_threads};
  m_stepper.stacks().keep(users);
}

bool GrammarMatcher::accept(TokenId token) {
  if (m_grammar->trie().isEnd(token)) return m_state.mayEnd();
  const std::string_view bytes = m_grammar->trie().bytesOf(token);
  return !bytes.empty() && acceptText(bytes);
}

Result<void> GrammarMatcher::mask(const State& state, TokenMask& out) {
  if (!m_lastThreads.empty() && state.m_threads == m_lastThreads) {
    out = m_lastMask;
    return {};
  }
  const TokenTrie& trie = m_grammar->trie();
  out.clear();
  const auto tooAmbiguous = [&] {
    out.clear();
    return fail(ErrorCode::InvalidArgument, "the grammar is too ambiguous to be followed", {{"field", "response_format"}});
  };
  Threads walked;  // those without a mask of their own are walked together
  for (const Thread& thread : state.m_threads) {
    if (thread.state == grammar::kDoneState) {
      for (const TokenId end : trie.ends()) out.set(end);
      continue;
    }
    const auto local = m_grammar->local(thread.state);
    if (!local) return tooAmbiguous();
    if (local->narrow) {
      walked.push_back(thread);
      continue;
    }
    const auto words = out.words();
    const auto& counted = m_grammar->grammar().automaton().states[thread.state].counted;
    std::uint32_t room = kNone;  // matches that the counter still allows
    if (counted) {
      const auto& counter = m_grammar->grammar().automaton().counters[m_stepper.stacks()[thread.frame].counter];
      if (counter.most != kNone) room = counter.most - thread.count;
    }
    if (!counted || local->heavy.empty() || local->heavy.front().weight <= room) {
      for (std::size_t w = 0; w < words.size(); ++w) words[w] |= local->bits[w];
    } else {
      std::vector<std::uint64_t> bits = local->bits;
      for (const auto& heavy : local->heavy) {
        if (heavy.weight <= room) break;
        bits[static_cast<std::size_t>(heavy.token) / 64] &=
            ~(std::uint64_t{1} << (static_cast<std::size_t>(heavy.token) % 64));
      }
      for (std::size_t w = 0; w < words.size(); ++w) words[w] |= bits[w];
    }
    if (!walkExits(*local, thread, out)) return tooAmbiguous();
  }
  if (!walked.empty()) {
    grammar::NoExit none;
    const bool done = grammar::walk(m_stepper, trie, 0, walked, 0, none, [&](std::uint32_t node, std::size_t, std::size_t) {
      for (const TokenId token : trie.tokens(node)) out.set(token);
    });
    if (!done) return tooAmbiguous();
  }
  m_lastThreads = state.m_threads;
  m_lastMask = out;
  return {};
}

// The text goes on behind the frame that `thread` stands on, from all nodes below which it can.
bool GrammarMatcher::walkExits(const LocalMask& local, const Thread& thread, TokenMask& out) {
  if (local.exits.empty()) return true;
  const TokenTrie& trie = m_grammar->trie();
  const Automaton& automaton = m_grammar->grammar().automaton();
  grammar::NoExit none;
  Threads behind;
  std::uint32_t least = 0, most = kNone;           // matches of the counter after which it may be left
  if (thread.frame == Stacks::kRoot) return true;  // the end of everything: nothing may follow
  const Frame frame = m_stepper.stacks()[thread.frame];
  if (frame.counter != kNone) {
    const auto& counter = automaton.counters[frame.counter];
    least = counter.least > thread.count ? counter.least - thread.count : 0;
    if (counter.most != kNone) most = counter.most - thread.count;
  }
  if (!m_stepper.add({frame.to, frame.count, frame.parent}, behind, 0, none)) return false;
  const std::size_t start = behind.size();
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (local.exitBegin[byte] == local.exitBegin[byte + 1]) continue;
    behind.resize(start);
    if (!m_stepper.follow(behind, 0, start, static_cast<std::uint8_t>(byte), behind, none)) return false;
    const std::size_t end = behind.size();
    if (end == start) continue;
    for (std::uint32_t e = local.exitBegin[byte]; e < local.exitBegin[byte + 1]; ++e) {
      const LocalMask::Exit& exit = local.exits[e];
      if (frame.counter != kNone && (exit.count < least || exit.count > most)) continue;
      for (const TokenId token : trie.tokens(exit.node)) out.set(token);
      if (trie.end(exit.node) == exit.node + 1) continue;
      behind.resize(end);
      if (!grammar::walk(m_stepper, trie, exit.node, behind, start, none, [&](std::uint32_t node, std::size_t, std::size_t) {
            for (const TokenId token : trie.tokens(node)) out.set(token);
          }))
        return false;
    }
  }
  return true;
}

}  // namespace hearth
