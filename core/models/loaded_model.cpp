#include <fmt/format.h>

#include <new>
#include <utility>

#include "core/base/platform/platform.h"
#include "core/compute/device.h"
#include "core/models/model_bytes.h"
#include "core/models/registry.h"

namespace hearth {
namespace {

using models::Family;
using models::Hyperparameters;

constexpr int kMostBatchTokens = 1 << 16;

/// The one Model: a family's forward pass on a device. Owns the device's weights and keeps the file mapped (the token
/// embedding is read from it).
class LoadedModel final : public Model {
 public:
  LoadedModel(std::shared_ptr<const GgufFile> file, Hyperparameters parameters, std::unique_ptr<Family> family,
              std::unique_ptr<DeviceModel> device, bool exact, int maxBatchTokens)
      : m_file(std::move(file)),
        m_parameters(std::move(parameters)),
        m_family(std::move(family)),
        m_device(std::move(device)),
        m_exact(exact),
        m_maxBatchTokens(maxBatchTokens) {}

  const ModelConfig& config() const noexcept override { return m_parameters.config; }
  KvShape kvShape() const noexcept override {
    return kvShapeOf(m_parameters.config, m_exact ? kernels::KvType::F32 : kernels::KvType::F16);
  }
  std::uint64_t weightBytes() const noexcept override { return m_device->weightBytes(); }
  int maxBatchTokens() const noexcept override { return m_maxBatchTokens; }

  Result<void> forward(const Batch& batch, KvStorage& kv, std::span<float> logits) override {
    HEARTH_CHECK(validate(batch, kv, logits));
    try {
      Ops& ops = m_device->beginStep(batch, kv, logits);
      m_family->forward(ops);
    } catch (const std::bad_alloc&) {
      (void)m_device->endStep();
      return fail(ErrorCode::OutOfMemory, "no memory for the working space of a step");
    }
    return m_device->endStep();
  }

 private:
  // Everything that the compute rooms index with was made by a caller: checked here, once, and nowhere below.
  Result<void> validate(const Batch& batch, const KvStorage& kv, std::span<const float> logits) const;

