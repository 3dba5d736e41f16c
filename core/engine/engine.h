#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/engine/request.h"
#include "core/models/model.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

namespace hearth {

/// Guessing tokens ahead, to check several in one step (see Speculator). Never changes what comes out.
enum class Speculation : std::uint8_t {
  Off,     ///< a draft model is not asked either
  Lookup,  ///< from the sequence's own text, where it repeats itself
};

struct EngineOptions {
  int contextTokens = 0;      ///< longest sequence; 0 = min(trained context, 8192, what fits)
  int kvTokens = 0;           ///< KV pool size in tokens; 0 = chosen from free memory, ≥ contextTokens
  int maxSequences = 64;      ///< running at once
  int maxQueued = 256;        ///< waiting; beyond this submit() refuses with QueueFull
  int stepTokens = 512;       ///< token budget of one step (decode + prefill chunks)
  int pageTokens = 16;
  bool prefixCache = true;
  std::optional<kernels::KvType> kvType;  ///< of the KV cache; empty = the model's own (F16). Q8_0 takes about half the memory and loses a little
  bool speculateAlways = false;  ///< guess whatever it costs (tests, measuring)
  /// A small model of the same vocabulary that guesses where the text itself gives no guess; empty = none. Its weights and
  /// KV cache count as this model's. The pool keeps it for later loads of the same id that name none.
  std::filesystem::path draft;
  std::optional<Speculation> speculation;  ///< none = what the pool is set to, Lookup without a pool
  double targetInterTokenSeconds = 0.1;  ///< prefill chunks beside decoding are cut so that a step stays near this
  int threads = 0;  ///< compute threads of this model alone; 0 = the pool's, which all models share
  bool loadAnyway = false;  ///< also where the plan says that the memory does not suffice: the system may swap or end the program
  /// Set in the pool when this load succeeds: EnginePool::keepFor() and pin(); none = as it is.
  std::optional<std::chrono::milliseconds> keepAlive;
  std::optional<bool> pinned;
};

/// A snapshot for the dashboard and /metrics; counters only grow.
struct EngineStats {
  int running = 0, waiting = 0;
  int kvPagesUsed = 0, kvPagesTotal = 0;  ///< used = held by running sequences
  std::uint64_t promptTokens = 0, generatedTokens = 0, cachedPromptTokens = 0;
  std::uint64_t draftedTokens = 0, acceptedTokens = 0;  ///< speculation: guessed, and of these right
  std::uint64_t requests = 0, cancelled = 0, failed = 0, preemptions = 0, steps = 0;
  double decodeTokensPerSecond = 0, prefillTokensPerSecond = 0;  ///< over the last 2 s
};

/// One loaded model with its engine thread (DESIGN section 3). Owns tokenizer, template, weights, KV storage and the step
/// loop's thread. All public functions may be called from any thread. Destruction cancels what runs (Finished: Cancelled, with
/// error ShuttingDown) and joins; from within a sink it does not wait, and the thread ends by itself after that step.
class Engine {
 public:
  /// `model`'s forward is called on the engine thread only from now on. `pool` samples the sequences of a step in parallel;
  /// without one they are sampled one after the other. `draft` (may be null) guesses for `model`; it shares its vocabulary
  /// (sameVocabulary()) and gets as much KV cache. Errors: OutOfMemory (needed_bytes, available_bytes), InvalidArgument.
  [[nodiscard]] static Result<std::shared_ptr<Engine>> create(std::unique_ptr<Model> model, std::unique_ptr<Tokenizer> tokenizer,
                                                              const EngineOptions& options, std::shared_ptr<ThreadPool> pool = nullptr,
                                                              std::unique_ptr<Model> draft = nullptr);
  virtual ~Engine() = default;

  /// Queues a request; never blocks. Errors: InvalidArgument (field), ContextOverflow (prompt_tokens, context_tokens),
  /// QueueFull, ShuttingDown. Events come on the engine thread; after an error there are none.
  [[nodiscard]] virtual Result<RequestHandle> submit(EngineRequest request) = 0;
  [[nodiscard]] virtual EngineStats stats() const = 0;
  [[nodiscard]] virtual const ModelConfig& config() const noexcept = 0;
  [[nodiscard]] virtual const Tokenizer& tokenizer() const noexcept = 0;
  [[nodiscard]] virtual int contextTokens() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t weightBytes() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t kvBytes() const noexcept = 0;
  /// Runs raw logits for a token window, outside the queue order but between steps (perplexity, tests): [tokens][vocabulary].
  /// Blocks the caller until done; not from a sink. Errors as forward(), ContextOverflow, InvalidArgument, OutOfMemory, ShuttingDown.
  [[nodiscard]] virtual Result<std::vector<float>> logits(std::span<const TokenId> tokens) = 0;
};

}  // namespace hearth
