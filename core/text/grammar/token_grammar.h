#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/text/grammar/grammar.h"
#include "core/text/grammar/stepper.h"
#include "core/text/grammar/token_trie.h"

namespace hearth {

/// Which tokens may come next: one bit each.
class TokenMask {
 public:
  explicit TokenMask(std::size_t vocabulary = 0) : m_words((vocabulary + 63) / 64, 0) {}
  [[nodiscard]] bool test(TokenId token) const noexcept {
    const auto at = static_cast<std::size_t>(token);
    return token >= 0 && at / 64 < m_words.size() && (m_words[at / 64] >> (at % 64) & 1U) != 0;
  }
  void set(TokenId token) noexcept {
    m_words[static_cast<std::size_t>(token) / 64] |= std::uint64_t{1} << (static_cast<std::size_t>(token) % 64);
  }
  void clear() noexcept { std::fill(m_words.begin(), m_words.end(), 0); }
  [[nodiscard]] std::size_t count() const noexcept;
  [[nodiscard]] bool empty() const noexcept;
  /// −∞ for every logit whose token may not come, tokens beyond the mask included.
  void apply(std::span<float> logits) const noexcept;
  [[nodiscard]] std::span<std::uint64_t> words() noexcept { return m_words; }
  [[nodiscard]] std::span<const std::uint64_t> words() const noexcept { return m_words; }
  friend bool operator==(const TokenMask&, const TokenMask&) = default;

 private:
  std::vector<std::uint64_t> m_words;
};

namespace grammar {

/// What can be said of a state about all tokens before its stack is known (the split of XGrammar, Dong et al. 2024, carried
/// to counters): which tokens stay above the frame the state stands on, and where in the tree that frame is returned from.
struct LocalMask {
  /// A token that is read to its end: for the body of a counter with how many matches of it, begun ones included.
  struct Heavy {
    std::uint32_t weight = 0;
    TokenId token = 0;
  };
  /// Below this node of the tree the text goes on behind the frame; for the body of a counter after so many matches.
  struct Exit {
    std::uint32_t node = 0;
    std::uint32_t count = 0;
  };
  bool narrow = false;  ///< hardly anything can follow: not worth keeping, walk it
  std::vector<std::uint64_t> bits;
  std::vector<Heavy> heavy;  ///< tokens with weight > 0, heaviest first
  std::vector<Exit> exits;   ///< by the byte of their node
  std::uint32_t exitBegin[257] = {};
  [[nodiscard]] std::size_t bytes() const {
    return bits.size() * 8 + heavy.size() * sizeof(Heavy) + exits.size() * sizeof(Exit);
  }
};

}  // namespace grammar

/// A grammar with a vocabulary. Owns the masks that its states have in common, made when first needed (at most 48 MB of
/// them). Any thread.
class TokenGrammar {
 public:
  TokenGrammar(GrammarPtr grammar, std::shared_ptr<const TokenTrie> trie)
      : m_grammar(std::move(grammar)), m_trie(std::move(trie)) {}
  [[nodiscard]] const Grammar& grammar() const noexcept { return *m_grammar; }
  [[nodiscard]] const TokenTrie& trie() const noexcept { return *m_trie; }

  /// Null when it would take too much work.
  [[nodiscard]] std::shared_ptr<const grammar::LocalMask> local(std::uint32_t state) const;

 private:
  [[nodiscard]] std::shared_ptr<const grammar::LocalMask> compute(std::uint32_t state) const;
  GrammarPtr m_grammar;
  std::shared_ptr<const TokenTrie> m_trie;
  mutable std::mutex m_mutex;
  mutable std::unordered_map<std::uint32_t, std::shared_ptr<const grammar::LocalMask>> m_locals;  // guarded
  mutable std::size_t m_bytes = 0;                                                                // guarded
};
using TokenGrammarPtr = std::shared_ptr<const TokenGrammar>;

/// Where one answer stands in its grammar. One thread at a time (it may be another each time).
class GrammarMatcher {
 public:
  /// A position; copying it is cheap, and an older one may be restored until tidy() is called.
  class State {
   public:
    [[nodiscard]] bool mayEnd() const { return grammar::mayEnd(m_threads); }  ///< the answer may be over here
    [[nodiscard]] bool mustEnd() const { return mayEnd() && m_threads.size() == 1; }

   private:
    friend class GrammarMatcher;
    grammar::Threads m_threads;
  };

  explicit GrammarMatcher(TokenGrammarPtr grammar);

  [[nodiscard]] const State& state() const noexcept { return m_state; }
  /// Takes a token; false (and nothing changed) when the grammar does not allow it here. An end of generation is taken where
  /// the answer may be over, and changes nothing.
  [[nodiscard]] bool accept(TokenId token);
  [[nodiscard]] bool acceptText(std::string_view bytes);  ///< the same with bytes
  void restore(State state) { m_state = std::move(state); }
  /// Gives back memory of what lies behind: positions other than state() are invalid then.
  void tidy();

  /// What may follow `state`. Error: InvalidArgument when the grammar is too ambiguous to be followed (nothing is let
  /// through then). An empty mask means that no token of this vocabulary continues the text.
  [[nodiscard]] Result<void> mask(const State& state, TokenMask& out);
  [[nodiscard]] Result<void> mask(TokenMask& out) { return mask(State(m_state), out); }
  [[nodiscard]] TokenMask emptyMask() const { return TokenMask(m_grammar->trie().vocabularySize()); }
  [[nodiscard]] const TokenGrammar& grammar() const noexcept { return *m_grammar; }

 private:
  [[nodiscard]] bool walkExits(const grammar::LocalMask& local, const grammar::Thread& thread, TokenMask& out);
  TokenGrammarPtr m_grammar;
  grammar::Stepper m_stepper;
  State m_state;
  grammar::Threads m_work, m_next;
  grammar::Threads m_lastThreads;  // the last mask and whose it is
  TokenMask m_lastMask;
};

}  // namespace hearth
