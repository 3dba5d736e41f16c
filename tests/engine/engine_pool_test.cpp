#include "core/engine/engine_pool.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "core/engine/model_loader.h"
#include "tests/engine/fake_model.h"

namespace hearth {
namespace {

using testing::Collector;
using testing::FakeControl;
using testing::FakeModel;
using testing::FakeTokenizer;
using std::chrono::milliseconds;

/// Loads fake models. The file name is the recipe: "300" takes 300 bytes; "broken" cannot be opened; "weak" fails while loading.
struct LoaderControl {
  std::atomic<int> loads{0}, alive{0}, mostAlive{0};
  std::atomic<int> loadMilliseconds{0};
  std::atomic<std::uint64_t> memory{1'000'000'000};
  EngineOptions lastOptions;  ///< of the last prepare(); read it when that load is done
  std::shared_ptr<FakeControl> model = std::make_shared<FakeControl>();
};

class CountedModel final : public Model {
 public:
  CountedModel(std::shared_ptr<LoaderControl> control, std::uint64_t weights) : m_control(std::move(control)), m_inner(m_control->model, 4096, 512, weights) {
    const int now = ++m_control->alive;
    if (now > m_control->mostAlive) m_control->mostAlive = now;
  }
  ~CountedModel() override { --m_control->alive; }
  const ModelConfig& config() const noexcept override { return m_inner.config(); }
  KvShape kvShape() const noexcept override { return m_inner.kvShape(); }
  std::uint64_t weightBytes() const noexcept override { return m_inner.weightBytes(); }
  int maxBatchTokens() const noexcept override { return m_inner.maxBatchTokens(); }
  Result<void> forward(const Batch& batch, KvStorage& kv, std::span<float> logits) override { return m_inner.forward(batch, kv, logits); }

 private:
  std::shared_ptr<LoaderControl> m_control;
  FakeModel m_inner;
};

class FakePrepared final : public ModelLoader::Prepared {
 public:
  FakePrepared(std::shared_ptr<LoaderControl> control, std::string id, std::filesystem::path path) : m_control(std::move(control)), m_id(std::move(id)), m_path(std::move(path)) {}
  Result<std::uint64_t> neededBytes(std::uint64_t) override { return bytes(); }
  Result<std::unique_ptr<LoadedModel>> load(const ModelLoader::Hooks& hooks) override {
    ++m_control->loads;
    const int total = m_control->loadMilliseconds;
    for (int i = 0; i <= total; ++i) {
      if (hooks.cancelled()) return fail(ErrorCode::Cancelled, "cancelled");
      hooks.progress(total == 0 ? 1.0 : static_cast<double>(i) / total);
      if (i < total) std::this_thread::sleep_for(milliseconds(1));
    }
    if (m_path == "weak") return fail(ErrorCode::Corrupt, "a tensor is missing");
    EngineOptions options;
    options.contextTokens = 512;
    options.kvTokens = 1024;
    HEARTH_TRY(auto engine, Engine::create(std::make_unique<CountedModel>(m_control, bytes()), std::make_unique<FakeTokenizer>(), options));
    auto loaded = std::make_unique<LoadedModel>();
    loaded->id = m_id;
    loaded->path = m_path;
    loaded->engine = std::move(engine);
    return loaded;
  }

 private:
  [[nodiscard]] std::uint64_t bytes() const { return m_path == "weak" ? 100 : std::stoull(m_path.string()); }
  std::shared_ptr<LoaderControl> m_control;
  std::string m_id;
  std::filesystem::path m_path;
};

class FakeLoader final : public ModelLoader {
 public:
  explicit FakeLoader(std::shared_ptr<LoaderControl> control) : m_control(std::move(control)) {}
  Result<ModelMemory> plan(const std::filesystem::path& path, const EngineOptions& options, std::uint64_t) const override {
    if (path == "broken") return fail(ErrorCode::WrongMagic, "not a model");
    ModelMemory memory;
    memory.cpu.weights = std::stoull(path.string());
    memory.contextTokens = options.contextTokens;
    return memory;
  }
  Result<std::unique_ptr<Prepared>> prepare(const std::string& id, const std::filesystem::path& path, const EngineOptions& options) override {
    if (path == "broken") return fail(ErrorCode::WrongMagic, "not a model");
    m_control->lastOptions = options;
    return std::make_unique<FakePrepared>(m_control, id, path);
  }

