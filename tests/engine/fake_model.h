#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/engine/engine.h"

namespace hearth::testing {

constexpr int kVocabulary = 300;
constexpr TokenId kEnd = 256;    ///< end of generation
constexpr TokenId kControl = 257;

/// Tokens 0…255 are the bytes, 256 ends, 257 is a control token, the rest have names.
class FakeTokenizer : public Tokenizer {
 public:
  FakeTokenizer() {
    for (int token = 0; token < kVocabulary; ++token) {
      std::string name(1, static_cast<char>(token < 256 ? token : 't'));
      if (token >= 256) name.append(std::to_string(token));
      m_bytes.push_back(std::move(name));
    }
  }
  std::vector<TokenId> encode(std::string_view text, const EncodeOptions&) const override {
    std::vector<TokenId> tokens;
    for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
    return tokens;
  }
  std::string_view bytes(TokenId token, bool special) const override {
    if (token < 0 || token >= kVocabulary || (isControl(token) && !special)) return {};
    return m_bytes[static_cast<std::size_t>(token)];
  }
  std::string decode(std::span<const TokenId> tokens, bool special) const override {
    std::string text;
    for (const TokenId token : tokens) text += bytes(token, special);
    return text;
  }
  std::int32_t vocabularySize() const noexcept override { return kVocabulary; }
  bool isControl(TokenId token) const noexcept override { return token == kEnd || token == kControl; }
  bool isEndOfGeneration(TokenId token) const noexcept override { return token == kEnd; }
  TokenId bos() const noexcept override { return -1; }
  TokenId eos() const noexcept override { return kEnd; }
  bool addsBos() const noexcept override { return false; }
  TokenId find(std::string_view) const override { return -1; }

 private:
  std::vector<std::string> m_bytes;
};

/// What tests see of a fake model and how they steer it; outlives the engine. Hooks are set before the engine starts.
struct FakeControl {
  std::atomic<int> steps{0}, widestBatch{0}, mostTokens{0}, broken{0}, abandoned{0};
  std::atomic<std::int64_t> tokens{0};
  std::atomic<int> failures{0};                ///< this many steps fail from now on
  std::atomic<int> microseconds{0};            ///< each step sleeps so long
  std::atomic<int> microsecondsPerToken{0};
  std::atomic<bool> nan{false};                ///< logits are all NaN
  std::function<TokenId(std::span<const TokenId> history)> script;  ///< decides the most likely token
  float peak = 1000;                           ///< logit of that token; the others' are below 8
  std::function<void(std::span<const TokenId> history, std::span<float> logits)> fill;  ///< gives all logits instead
  std::function<void(const Batch&)> onStep;

  /// Stops steps until open() is called: what is submitted meanwhile meets in one batch.
  void close() {
    std::lock_guard lock(m_mutex);
    m_closed = true;
  }
  void open() {
    {
      std::lock_guard lock(m_mutex);
      m_closed = false;
    }
    m_opened.notify_all();
  }
  void pass() {
    std::unique_lock lock(m_mutex);
    m_opened.wait(lock, [this] { return !m_closed; });
  }

 private:
  std::mutex m_mutex;
  std::condition_variable m_opened;
  bool m_closed = false;
};

/// A model whose logits are a hash of the exact token history, which it reads back through the block tables: what paging
/// mixes up comes out as other tokens, and positions that do not hold what was written count as `broken`.
class FakeModel final : public Model {
 public:
  explicit FakeModel(std::shared_ptr<FakeControl> control, int trainedContext = 4096, int maxBatch = 512, std::uint64_t weights = 1000)
      : m_control(std::move(control)), m_maxBatch(maxBatch), m_weights(weights) {
    m_config.architecture = "fake";
    m_config.vocabulary = kVocabulary;
    m_config.trainedContext = trainedContext;
  }
  const ModelConfig& config() const noexcept override { return m_config; }
  KvShape kvShape() const noexcept override { return {1, 1, 2, kernels::KvType::F32}; }
  std::uint64_t weightBytes() const noexcept override { return m_weights; }
  int maxBatchTokens() const noexcept override { return m_maxBatch; }

