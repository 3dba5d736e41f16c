#include <algorithm>
#include <exception>

#include "core/engine/model_loader.h"
#include "core/engine/model_memory.h"
#include "core/engine/speculation/draft_model.h"

namespace hearth {
namespace {

/// Longest text of an encoder, whatever it was trained for: scratch grows with it.
constexpr int kMostEncoderTokens = 8192;

/// An encoder takes a text in one step: it should have room for the longest.
EngineOptions completed(EngineOptions options, const ModelConfig& config) {
  if (config.encoder) options.stepTokens = std::max(options.stepTokens, std::min(config.trainedContext, kMostEncoderTokens));
  return options;
}

/// What sameVocabulary() will find, told from the lists alone: no tokenizer is built. Padding at the end may differ.
Result<void> sameTokens(const GgufFile& target, const GgufFile& draft) {
  const auto* ours = target.strings("tokenizer.ggml.tokens");
  const auto* theirs = draft.strings("tokenizer.ggml.tokens");
  if (ours == nullptr || theirs == nullptr) return fail(ErrorCode::InvalidArgument, "a model has no vocabulary", {{"field", "draft"}});
  const std::size_t common = std::min(ours->size(), theirs->size());
  const auto [mine, other] = std::mismatch(ours->begin(), ours->begin() + static_cast<std::ptrdiff_t>(common), theirs->begin());
  const auto same = static_cast<std::size_t>(mine - ours->begin());
  // Some conversions pad to a round number with names of their own.
  if (same + 1024 >= common && common + 1024 >= std::max(ours->size(), theirs->size()) && same > 0) return {};
  return fail(ErrorCode::InvalidArgument, "the draft model has another vocabulary",
              {{"field", "draft"}, {"token", std::to_string(same)}, {"vocabulary", std::to_string(ours->size())}, {"draft_vocabulary", std::to_string(theirs->size())}});
}

class GgufPrepared final : public ModelLoader::Prepared {
 public:
  GgufPrepared(std::shared_ptr<ThreadPool> pool, std::string id, std::filesystem::path path, EngineOptions options, std::shared_ptr<const GgufFile> file,
               ModelConfig config, std::unique_ptr<Tokenizer> tokenizer)
      : m_pool(std::move(pool)),
        m_id(std::move(id)),
        m_path(std::move(path)),
        m_options(options),
        m_file(std::move(file)),
        m_config(std::move(config)),
        m_tokenizer(std::move(tokenizer)) {
    m_options = completed(m_options, m_config);
  }

  /// A draft model's file, whose vocabulary was found to be the same.
  void addDraft(std::shared_ptr<const GgufFile> file) { m_draftFile = std::move(file); }

  Result<std::uint64_t> neededBytes(std::uint64_t availableBytes) override {
    HEARTH_TRY(const ModelMemory memory, planModelMemory(*m_file, m_config, m_options, m_pool->threadCount(), availableBytes, m_draftFile.get()));
    // The engine is held to this plan: memory that comes free later must not make it outgrow its budget.
    m_options.contextTokens = memory.contextTokens;
    m_options.kvTokens = memory.kvTokens;
    m_loadedBytes = memory.loadedBytes;
    return memory.needed();
  }
  std::uint64_t loadedBytes() const noexcept override { return m_loadedBytes; }

  Result<std::unique_ptr<LoadedModel>> load(const ModelLoader::Hooks& hooks) override {
    auto options = loadOptions();
    options.progress = hooks.progress;
    options.cancelled = hooks.cancelled;
    HEARTH_TRY(auto model, loadModel(m_file, m_pool, options));
    std::unique_ptr<Model> draft;
    if (m_draftFile) {
      options.progress = {};  // small beside the model
      HEARTH_TRY(draft, loadModel(m_draftFile, m_pool, options));
    }
    HEARTH_TRY(auto engine, Engine::create(std::move(model), std::move(m_tokenizer), m_options, m_pool, std::move(draft)));
    auto loaded = std::make_unique<LoadedModel>();
    loaded->id = m_id;
    loaded->path = m_path;
    loaded->file = m_file;
    loaded->engine = std::move(engine);
    if (const auto source = m_file->string("tokenizer.chat_template")) {
      loaded->templateSource = std::string(*source);
      if (auto parsed = ChatTemplate::parse(loaded->templateSource)) {
        loaded->chatTemplate = std::make_shared<const ChatTemplate>(std::move(*parsed));
      } else {
        loaded->templateProblem = parsed.error().describe();
      }
    }
    return loaded;
  }