 private:
  std::shared_ptr<LoaderControl> m_control;
};

struct Bench {
  explicit Bench(std::uint64_t budget = 1000, milliseconds keepAlive = milliseconds(-1)) {
    EnginePoolOptions options;
    options.memoryBudgetBytes = budget;
    options.keepAlive = keepAlive;
    options.availableBytes = [control = control] { return control->memory.load(); };
    pool = makeEnginePool(options, std::make_shared<ThreadPool>(ThreadPoolOptions{2}), std::make_unique<FakeLoader>(control));
  }
  ~Bench() {
    pool.reset();
    EXPECT_EQ(control->alive, 0) << "a model was leaked";
    EXPECT_EQ(control->model->broken, 0);
  }
  Result<LoadedModelPtr> load(const std::string& id, const std::string& path) { return pool->load(id, path, {}); }
  ModelStatus status(const std::string& id) const {
    for (auto& status : pool->statuses()) {
      if (status.id == id) return status;
    }
    return {};
  }
  void waitUntil(const std::function<bool()>& condition) const {
    for (int i = 0; i < 10'000 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(1));
    EXPECT_TRUE(condition());
  }
  std::shared_ptr<LoaderControl> control = std::make_shared<LoaderControl>();
  std::unique_ptr<EnginePool> pool;
};

/// Runs one short request on a model that the caller holds.
std::vector<TokenId> ask(const LoadedModelPtr& model, Collector& collector, int tokens = 5) {
  EngineRequest request;
  request.prompt = {1, 2, 3};
  request.sampling.temperature = 0;
  request.maxTokens = tokens;
  request.ignoreEnd = true;
  request.sink = collector.sink();
  EXPECT_TRUE(model->engine->submit(std::move(request)));
  EXPECT_TRUE(collector.wait());
  return collector.tokens;
}

TEST(EnginePool, LoadsOnceAndShares) {
  Bench bench;
  bench.control->loadMilliseconds = 50;
  std::atomic<int> answers{0};
  std::set<const LoadedModel*> models;
  std::mutex mutex;
  for (int i = 0; i < 5; ++i) {
    bench.pool->acquire("a", "300", {}, [&](Result<LoadedModelPtr> result) {
      std::lock_guard lock(mutex);
      models.insert(result ? result->get() : nullptr);
      ++answers;
    });
  }
  EXPECT_EQ(bench.pool->find("a"), nullptr) << "not Ready yet";
  EXPECT_EQ(bench.status("a").state, ModelState::Loading);
  const auto last = bench.load("a", "300");
  ASSERT_TRUE(last);
  bench.waitUntil([&] { return answers == 5; });
  EXPECT_EQ(models, std::set<const LoadedModel*>{last->get()});
  EXPECT_EQ(bench.control->loads, 1);
  EXPECT_EQ(bench.pool->find("a"), *last);
  EXPECT_EQ(bench.status("a").state, ModelState::Ready);
  EXPECT_EQ(bench.status("a").weightBytes, 300U);
  EXPECT_EQ((*last)->id, "a");
  bool inlineAnswer = false;
  bench.pool->acquire("a", "300", {}, [&](Result<LoadedModelPtr> result) { inlineAnswer = result.has_value(); });
  EXPECT_TRUE(inlineAnswer) << "a loaded model is handed out at once";
  Collector collector;
  EXPECT_EQ(ask(*last, collector).size(), 5U);
  EXPECT_EQ(bench.pool->totals().generatedTokens, 5U);
}

TEST(EnginePool, ReportsWhyALoadFailed) {
  Bench bench;
  EXPECT_EQ(bench.load("x", "broken").error().code, ErrorCode::WrongMagic);
  EXPECT_EQ(bench.status("x").state, ModelState::Failed);
  ASSERT_TRUE(bench.status("x").error);
  EXPECT_EQ(bench.status("x").error->code, ErrorCode::WrongMagic);
  EXPECT_EQ(bench.load("y", "weak").error().code, ErrorCode::Corrupt);
  EXPECT_EQ(bench.pool->find("x"), nullptr);
  EXPECT_TRUE(bench.load("x", "10")) << "it may be tried again";
  EXPECT_FALSE(bench.status("x").error);
}

TEST(EnginePool, UnloadWaitsForTheLastHolder) {
  Bench bench;
  auto first = *bench.load("a", "300");
  auto second = bench.pool->find("a");
  ASSERT_TRUE(bench.pool->unload("a"));
  EXPECT_EQ(bench.pool->find("a"), nullptr);
  EXPECT_EQ(bench.status("a").state, ModelState::Unloading);
  EXPECT_EQ(bench.pool->unload("a").error().code, ErrorCode::ModelNotLoaded);
  first.reset();
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(bench.control->alive, 1);
  Collector collector;
  EXPECT_EQ(ask(second, collector).size(), 5U) << "a holder may finish its work";
  second.reset();
  bench.waitUntil([&] { return bench.control->alive == 0; });
  bench.waitUntil([&] { return bench.status("a").state == ModelState::Unloaded; });
  EXPECT_EQ(bench.pool->totals().generatedTokens, 5U) << "counters only grow";
  EXPECT_EQ(bench.pool->unload("never").error().code, ErrorCode::ModelNotLoaded);
}

TEST(EnginePool, UnloadCancelsALoadAndAnotherMayFollow) {
  Bench bench;
  bench.control->loadMilliseconds = 3000;
  std::atomic<int> cancelled{0};
  bench.pool->acquire("a", "300", {}, [&](Result<LoadedModelPtr> result) { cancelled += !result && result.error().code == ErrorCode::Cancelled ? 1 : 100; });
  bench.waitUntil([&] { return bench.control->loads == 1; });
  ASSERT_TRUE(bench.pool->unload("a"));
  bench.control->loadMilliseconds = 0;
  const auto again = bench.load("a", "300");  // perhaps before the loader has noticed
  EXPECT_TRUE(again);
  EXPECT_EQ(cancelled, 1);
  EXPECT_EQ(bench.status("a").state, ModelState::Ready);
}

TEST(EnginePool, EvictsTheLeastRecentlyUsedThatIsIdle) {
  Bench bench(1000);
  ASSERT_TRUE(bench.load("a", "300"));
  ASSERT_TRUE(bench.load("b", "300"));
  ASSERT_TRUE(bench.load("c", "300"));
  bench.pool->find("a");  // b is the oldest now
  ASSERT_TRUE(bench.load("d", "300"));
  EXPECT_EQ(bench.status("b").state, ModelState::Unloaded);
  EXPECT_EQ(bench.control->alive, 3);
  EXPECT_LE(bench.control->mostAlive, 3) << "room is made before the load";
  const auto held = bench.pool->find("a");
  bench.pool->pin("c", true);
  ASSERT_TRUE(bench.load("e", "400"));
  EXPECT_EQ(bench.status("a").state, ModelState::Ready) << "held";
  EXPECT_EQ(bench.status("c").state, ModelState::Ready) << "pinned";
  EXPECT_EQ(bench.status("d").state, ModelState::Unloaded);
}

TEST(EnginePool, WhatCannotFitLeavesTheOthersAlone) {
  Bench bench(1000);
  ASSERT_TRUE(bench.load("a", "300"));
  const auto held = *bench.load("b", "300");
  const auto large = bench.load("huge", "1001");
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, ErrorCode::OutOfMemory);
  EXPECT_EQ(large.error().find("needed_bytes"), "1001");
  EXPECT_EQ(large.error().find("available_bytes"), "700");
  EXPECT_EQ(bench.load("big", "701").error().code, ErrorCode::OutOfMemory) << "b is in use";
  EXPECT_EQ(bench.status("a").state, ModelState::Ready);
  EXPECT_EQ(bench.control->loads, 2) << "refused before loading";
  EXPECT_TRUE(bench.load("fits", "700"));
  EXPECT_EQ(bench.status("a").state, ModelState::Unloaded);
}

TEST(EnginePool, TheMachinesMemoryCountsToo) {
  Bench bench(1'000'000);
  bench.control->memory = 500;
  ASSERT_TRUE(bench.load("a", "400"));
  bench.control->memory = 100;
  const auto large = bench.load("b", "501");
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, ErrorCode::OutOfMemory);
  EXPECT_EQ(large.error().find("available_bytes"), "500") << "100 free and 400 that could be";
  EXPECT_EQ(bench.status("a").state, ModelState::Ready) << "the old model is kept";
  EXPECT_TRUE(bench.load("c", "450"));
  EXPECT_EQ(bench.status("a").state, ModelState::Unloaded);
}

TEST(EnginePool, WaitsForMemoryThatAHolderIsAboutToFree) {
  Bench bench(1000);
  auto held = *bench.load("a", "600");
  ASSERT_TRUE(bench.pool->unload("a"));
  std::thread holder([&] {
    std::this_thread::sleep_for(milliseconds(100));
    held.reset();
  });
  EXPECT_TRUE(bench.load("b", "600"));
  EXPECT_EQ(bench.control->mostAlive, 1);
  holder.join();
}

TEST(EnginePool, KeepAliveUnloadsWhatIsIdle) {
  Bench bench(1000, milliseconds(150));
  auto held = *bench.load("held", "100");
  ASSERT_TRUE(bench.load("idle", "100"));
  ASSERT_TRUE(bench.load("pinned", "100"));
  bench.pool->pin("pinned", true);
  EXPECT_LT(bench.status("held").unloadsInSeconds, 0);
  EXPECT_GE(bench.status("idle").unloadsInSeconds, 0);
  EXPECT_LE(bench.status("idle").unloadsInSeconds, 0.15);
  bench.waitUntil([&] { return bench.status("idle").state == ModelState::Unloaded; });
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_EQ(bench.status("held").state, ModelState::Ready);
  EXPECT_EQ(bench.status("pinned").state, ModelState::Ready);
  held.reset();
  EXPECT_GT(bench.status("held").unloadsInSeconds, 0);
  bench.waitUntil([&] { return bench.status("held").state == ModelState::Unloaded; });
  bench.pool->pin("pinned", false);
  bench.waitUntil([&] { return bench.status("pinned").state == ModelState::Unloaded; });
}

TEST(EnginePool, AModelMayBeKeptLongerOrShorterThanTheOthers) {
  Bench bench(1000, milliseconds(100));
  ASSERT_TRUE(bench.load("usual", "100"));
  ASSERT_TRUE(bench.load("forever", "100"));
  bench.pool->keepFor("forever", milliseconds(-1));
  EXPECT_LT(bench.status("forever").unloadsInSeconds, 0);
  bench.waitUntil([&] { return bench.status("usual").state == ModelState::Unloaded; });
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(bench.status("forever").state, ModelState::Ready);
  auto held = *bench.load("forever", "100");
  bench.pool->keepFor("forever", milliseconds(0));
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(bench.status("forever").state, ModelState::Ready) << "not while it is used";
  held.reset();
  bench.waitUntil([&] { return bench.status("forever").state == ModelState::Unloaded; });
  // The next load starts anew with the pool's own time.
  ASSERT_TRUE(bench.load("forever", "100"));
  EXPECT_GT(bench.status("forever").unloadsInSeconds, 0);
}

TEST(EnginePool, ListenersHearEveryChangeAndLittleProgress) {
  Bench bench;
  bench.control->loadMilliseconds = 300;
  std::mutex mutex;
  std::vector<ModelStatus> heard;
  std::atomic<int> removed{0};
  const int id = bench.pool->addListener([&](const ModelStatus& status) {
    std::lock_guard lock(mutex);
    heard.push_back(status);
  });
  int self = 0;
  self = bench.pool->addListener([&](const ModelStatus&) {
    ++removed;
    bench.pool->removeListener(self);
  });
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(bench.load("a", "300"));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  ASSERT_TRUE(bench.pool->unload("a"));
  bench.waitUntil([&] {
    std::lock_guard lock(mutex);
    return !heard.empty() && heard.back().state == ModelState::Unloaded;
  });
  bench.pool->removeListener(id);
  std::vector<ModelState> states;
  std::size_t progress = 0;
  for (const auto& status : heard) {
    if (states.empty() || states.back() != status.state) states.push_back(status.state);
    progress += status.state == ModelState::Loading && status.progress > 0 ? 1 : 0;
  }
  EXPECT_EQ(states, (std::vector<ModelState>{ModelState::Loading, ModelState::Ready, ModelState::Unloading, ModelState::Unloaded}));
  EXPECT_GE(progress, 2U);
  EXPECT_LE(static_cast<double>(progress), seconds * 20 + 2) << "at most 20 a second";
  EXPECT_EQ(removed, 1);
  const auto before = heard.size();
  ASSERT_TRUE(bench.load("b", "100"));
  EXPECT_EQ(heard.size(), before);
}

TEST(EnginePool, DestructionAnswersEveryWaiter) {
  auto control = std::make_shared<LoaderControl>();
  std::atomic<int> answers{0}, shuttingDown{0};
  LoadedModelPtr held;
  {
    Bench bench;
    control = bench.control;
    held = *bench.load("held", "100");
    control->loadMilliseconds = 5000;
    for (const char* id : {"a", "b", "c"}) {
      bench.pool->acquire(id, "100", {}, [&](Result<LoadedModelPtr> result) {
        ++answers;
        shuttingDown += !result && result.error().code == ErrorCode::ShuttingDown ? 1 : 0;
      });
    }
    bench.waitUntil([&] { return control->loads == 2; });
    bench.pool.reset();
    EXPECT_EQ(answers, 3);
    EXPECT_EQ(shuttingDown, 3);
    Collector collector;
    EXPECT_EQ(ask(held, collector).size(), 5U) << "what is held outlives the pool";
    held.reset();
  }
  EXPECT_EQ(control->alive, 0);
}

/// Threads ask, unload and reload all the time: no request is lost, none gets a wrong answer, nothing leaks.
TEST(EnginePool, APlanNamesWhatWouldGoAndTouchesNothing) {
  Bench bench(1000);
  ASSERT_TRUE(bench.load("old", "300"));
  ASSERT_TRUE(bench.load("new", "300"));
  auto plan = bench.pool->plan("third", "300", {});
  ASSERT_TRUE(plan) << plan.error().describe();
  EXPECT_TRUE(plan->fits());
  EXPECT_TRUE(plan->unloads.empty());
  plan = bench.pool->plan("third", "500", {});
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->fits());
  ASSERT_EQ(plan->unloads.size(), 1U);
  EXPECT_EQ(plan->unloads[0].id, "old");
  EXPECT_EQ(plan->devices[0].freedBytes, 300U);
  bench.pool->pin("old", true);
  plan = bench.pool->plan("third", "700", {});
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->unloads.size(), 1U);
  EXPECT_EQ(plan->unloads[0].id, "new") << "a pinned model stays";
  plan = bench.pool->plan("third", "800", {});
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->fits());
  EXPECT_TRUE(plan->overBudget);
  EXPECT_EQ(plan->budgetLeft, 700U);
  EXPECT_TRUE(plan->unloads.empty()) << "nothing goes where it would not help";
  plan = bench.pool->plan("new", "700", {});
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->fits()) << "it takes the place of itself";
  EXPECT_EQ(plan->devices[0].freedBytes, 300U);
  EXPECT_EQ(bench.status("old").state, ModelState::Ready);
  EXPECT_EQ(bench.status("new").state, ModelState::Ready);
  EXPECT_EQ(bench.control->loads, 2);
  EXPECT_EQ(bench.pool->plan("third", "broken", {}).error().code, ErrorCode::WrongMagic);
}

