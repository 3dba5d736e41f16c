#include "core/chat/embedding.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <future>
#include <mutex>
#include <utility>

#include "core/base/log.h"
#include "core/chat/chat_metrics.h"

namespace hearth {
namespace {

using Clock = std::chrono::steady_clock;

/// Inputs of one request in the engine at a time: enough to fill its steps, few beside what its queue holds.
constexpr int kMostInFlight = 64;

std::unexpected<Error> badInput(std::size_t index, std::string message) {
  return fail(ErrorCode::InvalidArgument, std::move(message), {{"field", "input"}, {"index", std::to_string(index)}});
}

/// What goes through the model in one piece.
struct Piece {
  std::size_t input = 0;
  std::vector<TokenId> tokens;
};

/// Cuts inputs into pieces that fit the context.
class Cutter {
 public:
  Cutter(const Tokenizer& tokenizer, std::size_t contextTokens, EmbeddingRequest::TooLong tooLong)
      : m_tokenizer(tokenizer), m_context(contextTokens), m_tooLong(tooLong) {}

  Result<void> add(std::size_t index, const std::string& text) {
    auto tokens = m_tokenizer.encode(text);
    if (tokens.size() <= m_context) return addWhole(index, std::move(tokens));
    // Every piece gets what the tokenizer puts around a text.
    auto body = m_tokenizer.encode(text, {.addSpecial = false});
    const std::size_t before = m_tokenizer.addsBos() ? 1 : 0;
    const std::size_t around = std::min(tokens.size() - std::min(body.size(), tokens.size()), m_context - 1);
    const std::size_t after = around - std::min(before, around);
    const std::vector<TokenId> prefix(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(around - after));
    const std::vector<TokenId> suffix(tokens.end() - static_cast<std::ptrdiff_t>(after), tokens.end());
    return addLong(index, tokens.size(), body, prefix, suffix);
  }
  Result<void> add(std::size_t index, const std::vector<TokenId>& tokens) {
    for (const TokenId token : tokens) {
      if (token < 0 || token >= m_tokenizer.vocabularySize())
        return badInput(index, fmt::format("the token {} is not in the model's vocabulary", token));
    }
    if (tokens.size() <= m_context) return addWhole(index, tokens);
    return addLong(index, tokens.size(), tokens, {}, {});
  }

  std::vector<Piece> pieces;
  int truncated = 0;

 private:
  Result<void> addWhole(std::size_t index, std::vector<TokenId> tokens) {
    if (tokens.empty()) return badInput(index, "an input is empty");
    pieces.push_back({index, std::move(tokens)});
    return {};
  }
  Result<void> addLong(std::size_t index, std::size_t whole, const std::vector<TokenId>& body,
                       const std::vector<TokenId>& prefix, const std::vector<TokenId>& suffix) {
    if (m_tooLong == EmbeddingRequest::TooLong::Refuse) {
      return fail(ErrorCode::ContextOverflow, "an input is longer than the model's context",
                  {{"prompt_tokens", std::to_string(whole)},
                   {"context_tokens", std::to_string(m_context)},
                   {"index", std::to_string(index)},
                   {"field", "input"}});
    }
    const std::size_t room = m_context - prefix.size() - suffix.size();
    for (std::size_t at = 0; at < body.size(); at += room) {
      Piece piece{index, prefix};
      const std::size_t end = std::min(at + room, body.size());
      piece.tokens.insert(piece.tokens.end(), body.begin() + static_cast<std::ptrdiff_t>(at),
                          body.begin() + static_cast<std::ptrdiff_t>(end));
      piece.tokens.insert(piece.tokens.end(), suffix.begin(), suffix.end());
      pieces.push_back(std::move(piece));
      if (m_tooLong == EmbeddingRequest::TooLong::Truncate) {
        ++truncated;
        break;
      }
    }
    return {};
  }