 private:
  [[nodiscard]] ModelLoadOptions loadOptions() const {
    ModelLoadOptions options;
    options.maxBatchTokens = m_options.stepTokens;
    if (m_options.loadAnyway) options.memoryBudgetBytes = UINT64_MAX;
    return options;
  }

  std::shared_ptr<ThreadPool> m_pool;
  std::string m_id;
  std::filesystem::path m_path;
  EngineOptions m_options;
  std::shared_ptr<const GgufFile> m_file;
  ModelConfig m_config;
  std::unique_ptr<Tokenizer> m_tokenizer;
  std::shared_ptr<const GgufFile> m_draftFile;
  std::uint64_t m_loadedBytes = 0;
};

class GgufLoader final : public ModelLoader {
 public:
  explicit GgufLoader(std::shared_ptr<ThreadPool> pool) : m_pool(std::move(pool)) {}
  Result<ModelMemory> plan(const std::filesystem::path& path, const EngineOptions& options, std::uint64_t availableBytes) const override {
    HEARTH_TRY(const auto file, GgufFile::open(path));
    HEARTH_TRY(const auto config, readModelConfig(file));
    const int threads = options.threads > 0 ? options.threads : m_pool->threadCount();
    if (options.draft.empty()) return planModelMemory(file, config, completed(options, config), threads, availableBytes);
    HEARTH_TRY(const auto draft, GgufFile::open(options.draft));
    HEARTH_CHECK(sameTokens(file, draft));
    return planModelMemory(file, config, completed(options, config), threads, availableBytes, &draft);
  }
  Result<std::unique_ptr<Prepared>> prepare(const std::string& id, const std::filesystem::path& path, const EngineOptions& options) override {
    HEARTH_TRY(auto opened, GgufFile::open(path));
    auto file = std::make_shared<const GgufFile>(std::move(opened));
    HEARTH_TRY(auto config, readModelConfig(*file));
    HEARTH_TRY(auto tokenizer, Tokenizer::fromGguf(*file));
    std::shared_ptr<const GgufFile> draftFile;
    if (!options.draft.empty()) {
      HEARTH_TRY(auto draft, GgufFile::open(options.draft));
      HEARTH_CHECK(readModelConfig(draft));
      HEARTH_TRY(const auto draftTokenizer, Tokenizer::fromGguf(draft));
      HEARTH_CHECK(sameVocabulary(*tokenizer, *draftTokenizer));
      draftFile = std::make_shared<const GgufFile>(std::move(draft));
    }
    auto prepared = std::make_unique<GgufPrepared>(threadsFor(options), id, path, options, std::move(file), std::move(config), std::move(tokenizer));
    if (draftFile) prepared->addDraft(std::move(draftFile));
    return prepared;
  }

 private:
  /// A model that asked for a number of threads has them to itself; the others share the pool's.
  [[nodiscard]] std::shared_ptr<ThreadPool> threadsFor(const EngineOptions& options) const {
    if (options.threads <= 0 || options.threads == m_pool->threadCount()) return m_pool;
    return std::make_shared<ThreadPool>(ThreadPoolOptions{.threads = options.threads});
  }

  std::shared_ptr<ThreadPool> m_pool;
};

}  // namespace

std::unique_ptr<ModelLoader> makeGgufLoader(std::shared_ptr<ThreadPool> pool) {
  return std::make_unique<GgufLoader>(std::move(pool));
}

std::unique_ptr<EnginePool> EnginePool::create(const EnginePoolOptions& options) {
  auto threads = std::make_shared<ThreadPool>(ThreadPoolOptions{.threads = options.threads, .leaveOneCore = options.leaveOneCore});
  auto loader = makeGgufLoader(threads);
  return makeEnginePool(options, std::move(threads), std::move(loader));
}

}  // namespace hearth