TEST(EnginePool, LoadAnywayGoesPastTheBudget) {
  Bench bench(1000);
  ASSERT_TRUE(bench.load("other", "300"));
  EXPECT_EQ(bench.load("large", "2000").error().code, ErrorCode::OutOfMemory);
  EXPECT_EQ(bench.status("other").state, ModelState::Ready);
  EngineOptions anyway;
  anyway.loadAnyway = true;
  const auto loaded = bench.pool->load("large", "2000", anyway);
  EXPECT_TRUE(loaded) << loaded.error().describe();
  bench.waitUntil([&] { return bench.status("other").state == ModelState::Unloaded; });
}

TEST(EnginePool, ALoadSetsItsKeepAliveAndPin) {
  Bench bench(1000);
  EngineOptions options;
  options.keepAlive = milliseconds(30);
  ASSERT_TRUE(bench.pool->load("short", "100", options));
  bench.waitUntil([&] { return bench.status("short").state == ModelState::Unloaded; });
  options.pinned = true;
  ASSERT_TRUE(bench.pool->load("short", "100", options));
  EXPECT_TRUE(bench.status("short").pinned);
  EXPECT_EQ(bench.status("short").unloadsInSeconds, -1);
}

TEST(EnginePool, ADraftIsKeptUntilALoadSaysHowToSpeculate) {
  Bench bench(1000);
  EngineOptions options;
  options.draft = "helper";
  (void)bench.pool->load("model", "100", options);
  ASSERT_TRUE(bench.pool->unload("model"));
  (void)bench.pool->load("model", "100", {});
  EXPECT_EQ(bench.control->lastOptions.draft, "helper");
  ASSERT_TRUE(bench.pool->unload("model"));
  EngineOptions plain;
  plain.speculation = Speculation::Lookup;
  (void)bench.pool->load("model", "100", plain);
  EXPECT_TRUE(bench.control->lastOptions.draft.empty());
}