  const Tokenizer& m_tokenizer;
  std::size_t m_context;
  EmbeddingRequest::TooLong m_tooLong;
};

/// One request on its way. Held by the sinks of what is in the engine. Any thread; the engine's mutex is taken with m_mutex
/// held, never the other way round (sinks are called without it).
class Run final : public EmbeddingTask, public std::enable_shared_from_this<Run> {
 public:
  Run(LoadedModelPtr model, const EmbeddingRequest& request, Cutter cut, EmbeddingCallback done, MetricsRegistry* metrics)
      : m_model(std::move(model)),
        m_id(m_model->id),
        m_dimensions(request.dimensions > 0 ? static_cast<std::size_t>(request.dimensions)
                                            : static_cast<std::size_t>(m_model->engine->config().embedding)),
        m_priority(request.priority),
        m_principal(request.principal),
        m_metrics(metrics),
        m_pieces(std::move(cut.pieces)),
        m_sums(request.inputs.size()),
        m_done(std::move(done)) {
    m_reply.tokens.resize(request.inputs.size());
    m_reply.truncated = cut.truncated;
  }

  /// The first submissions. On an error nothing is told to the callback.
  Result<void> start() {
    const std::lock_guard lock(m_mutex);
    auto begun = pump();
    if (!begun) (void)leave();
    return begun;
  }

  void cancel() override { end(fail(ErrorCode::Cancelled, "the request was cancelled")); }

 private:
  // With m_mutex held: submits while there is room. An error only when nothing is in the engine that could go on later.
  Result<void> pump() {
    while (m_model && m_inFlight < kMostInFlight && m_next < m_pieces.size()) {
      Piece& piece = m_pieces[m_next];
      EngineRequest request;
      request.prompt = piece.tokens;  // kept: the queue may be full
      request.embed = true;
      request.priority = m_priority;
      request.principal = m_principal;
      request.sink = [self = shared_from_this(), index = m_next](const EngineEvent& event) {
        return self->onEvent(index, event);
      };
      auto handle = m_model->engine->submit(std::move(request));
      if (!handle) {
        if (handle.error().code == ErrorCode::QueueFull && m_inFlight > 0) return {};
        return std::unexpected(std::move(handle).error());
      }
      m_handles.push_back(*handle);
      ++m_inFlight;
      ++m_next;
    }
    return {};
  }

  bool onEvent(std::size_t index, const EngineEvent& event) {
    if (event.kind != EngineEvent::Kind::Finished) return true;
    std::optional<Result<EmbeddingReply>> result;
    {
      const std::lock_guard lock(m_mutex);
      --m_inFlight;
      if (!m_model) return true;  // it has ended already
      if (event.reason != FinishReason::Stop) {
        result = std::unexpected(event.error.value_or(Error{ErrorCode::Cancelled, "the request was cancelled", {}}));
      } else {
        take(m_pieces[index], event);
        if (++m_finished == m_pieces.size()) {
          result = conclude();
        } else if (auto more = pump(); !more) {
          result = std::unexpected(std::move(more).error());
        }
      }
    }
    if (result) end(std::move(*result));
    return true;
  }

  // With m_mutex held.
  void take(Piece& piece, const EngineEvent& event) {
    auto& sum = m_sums[piece.input];
    sum.resize(event.embedding.size());
    const auto weight = static_cast<double>(piece.tokens.size());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * static_cast<double>(event.embedding[i]);
    m_reply.tokens[piece.input] += event.promptTokens;
    m_reply.promptTokens += event.promptTokens;
    m_reply.queueSeconds = std::max(m_reply.queueSeconds, event.queueSeconds);
    piece.tokens = {};
  }

  EmbeddingReply conclude() {
    for (auto& sum : m_sums) {
      sum.resize(std::min(sum.size(), m_dimensions));
      double squares = 0;
      for (const double value : sum) squares += value * value;
      const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
      std::vector<float> embedding;
      embedding.reserve(sum.size());
      for (const double value : sum) embedding.push_back(static_cast<float>(value * scale));
      m_reply.embeddings.push_back(std::move(embedding));
    }
    m_reply.computeSeconds = std::chrono::duration<double>(Clock::now() - m_begin).count();
    return std::move(m_reply);
  }