  Result<void> forward(const Batch& batch, KvStorage& kv, std::span<float> logits) override {
    m_control->pass();
    if (m_control->onStep) m_control->onStep(batch);
    ++m_control->steps;
    m_control->tokens += static_cast<std::int64_t>(batch.tokens.size());
    m_control->widestBatch = std::max(m_control->widestBatch.load(), static_cast<int>(batch.sequences.size()));
    m_control->mostTokens = std::max(m_control->mostTokens.load(), static_cast<int>(batch.tokens.size()));
    const int sleep = m_control->microseconds + m_control->microsecondsPerToken * static_cast<int>(batch.tokens.size());
    if (batch.tokens.empty() || static_cast<int>(batch.tokens.size()) > m_maxBatch) ++m_control->broken;
    int covered = 0;
    for (const auto& slice : batch.sequences) {
      if (slice.tokenBegin != covered || slice.tokenCount < 1) ++m_control->broken;
      covered += slice.tokenCount;
      if (static_cast<int>(slice.blockTable.size()) * kv.pageTokens() < slice.pastLength + slice.tokenCount)
        return fail(ErrorCode::InvalidArgument, "block table too short");
      for (int i = 0; i < slice.tokenCount; ++i)
        write(kv, slice, slice.pastLength + i, batch.tokens[static_cast<std::size_t>(slice.tokenBegin + i)]);
    }
    if (covered != static_cast<int>(batch.tokens.size())) ++m_control->broken;
    for (int slept = 0; slept < sleep; slept += 1000) {  // in layers
      std::this_thread::sleep_for(std::chrono::microseconds(std::min(1000, sleep - slept)));
      if (!batch.abandoned || !batch.abandoned()) continue;
      ++m_control->abandoned;
      for (const auto& slice : batch.sequences) {  // what was written is of no use, and shows when it is read
        for (int i = 0; i < slice.tokenCount; ++i) write(kv, slice, slice.pastLength + i, -1);
      }
      return fail(ErrorCode::Cancelled, "abandoned");
    }
    if (m_control->failures > 0) {
      --m_control->failures;
      return fail(ErrorCode::Corrupt, "made to fail");
    }
    std::size_t row = 0;
    std::vector<TokenId> history;
    for (const auto& slice : batch.sequences) {
      for (; row < batch.logitRows.size() && batch.logitRows[row] < slice.tokenBegin + slice.tokenCount; ++row) {
        const int length = slice.pastLength + (batch.logitRows[row] - slice.tokenBegin) + 1;
        history.resize(static_cast<std::size_t>(length));
        for (int i = 0; i < length; ++i) history[static_cast<std::size_t>(i)] = read(kv, slice, i);
        fill(history, logits.subspan(row * kVocabulary, kVocabulary));
      }
    }
    if (row != batch.logitRows.size() || logits.size() != row * kVocabulary) ++m_control->broken;
    return {};
  }

  /// The logits that this history must give.
  void fill(std::span<const TokenId> history, std::span<float> logits) const {
    if (m_control->fill) return m_control->fill(history, logits);
    std::uint64_t hash = 1469598103934665603ULL;
    for (const TokenId token : history) hash = (hash ^ static_cast<std::uint32_t>(token)) * 1099511628211ULL + 7;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      std::uint64_t mixed = hash + i * 0x9E3779B97F4A7C15ULL;
      mixed = (mixed ^ (mixed >> 31U)) * 0xBF58476D1CE4E5B9ULL;
      mixed ^= mixed >> 29U;
      logits[i] = static_cast<float>(mixed % 4096) / 512.0F;
    }
    if (m_control->script) logits[static_cast<std::size_t>(m_control->script(history))] = m_control->peak;
    if (m_control->nan) std::fill(logits.begin(), logits.end(), std::numeric_limits<float>::quiet_NaN());
  }

