#include "core/engine/model_memory.h"

#include <algorithm>
#include <cmath>

#include "core/engine/sizing.h"
#include "core/models/model_bytes.h"
#include "core/text/tokenizer_bytes.h"

namespace hearth {
namespace {

/// A page's entry in the books with its tokens and its places in the cache's indexes (PageManager).
constexpr std::uint64_t kPageBook = 200;
/// Rows of logits beyond one for each sequence that a step holds: guesses that are checked.
constexpr std::uint64_t kGuessedRows = 4;
/// Sequences that the logits are reckoned for: more may run, but seldom sample in one step for long.
constexpr int kUsualSequences = 4;
/// Candidates of a sampler: token and logit.
constexpr std::uint64_t kCandidate = 8;
/// What the system maps around a touched page of a file that it has in memory.
constexpr double kMappedAround = 64 << 10;
/// What an engine keeps however small its model is: stacks of its threads, queues.
constexpr std::uint64_t kEngineItself = 1ULL << 20U;

/// The part of a table that `tokens` rows bring into memory, wherever they lie.
std::uint64_t touched(std::uint64_t table, int tokens) {
  if (table == 0) return 0;
  const double whole = static_cast<double>(table);
  return static_cast<std::uint64_t>(whole * (1 - std::exp(-tokens * kMappedAround / whole)));
}

}  // namespace

std::uint64_t corrected(std::uint64_t bytes, std::int64_t correction) noexcept {
  if (correction >= 0) return bytes + static_cast<std::uint64_t>(correction);
  return bytes - std::min(bytes, static_cast<std::uint64_t>(-correction));
}

std::uint64_t ModelMemory::needed() const noexcept { return corrected(cpu.needed(), correction); }
std::uint64_t ModelMemory::filled() const noexcept { return corrected(cpu.sum(), correction); }
std::uint64_t ModelMemory::loaded() const noexcept { return corrected(loadedBytes, correction); }

Result<ModelMemory> planModelMemory(const GgufFile& file, const ModelConfig& config, const EngineOptions& options, int threads,
                                    std::uint64_t availableBytes, const GgufFile* draft) {
  ModelLoadOptions load;
  load.maxBatchTokens = options.stepTokens;
  HEARTH_TRY(const ModelBytes model, planModelBytes(file, load));
  ModelMemory memory;
  MemoryParts& cpu = memory.cpu;
  const auto workers = static_cast<std::uint64_t>(std::max(1, threads));
  cpu.weights = model.weights;
  cpu.compute = model.work + workers * model.threadWork;
  cpu.tables = tokenizerBytes(file) + kEngineItself;
  std::uint64_t draftPerToken = 0, draftLookups = 0;
  if (draft != nullptr) {
    HEARTH_TRY(const ModelConfig draftConfig, readModelConfig(*draft));
    HEARTH_TRY(const ModelBytes bytes, planModelBytes(*draft, load));
    cpu.weights += bytes.weights;
    cpu.compute += bytes.work + workers * bytes.threadWork;
    draftLookups = bytes.lookups;
    draftPerToken = kvShapeOf(draftConfig).bytesPerToken();
  }
  memory.loadedBytes = cpu.weights + cpu.tables + workers * model.threadWork;
  const auto vocabulary = static_cast<std::uint64_t>(config.vocabulary);
  if (!config.encoder) {
    const auto rows = static_cast<std::uint64_t>(std::min(options.maxSequences, kUsualSequences)) + kGuessedRows;
    cpu.compute += rows * vocabulary * sizeof(float) + workers * vocabulary * kCandidate;
  }
  memory.kvType = options.kvType.value_or(kernels::KvType::F16);
  memory.trainedContext = config.trainedContext;
  EngineOptions sized = options;
  sized.loadAnyway = true;  // what does not fit is told by who compares
  const std::uint64_t room = availableBytes - std::min(availableBytes, cpu.needed());
  HEARTH_TRY(const KvPlan kv, planKv(kvShapeOf(config, memory.kvType), config.trainedContext, sized, room, draftPerToken));
  memory.contextTokens = kv.contextTokens;
  memory.kvTokens = kv.pageCount * options.pageTokens;
  cpu.kv = kv.bytes;
  cpu.mapped = touched(model.lookups, memory.kvTokens) + touched(draftLookups, memory.kvTokens);
  const std::uint64_t books = static_cast<std::uint64_t>(kv.pageCount) * kPageBook;
  cpu.tables += books;
  return memory;
}

}  // namespace hearth
