#include <algorithm>
#include <exception>

#include "core/engine/model_loader.h"
#include "core/engine/sizing.h"
#include "core/engine/speculation/draft_model.h"

namespace hearth {
namespace {

/// Longest text of an encoder, whatever it was trained for: scratch grows with it.
constexpr int kMostEncoderTokens = 8192;

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
    // An encoder takes a text in one step: it should have room for the longest.
    if (m_config.encoder) m_options.stepTokens = std::max(m_options.stepTokens, std::min(m_config.trainedContext, kMostEncoderTokens));
  }

  /// A draft model's file, whose vocabulary was found to be the same.
  void addDraft(std::shared_ptr<const GgufFile> file, const ModelConfig& config) {
    m_draftFile = std::move(file);
    m_draftKvBytes = kvShapeOf(config).bytesPerToken();
  }

  Result<std::uint64_t> neededBytes(std::uint64_t availableBytes) override {
    HEARTH_TRY(std::uint64_t model, estimateModelBytes(*m_file, loadOptions()));
    if (m_draftFile) {
      HEARTH_TRY(const std::uint64_t draft, estimateModelBytes(*m_draftFile, loadOptions()));
      model += draft;
    }
    if (model >= availableBytes) {
      return std::unexpected(Error{ErrorCode::OutOfMemory, "the model does not fit into memory", {}}
                                 .with("needed_bytes", model)
                                 .with("available_bytes", availableBytes));
    }
    const KvShape shape = kvShapeOf(m_config, m_options.kvType.value_or(kernels::KvType::F16));
    HEARTH_TRY(const KvPlan kv, planKv(shape, m_config.trainedContext, m_options, availableBytes - model, m_draftKvBytes));
    // The engine is held to this plan: memory that comes free later must not make it outgrow its budget.
    m_options.contextTokens = kv.contextTokens;
    m_options.kvTokens = kv.pageCount * m_options.pageTokens;
    return model + kv.bytes;
  }

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
  std::uint64_t m_draftKvBytes = 0;  // per token
};

class GgufLoader final : public ModelLoader {
 public:
  explicit GgufLoader(std::shared_ptr<ThreadPool> pool) : m_pool(std::move(pool)) {}
  Result<std::unique_ptr<Prepared>> prepare(const std::string& id, const std::filesystem::path& path, const EngineOptions& options) override {
    HEARTH_TRY(auto opened, GgufFile::open(path));
    auto file = std::make_shared<const GgufFile>(std::move(opened));
    HEARTH_TRY(auto config, readModelConfig(*file));
    HEARTH_TRY(auto tokenizer, Tokenizer::fromGguf(*file));
    std::shared_ptr<const GgufFile> draftFile;
    ModelConfig draftConfig;
    if (!options.draft.empty()) {
      HEARTH_TRY(auto draft, GgufFile::open(options.draft));
      HEARTH_TRY(draftConfig, readModelConfig(draft));
      HEARTH_TRY(const auto draftTokenizer, Tokenizer::fromGguf(draft));
      HEARTH_CHECK(sameVocabulary(*tokenizer, *draftTokenizer));
      draftFile = std::make_shared<const GgufFile>(std::move(draft));
    }
    auto prepared = std::make_unique<GgufPrepared>(m_pool, id, path, options, std::move(file), std::move(config), std::move(tokenizer));
    if (draftFile) prepared->addDraft(std::move(draftFile), draftConfig);
    return prepared;
  }

 private:
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