  std::shared_ptr<const GgufFile> m_file;
  Hyperparameters m_parameters;
  std::unique_ptr<Family> m_family;
  std::unique_ptr<DeviceModel> m_device;
  bool m_exact;
  int m_maxBatchTokens;
};

std::unexpected<Error> invalid(std::string message, std::vector<Evidence> evidence = {}) {
  return fail(ErrorCode::InvalidArgument, std::move(message), std::move(evidence));
}

Result<void> LoadedModel::validate(const Batch& batch, const KvStorage& kv, std::span<const float> logits) const {
  const ModelConfig& c = m_parameters.config;
  const KvShape& shape = kv.shape();
  if (shape.layers != kvShape().layers || shape.kvHeads != c.kvHeads || shape.headDim != c.headDim) {
    return invalid("the KV cache was made for a model of another shape");
  }
  const std::size_t count = batch.tokens.size();
  if (count == 0 || count > static_cast<std::size_t>(m_maxBatchTokens)) {
    return invalid("a step takes between one token and the limit",
                   {{"tokens", std::to_string(count)}, {"limit", std::to_string(m_maxBatchTokens)}});
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (batch.tokens[i] < 0 || batch.tokens[i] >= c.vocabulary) {
      return invalid("a token is outside the vocabulary", {{"token", std::to_string(batch.tokens[i])},
                                                           {"index", std::to_string(i)},
                                                           {"vocabulary", std::to_string(c.vocabulary)}});
    }
  }
  std::int64_t next = 0;
  const std::int64_t pageTokens = kv.pageTokens();
  for (const SequenceSlice& sequence : batch.sequences) {
    const std::int64_t length = static_cast<std::int64_t>(sequence.pastLength) + sequence.tokenCount;
    if (sequence.tokenBegin != next || sequence.tokenCount < 1 || sequence.pastLength < 0 ||
        length > INT32_MAX - pageTokens) {
      return invalid(
          "the sequences do not cover the batch's tokens in order",
          {{"token_begin", std::to_string(sequence.tokenBegin)}, {"token_count", std::to_string(sequence.tokenCount)}});
    }
    next += sequence.tokenCount;
    if (c.encoder && (sequence.pastLength != 0 || sequence.tokenCount > c.trainedContext)) {
      return invalid("an encoder takes a text whole, and no longer than it was trained for",
                     {{"past_length", std::to_string(sequence.pastLength)}, {"token_count", std::to_string(sequence.tokenCount)}});
    }
    const std::int64_t pages = (length + pageTokens - 1) / pageTokens;
    if (static_cast<std::int64_t>(sequence.blockTable.size()) < pages) {
      return invalid("a block table is too short",
                     {{"pages_needed", std::to_string(pages)}, {"pages", std::to_string(sequence.blockTable.size())}});
    }
    for (const PageId page : sequence.blockTable.first(static_cast<std::size_t>(pages))) {
      if (page < 0 || page >= kv.pageCount()) {
        return invalid("a block table names a page that does not exist",
                       {{"page", std::to_string(page)}, {"pages", std::to_string(kv.pageCount())}});
      }
    }
  }
  if (next != static_cast<std::int64_t>(count)) return invalid("the sequences do not cover the batch's tokens in order");
  for (const auto& wanted : {batch.logitRows, batch.hiddenRows}) {
    std::int64_t before = -1;
    for (const std::int32_t row : wanted) {
      if (row <= before || row >= static_cast<std::int64_t>(count)) {
        return invalid("logit rows and hidden rows must ascend within the batch", {{"row", std::to_string(row)}});
      }
      before = row;
    }
  }
  if (c.encoder && !batch.logitRows.empty()) return invalid("an encoder gives no logits");
  if (batch.hidden.size() < batch.hiddenRows.size() * static_cast<std::size_t>(c.embedding))
    return invalid("the hidden states do not fit their buffer");
  if (logits.size() < batch.logitRows.size() * static_cast<std::size_t>(c.vocabulary))
    return invalid("the logits do not fit their buffer");
  if (!m_file->unchanged()) return fail(ErrorCode::Corrupt, "the model's file was changed on disk while it is loaded");
  return {};
}

struct Planned {
  Hyperparameters parameters;
  ModelPlan plan;
  std::unique_ptr<Family> family;
};

Result<Planned> planModel(const GgufFile& file, const ModelLoadOptions& options) {
  if (options.maxBatchTokens < 1 || options.maxBatchTokens > kMostBatchTokens) {
    return invalid("the largest batch is out of range", {{"max_batch_tokens", std::to_string(options.maxBatchTokens)}});
  }
  HEARTH_TRY(const models::Architecture* architecture, models::findArchitecture(file));
  HEARTH_TRY(Hyperparameters parameters, models::readHyperparameters(file, architecture->experts, architecture->direction));
  ModelPlan plan(file, options.maxBatchTokens);
  HEARTH_TRY(auto family, architecture->make(parameters, plan));
  return Planned{std::move(parameters), std::move(plan), std::move(family)};
}

}  // namespace

Result<ModelBytes> planModelBytes(const GgufFile& file, const ModelLoadOptions& options) {
  HEARTH_TRY(const Planned planned, planModel(file, options));
  const CpuPlanBytes bytes = cpuPlanBytes(planned.plan, kernels::chooseKernels(), options.exact);
  return ModelBytes{bytes.weights, bytes.work, bytes.threadWork, bytes.lookups};
}

Result<std::uint64_t> estimateModelBytes(const GgufFile& file, const ModelLoadOptions& options) {
  HEARTH_TRY(const ModelBytes bytes, planModelBytes(file, options));
  return bytes.weights + bytes.work;
}

Result<std::unique_ptr<Model>> loadModel(std::shared_ptr<const GgufFile> file, std::shared_ptr<ThreadPool> pool,
                                         const ModelLoadOptions& options) {
  if (file == nullptr || pool == nullptr) return invalid("loading needs a file and a thread pool");
  HEARTH_TRY(Planned planned, planModel(*file, options));
  const auto device = makeCpuDevice(std::move(pool), kernels::chooseKernels());
  const std::uint64_t needed = device->planBytes(planned.plan, options.exact);
  const std::uint64_t available =
      options.memoryBudgetBytes != 0 ? options.memoryBudgetBytes : platform::memoryInfo().availableBytes;
  if (needed > available) {
    return fail(Error{ErrorCode::OutOfMemory, "the model does not fit into memory", {}}
                    .with("needed_bytes", needed)
                    .with("available_bytes", available));
  }
  try {
    HEARTH_TRY(auto weights, device->load(planned.plan, {options.progress, options.cancelled, options.exact}));
    return std::make_unique<LoadedModel>(std::move(file), std::move(planned.parameters), std::move(planned.family),
                                         std::move(weights), options.exact, options.maxBatchTokens);
  } catch (const std::bad_alloc&) {
    return fail(Error{ErrorCode::OutOfMemory, "the model does not fit into memory", {}}.with("needed_bytes", needed));
  }
}

}  // namespace hearth
