#include "core/engine/engine.h"

#include <algorithm>
#include <exception>
#include <thread>

#include "core/base/platform/platform.h"
#include "core/engine/engine_core.h"
#include "core/engine/sizing.h"

namespace hearth {
namespace {

/// The Engine that callers hold: owns the thread, shares the core with it.
class ThreadedEngine final : public Engine {
 public:
  explicit ThreadedEngine(std::shared_ptr<EngineCore> core) : m_core(std::move(core)), m_thread([shared = m_core] { shared->run(); }) {}
  ~ThreadedEngine() override {
    m_core->stop();
    // The last holder may let go inside a sink, on the engine thread itself, which cannot wait for its own end.
    if (m_thread.get_id() == std::this_thread::get_id()) {
      m_thread.detach();
    } else {
      m_thread.join();
    }
  }

  Result<RequestHandle> submit(EngineRequest request) override { return m_core->submit(std::move(request)); }
  EngineStats stats() const override { return m_core->stats(); }
  const ModelConfig& config() const noexcept override { return m_core->model().config(); }
  const Tokenizer& tokenizer() const noexcept override { return m_core->tokenizer(); }
  int contextTokens() const noexcept override { return m_core->plan().contextTokens; }
  std::uint64_t weightBytes() const noexcept override { return m_core->model().weightBytes() + (m_core->draft() ? m_core->draft()->weightBytes() : 0); }
  std::uint64_t kvBytes() const noexcept override { return m_core->plan().bytes; }
  Result<std::vector<float>> logits(std::span<const TokenId> tokens) override { return m_core->logits(tokens); }

 private:
  std::shared_ptr<EngineCore> m_core;
  std::thread m_thread;
};

}  // namespace

Result<std::shared_ptr<Engine>> Engine::create(std::unique_ptr<Model> model, std::unique_ptr<Tokenizer> tokenizer, const EngineOptions& options,
                                               std::shared_ptr<ThreadPool> pool, std::unique_ptr<Model> draft) {
  if (!model || !tokenizer) return fail(ErrorCode::InvalidArgument, "an engine needs a model and a tokenizer");
  if (model->config().vocabulary <= 0 || model->maxBatchTokens() <= 0)
    return fail(ErrorCode::InvalidArgument, "the model has no vocabulary or takes no tokens", {{"field", "model"}});
  KvShape shape = model->kvShape();
  if (options.kvType) shape.type = *options.kvType;
  HEARTH_TRY(KvPlan plan, planKv(shape, model->config().trainedContext, options, platform::memoryInfo().availableBytes,
                                      draft ? draft->kvShape().bytesPerToken() : 0));
  EngineOptions used = options;
  if (model->config().encoder) {
    // A text goes through in one step, and leaves nothing behind that another one could use.
    plan.contextTokens = std::min({plan.contextTokens, options.stepTokens, model->maxBatchTokens()});
    used.prefixCache = false;
  }
  HEARTH_TRY(auto storage, KvStorage::create(shape, options.pageTokens, plan.pageCount));
  std::unique_ptr<DraftModel> drafting;
  if (draft) {
    const int vocabulary = model->config().vocabulary;
    HEARTH_TRY(drafting, DraftModel::create(std::move(draft), options.pageTokens, plan.pageCount, vocabulary));
  }
  try {
    auto core = std::make_shared<EngineCore>(std::move(model), std::move(tokenizer), std::move(storage), used, plan, std::move(pool),
                                             std::move(drafting));
    return std::make_shared<ThreadedEngine>(std::move(core));
  } catch (const std::exception& problem) {
    return fail(ErrorCode::OutOfMemory, std::string("the engine could not start: ") + problem.what());
  }
}

}  // namespace hearth
