#include "core/engine/sizing.h"

#include <fmt/format.h>

#include <algorithm>

namespace hearth {
namespace {

constexpr int kUsualContext = 8192;
constexpr int kUsualPool = 16384;
/// Below this nobody can hold a conversation: better an error than a useless engine.
constexpr int kLeastContext = 512;
constexpr int kMostTokens = 1 << 28;

Result<void> inRange(std::string_view field, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return {};
  return fail(ErrorCode::InvalidArgument, fmt::format("{} must be {}…{}", field, low, high),
              {{"field", std::string(field)}, {"value", std::to_string(value)}, {"allowed", fmt::format("{}…{}", low, high)}});
}

}  // namespace

Result<KvPlan> planKv(const KvShape& shape, int trainedContext, const EngineOptions& options, std::uint64_t availableBytes, std::uint64_t draftBytesPerToken) {
  HEARTH_CHECK(inRange("page_tokens", options.pageTokens, 1, 256));
  HEARTH_CHECK(inRange("max_sequences", options.maxSequences, 1, 4096));
  HEARTH_CHECK(inRange("max_queued", options.maxQueued, 1, 1 << 20));
  HEARTH_CHECK(inRange("step_tokens", options.stepTokens, 1, 1 << 20));
  const int longest = trainedContext > 0 ? std::min(trainedContext, kMostTokens) : kMostTokens;
  HEARTH_CHECK(inRange("context_tokens", options.contextTokens, 0, longest));
  if (options.contextTokens != 0) HEARTH_CHECK(inRange("context_tokens", options.contextTokens, 2, longest));
  HEARTH_CHECK(inRange("kv_tokens", options.kvTokens, 0, kMostTokens));
  if (options.kvTokens > 0 && options.contextTokens > 0) HEARTH_CHECK(inRange("kv_tokens", options.kvTokens, options.contextTokens, kMostTokens));
  if (!(options.targetInterTokenSeconds > 0)) {
    return fail(ErrorCode::InvalidArgument, "target_inter_token_seconds must be positive",
                {{"field", "target_inter_token_seconds"}, {"value", fmt::format("{}", options.targetInterTokenSeconds)}});
  }
  const std::uint64_t perToken = shape.bytesPerToken() + draftBytesPerToken;
  if (shape.bytesPerToken() == 0) return fail(ErrorCode::InvalidArgument, "the model has no KV cache to page", {{"field", "kv_shape"}});

  // What was not asked for takes at most half of the free memory: the rest is for others, and for what comes later.
  const auto comfortable = static_cast<int>(std::min<std::uint64_t>(availableBytes / 2 / perToken, kMostTokens));
  int context = options.contextTokens;
  if (context == 0) {
    context = std::min(longest, kUsualContext);
    const int bound = options.kvTokens > 0 ? options.kvTokens : std::max(comfortable, std::min(context, kLeastContext));
    context = std::max(2, std::min(context, bound));
  }
  int tokens = options.kvTokens;
  if (tokens == 0) tokens = std::max(context, std::min(std::max(4 * std::min(context, kMostTokens / 4), kUsualPool), comfortable));
  KvPlan plan;
  plan.contextTokens = context;
  plan.pageCount = (tokens + options.pageTokens - 1) / options.pageTokens;
  plan.bytes = static_cast<std::uint64_t>(plan.pageCount) * static_cast<std::uint64_t>(options.pageTokens) * perToken;
  if (plan.bytes > availableBytes && !options.loadAnyway) {
    return std::unexpected(Error{ErrorCode::OutOfMemory, "the KV cache does not fit into memory", {}}
                               .with("needed_bytes", plan.bytes)
                               .with("available_bytes", availableBytes)
                               .with("kv_tokens", static_cast<std::uint64_t>(tokens)));
  }
  return plan;
}

}  // namespace hearth