/// Remembers what it was told, and corrects by a fixed number.
struct FakeRecords final : MemoryRecords {
  std::int64_t correction(const std::string&) const override { return value; }
  void add(const std::string& model, const Record& record) override { added[model] = record; }
  std::int64_t value = 0;
  std::map<std::string, Record> added;
};

TEST(EnginePool, TheCorrectionCountsWherePlansAndLoadsDecide) {
  auto records = std::make_shared<FakeRecords>();
  const auto control = std::make_shared<LoaderControl>();
  EnginePoolOptions options;
  options.memoryBudgetBytes = 1000;
  options.records = records;
  options.availableBytes = [] { return std::uint64_t{1'000'000}; };
  const auto pool = makeEnginePool(options, std::make_shared<ThreadPool>(ThreadPoolOptions{2}), std::make_unique<FakeLoader>(control));
  records->value = 300;
  EXPECT_EQ(pool->plan("m", "600", {})->devices[0].neededBytes, 900U);
  EXPECT_FALSE(pool->plan("m", "800", {})->fits());
  EXPECT_EQ(pool->load("m", "800", {}).error().code, ErrorCode::OutOfMemory);
  records->value = -2000;
  EXPECT_EQ(pool->plan("m", "800", {})->devices[0].neededBytes, 0U) << "never below nothing";
  EXPECT_TRUE(pool->load("m", "800", {}));
  EXPECT_TRUE(records->added.empty()) << "a loader that plans nothing teaches nothing";
}