 private:
  struct Cell {
    std::int32_t token, position;
  };
  static std::byte* place(KvStorage& kv, const SequenceSlice& slice, int position, bool values) {
    const PageId page = slice.blockTable[static_cast<std::size_t>(position / kv.pageTokens())];
    return (values ? kv.values(page, 0, 0) : kv.keys(page, 0, 0)) + static_cast<std::size_t>(position % kv.pageTokens()) * sizeof(Cell);
  }
  static void write(KvStorage& kv, const SequenceSlice& slice, int position, TokenId token) {
    const Cell cell{token, position};
    std::memcpy(place(kv, slice, position, false), &cell, sizeof cell);
    std::memcpy(place(kv, slice, position, true), &cell, sizeof cell);
  }
  TokenId read(KvStorage& kv, const SequenceSlice& slice, int position) const {
    Cell key{}, value{};
    std::memcpy(&key, place(kv, slice, position, false), sizeof key);
    std::memcpy(&value, place(kv, slice, position, true), sizeof value);
    if (key.position != position || value.position != position || key.token != value.token) ++m_control->broken;
    return key.token;
  }

  std::shared_ptr<FakeControl> m_control;
  ModelConfig m_config;
  int m_maxBatch;
  std::uint64_t m_weights;
};

/// Collects the events of one request and lets a test wait for its end. Checks their order.
class Collector {
 public:
  EngineSink sink() {
    return [this](const EngineEvent& event) { return take(event); };
  }
  bool take(const EngineEvent& event) {
    std::lock_guard lock(m_mutex);
    if (m_finished) m_problem = "an event after Finished";
    switch (event.kind) {
      case EngineEvent::Kind::Queued:
        queued.push_back(event);
        queuedAt.push_back(std::chrono::steady_clock::now());
        break;
      case EngineEvent::Kind::Started:
        if (started++ > 0) m_problem = "Started twice";
        startedEvent = event;
        startedAt = std::chrono::steady_clock::now();
        break;
      case EngineEvent::Kind::Token:
        if (started == 0) m_problem = "a token before Started";
        tokens.push_back(event.token);
        logprobs.push_back(event.logprob);
        text += event.text;
        break;
      case EngineEvent::Kind::Finished:
        m_finished = true;
        finished = event;
        m_done.notify_all();
        break;
    }
    return stopAfter < 0 || static_cast<int>(tokens.size()) < stopAfter;
  }
  /// False when it does not end within `limit`.
  bool wait(std::chrono::seconds limit = std::chrono::seconds(60)) {
    std::unique_lock lock(m_mutex);
    return m_done.wait_for(lock, limit, [this] { return m_finished; });
  }
  bool done() {
    std::lock_guard lock(m_mutex);
    return m_finished;
  }
  bool hasStarted() {
    std::lock_guard lock(m_mutex);
    return started > 0;
  }
  int tokenCount() {
    std::lock_guard lock(m_mutex);
    return static_cast<int>(tokens.size());
  }
  std::string problem() {
    std::lock_guard lock(m_mutex);
    return m_problem;
  }

  // Read after wait().
  std::vector<EngineEvent> queued;
  std::vector<std::chrono::steady_clock::time_point> queuedAt;
  std::chrono::steady_clock::time_point startedAt;
  int started = 0;
  EngineEvent startedEvent, finished;
  std::vector<TokenId> tokens;
  std::vector<std::optional<TokenLogprob>> logprobs;
  std::string text;
  int stopAfter = -1;  ///< the sink says no from this many tokens on

 private:
  std::mutex m_mutex;
  std::condition_variable m_done;
  bool m_finished = false;
  std::string m_problem;
};

}  // namespace hearth::testing
