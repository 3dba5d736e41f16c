#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/base/error.h"
#include "core/engine/engine_pool.h"

namespace hearth {

class MetricsRegistry;

/// Texts whose embeddings are wanted. Every model gives them: encoders, and decoders through their last hidden states.
struct EmbeddingRequest {
  /// Texts, which get the model's own special tokens, or tokens, which are taken as they are.
  std::vector<std::variant<std::string, std::vector<TokenId>>> inputs;
  enum class TooLong : std::uint8_t {
    Refuse,    ///< ContextOverflow, nothing is computed
    Truncate,  ///< its beginning counts
    Split,     ///< parts that fit, and the mean of theirs, weighted by their tokens
  } tooLong = TooLong::Refuse;
  int dimensions = 0;  ///< of the result: the first so many, normalised again; 0 = all that the model has
  Priority priority = Priority::Normal;
  std::string principal;
};

struct EmbeddingReply {
  std::vector<std::vector<float>> embeddings;  ///< one for each input, of length 1
  std::vector<int> tokens;                     ///< of each input, as computed
  int promptTokens = 0;                        ///< of all
  int truncated = 0;                           ///< inputs of which only the beginning counts
  double queueSeconds = 0, computeSeconds = 0;
};

/// Called once, on an engine's thread: must not block.
using EmbeddingCallback = std::function<void(Result<EmbeddingReply>)>;

/// A running request; cancel() is cheap and idempotent, any thread. Its callback then gets Cancelled, unless it was called
/// before. Dropping it does not cancel.
class EmbeddingTask {
 public:
  virtual ~EmbeddingTask() = default;
  virtual void cancel() = 0;
};

/// Encodes the inputs and has them computed in batches, beside what else the model does and in the same fair queue: only
/// some of the inputs are in the queue at a time, so that a large request does not fill it. Holds the model until it ends.
/// `metrics` may be null, else outlives the request. Any thread but an engine's. An error is told here or to `done`, not to
/// both: InvalidArgument (field: input, dimensions), ContextOverflow (prompt_tokens, context_tokens, index), QueueFull,
/// ShuttingDown.
[[nodiscard]] Result<std::shared_ptr<EmbeddingTask>> startEmbedding(LoadedModelPtr model, EmbeddingRequest request,
                                                                    EmbeddingCallback done,
                                                                    MetricsRegistry* metrics = nullptr);
/// The same, waiting. Not from an engine's thread.
[[nodiscard]] Result<EmbeddingReply> embedTexts(LoadedModelPtr model, EmbeddingRequest request);

}  // namespace hearth