  // With m_mutex held. What this run held; the model goes when the caller lets go of it.
  std::pair<EmbeddingCallback, LoadedModelPtr> leave() {
    for (const RequestHandle& handle : m_handles) handle.cancel();
    m_handles.clear();
    return {std::exchange(m_done, {}), std::exchange(m_model, {})};
  }

  void end(Result<EmbeddingReply> result) {
    std::pair<EmbeddingCallback, LoadedModelPtr> held;
    {
      const std::lock_guard lock(m_mutex);
      if (!m_model) return;
      held = leave();
    }
    record(result);
    if (!held.first) return;
    try {
      held.first(std::move(result));
    } catch (const std::exception& problem) {
      log::error("chat", std::string("an embedding's receiver threw: ") + problem.what());
    }
  }

  void record(const Result<EmbeddingReply>& result) {
    if (m_metrics == nullptr) return;
    chat::RequestFigures figures;
    figures.model = m_id;
    figures.user = m_principal;
    figures.finishedReason = result ? "stop" : result.error().code == ErrorCode::Cancelled ? "abort" : "error";
    figures.totalSeconds = std::chrono::duration<double>(Clock::now() - m_begin).count();
    if (result) {
      figures.promptTokens = result->promptTokens;
      figures.queueSeconds = result->queueSeconds;
      figures.prefillSeconds = std::max(0.0, figures.totalSeconds - result->queueSeconds);
    }
    chat::recordRequest(*m_metrics, figures);
  }

  // Constant after construction.
  const Clock::time_point m_begin = Clock::now();
  LoadedModelPtr m_model;  // guarded by m_mutex; null once it has ended
  const std::string m_id;
  const std::size_t m_dimensions;
  const Priority m_priority;
  const std::string m_principal;
  MetricsRegistry* const m_metrics;
  // Guarded by m_mutex.
  std::mutex m_mutex;
  std::vector<Piece> m_pieces;
  std::vector<std::vector<double>> m_sums;  // of each input
  std::vector<RequestHandle> m_handles;
  std::size_t m_next = 0, m_finished = 0;
  int m_inFlight = 0;
  EmbeddingReply m_reply;
  EmbeddingCallback m_done;
};

}  // namespace

Result<std::shared_ptr<EmbeddingTask>> startEmbedding(LoadedModelPtr model, EmbeddingRequest request, EmbeddingCallback done,
                                                      MetricsRegistry* metrics) {
  if (!model || !model->engine) return fail(ErrorCode::ModelNotLoaded, "no model is loaded");
  const Engine& engine = *model->engine;
  if (request.inputs.empty()) return fail(ErrorCode::InvalidArgument, "there is no input", {{"field", "input"}});
  if (request.dimensions < 0 || request.dimensions > engine.config().embedding) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("this model's embeddings have {} dimensions", engine.config().embedding),
                {{"field", "dimensions"},
                 {"value", std::to_string(request.dimensions)},
                 {"most", std::to_string(engine.config().embedding)}});
  }
  Cutter cut(engine.tokenizer(), static_cast<std::size_t>(engine.contextTokens()), request.tooLong);
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    HEARTH_CHECK(std::visit([&](const auto& input) { return cut.add(i, input); }, request.inputs[i]));
  }
  auto run = std::make_shared<Run>(std::move(model), request, std::move(cut), std::move(done), metrics);
  HEARTH_CHECK(run->start());
  return run;
}

Result<EmbeddingReply> embedTexts(LoadedModelPtr model, EmbeddingRequest request) {
  auto promise = std::make_shared<std::promise<Result<EmbeddingReply>>>();
  auto future = promise->get_future();
  HEARTH_TRY(const auto task, startEmbedding(std::move(model), std::move(request), [promise](Result<EmbeddingReply> reply) {
               promise->set_value(std::move(reply));
             }));
  return future.get();
}

}  // namespace hearth