TEST(EnginePool, UnloadStormWhileRequestsRun) {
  Bench bench(250);
  std::vector<TokenId> expected;
  {
    Collector collector;
    expected = ask(*bench.load("0", "100"), collector, 30);
  }
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0}, refused{0}, wrong{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 60; ++i) {
        auto model = bench.load(std::to_string(random() % 3), "100");
        if (!model) {
          // Unloaded while loading, or everything else in use.
          if (model.error().code != ErrorCode::Cancelled && model.error().code != ErrorCode::OutOfMemory) ++wrong;
          ++refused;
          continue;
        }
        Collector collector;
        if (ask(*model, collector, 30) != expected || collector.problem() != "") ++wrong;
        ++answered;
      }
    });
  }
  std::thread unloader([&] {
    std::mt19937 random(99);
    while (!stop) {
      (void)bench.pool->unload(std::to_string(random() % 3));
      (void)bench.pool->statuses();
      (void)bench.pool->totals();
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 1500));
    }
  });
  for (auto& thread : threads) thread.join();
  stop = true;
  unloader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(answered + refused, 240);
  EXPECT_GT(answered, 60);
  EXPECT_GT(bench.control->loads, 5);
  EXPECT_LE(bench.control->mostAlive, 2) << "the budget holds two";
}

}  // namespace
}  // namespace hearth
