#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/engine/fair_queue.h"
#include "core/engine/rate_window.h"
#include "core/engine/scheduler.h"
#include "core/engine/sizing.h"
#include "tests/engine/fake_model.h"

namespace hearth {
namespace {

using testing::FakeTokenizer;
using std::chrono::milliseconds;
using std::chrono::seconds;

const EngineClock::time_point kStart = EngineClock::now();

std::unique_ptr<Sequence> waiting(std::uint64_t id, const std::string& principal, Priority priority = Priority::Interactive, int prompt = 100,
                                  EngineClock::duration after = {}) {
  static const FakeTokenizer tokenizer;
  EngineRequest request;
  request.prompt.assign(static_cast<std::size_t>(prompt), 1);
  request.principal = principal;
  request.priority = priority;
  auto sequence = std::make_unique<Sequence>(std::move(request), id, 1, tokenizer);
  sequence->submitted = kStart + after;
  sequence->tokenLimit = prompt + 100;
  return sequence;
}

std::vector<std::uint64_t> ids(const std::vector<Sequence*>& order) {
  std::vector<std::uint64_t> result;
  for (const Sequence* sequence : order) result.push_back(sequence->id);
  return result;
}

TEST(FairQueue, OnePrincipalIsServedInOrderOfArrival) {
  FairQueue queue;
  for (std::uint64_t id = 1; id <= 4; ++id) queue.push(waiting(id, "a"));
  EXPECT_EQ(ids(queue.order(kStart)), (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

TEST(FairQueue, APrincipalThatFloodsDoesNotDelayAnother) {
  FairQueue queue;
  for (std::uint64_t id = 1; id <= 50; ++id) queue.push(waiting(id, "flood"));
  queue.push(waiting(51, "other"));
  queue.push(waiting(52, "other"));
  const auto order = ids(queue.order(kStart));
  EXPECT_EQ(order[1], 51U);
  EXPECT_EQ(order[3], 52U);
  queue.charge("flood", 10);
  EXPECT_EQ(queue.next(kStart)->id, 51U);
}

TEST(FairQueue, WorkIsCountedNotRequests) {
  FairQueue queue;
  // Requests of "big" cost four times as much, so four of "small" go for one of it.
  for (std::uint64_t id = 1; id <= 10; ++id) queue.push(waiting(id, "big", Priority::Interactive, 1000));
  for (std::uint64_t id = 11; id <= 50; ++id) queue.push(waiting(id, "small", Priority::Interactive, 100));
  const auto order = ids(queue.order(kStart));
  const auto big = std::count_if(order.begin(), order.begin() + 20, [](auto id) { return id <= 10; });
  EXPECT_GE(big, 4);
  EXPECT_LE(big, 6);
}

TEST(FairQueue, RestIsNotSavedUp) {
  FairQueue queue;
  queue.push(waiting(1, "busy"));
  queue.charge("busy", 100'000);
  queue.push(waiting(2, "new"));
  for (std::uint64_t id = 3; id < 13; ++id) queue.push(waiting(id, "new"));
  for (std::uint64_t id = 20; id < 25; ++id) queue.push(waiting(id, "busy"));
  const auto order = ids(queue.order(kStart));
  const auto busy = std::find(order.begin(), order.end(), 1U) - order.begin();
  EXPECT_LE(busy, 1) << "the newcomer starts at the lowest active counter, not at 0";
}

TEST(FairQueue, ComingBackDoesNotWipeOutWhatWasServed) {
  FairQueue queue;
  queue.push(waiting(1, "a"));
  queue.push(waiting(2, "b"));
  queue.charge("a", 5000);
  (void)queue.take(queue.waiting().front().get());
  queue.leave("a");
  queue.push(waiting(3, "a"));
  EXPECT_EQ(queue.next(kStart)->id, 2U);
}

TEST(FairQueue, WhoWasServedAloneDoesNotPayForItLater) {
  FairQueue queue;
  queue.push(waiting(1, "early"));
  queue.charge("early", 50'000);
  (void)queue.take(queue.waiting().front().get());
  queue.leave("early");
  for (std::uint64_t id = 2; id < 10; ++id) queue.push(waiting(id, "flood"));
  queue.push(waiting(10, "early"));
  queue.charge("flood", 10);
  EXPECT_EQ(queue.next(kStart)->id, 10U);
}

TEST(FairQueue, AdmittedPromptsCountForTheTurnBeforeTheyAreComputed) {
  FairQueue queue;
  auto first = waiting(1, "flood", Priority::Interactive, 500);
  queue.push(waiting(2, "flood"));
  queue.push(waiting(3, "guest"));
  first->owed = 500;
  queue.admitted(*first);
  EXPECT_EQ(queue.next(kStart)->id, 3U);
  EXPECT_EQ(queue.running("flood"), 1);
  queue.computed(*first, 300, false);
  EXPECT_EQ(queue.next(kStart)->id, 3U);
  queue.stopped(*first);
  EXPECT_EQ(queue.running("flood"), 0);
  EXPECT_EQ(first->owed, 200) << "what was not computed is owed when it goes on";
  queue.charge("guest", 299);
  EXPECT_EQ(queue.next(kStart)->id, 3U);
  queue.charge("guest", 2);
  EXPECT_EQ(queue.next(kStart)->id, 2U) << "300 were computed and count";
}

TEST(FairQueue, BetterClassesFirstWithinAPrincipalAndWaitingLifts) {
  FairQueue queue;
  queue.push(waiting(1, "a", Priority::Batch));
  queue.push(waiting(2, "a", Priority::Normal));
  queue.push(waiting(3, "a", Priority::Interactive));
  EXPECT_EQ(ids(queue.order(kStart)), (std::vector<std::uint64_t>{3, 2, 1}));
  EXPECT_EQ(ids(queue.order(kStart + seconds(11))), (std::vector<std::uint64_t>{2, 3, 1}));
  EXPECT_EQ(ids(queue.order(kStart + seconds(21))), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(FairQueue, PreemptedGoBeforeFreshOfTheSameClassOnly) {
  FairQueue queue;
  auto preempted = waiting(1, "a", Priority::Normal);
  queue.push(waiting(9, "a"));
  queue.leave("a");
  (void)queue.take(queue.waiting().front().get());
  preempted->preempted = true;
  queue.push(std::move(preempted));
  queue.push(waiting(2, "b", Priority::Normal));
  EXPECT_EQ(queue.next(kStart)->id, 1U);
  queue.push(waiting(3, "c", Priority::Interactive));
  queue.charge("b", 1000);
  EXPECT_EQ(queue.next(kStart)->id, 3U);
}

TEST(StepCost, LearnsWhatFits) {
  StepCost cost;
  EXPECT_EQ(cost.chunk(0.1, 16, 512), 32) << "before anything is known";
  for (int i = 0; i < 50; ++i) {
    cost.record(0.020, 8, 0);
    cost.record(0.020 + 0.001 * 64, 8, 64);
  }
  EXPECT_NEAR(cost.chunk(0.1, 16, 512), 80, 4);
  EXPECT_NEAR(cost.chunk(0.01, 16, 512), 20, 1) << "where decoding alone misses the target, prompts get as long as it takes";
  EXPECT_EQ(cost.chunk(0.01, 32, 512), 32) << "a prompt always goes on";
  EXPECT_EQ(cost.chunk(10, 16, 512), 512);
  EXPECT_EQ(cost.chunk(0.1, 16, 5), 5);
}

/// A scheduler and a model that takes 50 ms for those who decode and 1 ms for each token of a prompt.
class Steps {
 public:
  explicit Steps(int stepTokens = 512) : m_scheduler(EngineOptions{}, stepTokens, m_pages) {
    for (int i = 0; i < 50; ++i) {
      m_scheduler.recordStep(0.050, 8, 0);
      m_scheduler.recordStep(0.050 + 0.064, 8, 64);
    }
  }
  ~Steps() {
    while (!m_scheduler.running().empty()) (void)m_scheduler.retire(m_scheduler.running().front().get());
    while (!m_scheduler.queue().waiting().empty()) (void)m_scheduler.retire(m_scheduler.queue().waiting().front().get());
  }
  /// A request whose tokens nobody else has; it never ends.
  void add(const std::string& principal, int prompt, Priority priority = Priority::Interactive) {
    auto sequence = waiting(++m_last, principal, priority, prompt);
    for (auto& token : sequence->tokens) token = static_cast<TokenId>(m_last);
    sequence->tokenLimit = 100'000;
    m_scheduler.enqueue(std::move(sequence));
  }
  /// The tokens computed for each principal: {prompt, output}.
  std::map<std::string, std::pair<int, int>> next() {
    std::map<std::string, std::pair<int, int>> computed;
    for (const auto& slice : m_scheduler.plan(kStart)) {
      Sequence& sequence = *slice.sequence;
      const std::string& principal = sequence.request.principal;
      auto& [prompt, output] = computed[principal];
      (slice.count == 1 && slice.logits && sequence.generated() > 0 ? output : prompt) += slice.count;
      m_pages.commit(sequence.table, sequence.tokens, slice.count);
      if (!slice.logits) continue;
      sequence.tokens.push_back(7);
      m_scheduler.queue().charge(principal, FairQueue::kOutputCost);
    }
    return computed;
  }
  Scheduler& scheduler() { return m_scheduler; }

 private:
  PageManager m_pages{8192, 16, true, [](PageId, PageId) {}};
  Scheduler m_scheduler;
  std::uint64_t m_last = 0;
};

TEST(Scheduler, ANewcomersPromptHasAStepToItselfWhereACrowdRuns) {
  Steps steps;
  for (int i = 0; i < 8; ++i) steps.add("flood", 400);
  for (int i = 0; i < 20; ++i) steps.next();  // some are answered, some are read
  const auto before = steps.next();
  ASSERT_GT(before.at("flood").first, 0);
  ASSERT_GT(before.at("flood").second, 0);
  steps.add("guest", 60);
  auto step = steps.next();
  EXPECT_EQ(step.at("guest").first, 60) << "all of it, so that its first token comes";
  EXPECT_FALSE(step.contains("flood"));
  step = steps.next();
  EXPECT_EQ(step.at("guest").second, 1);
  EXPECT_GT(step.at("flood").first, 0) << "its turn has come again";
  EXPECT_EQ(step.at("flood").second, before.at("flood").second) << "whoever was being answered is still";
}

TEST(Scheduler, ACrowdThatStandsAsideIsNotStarved) {
  Steps steps;
  for (int i = 0; i < 8; ++i) steps.add("flood", 400);
  for (int i = 0; i < 20; ++i) steps.next();
  steps.add("guest", 2000);
  int answers = 0, pause = 0, longest = 0, total = 0;
  for (; steps.scheduler().running().size() < 9 || steps.scheduler().running().back()->generated() == 0; ++total) {
    ASSERT_LT(total, 60) << "the guest gets most of the machine while its prompt is read";
    const auto step = steps.next();
    const auto flood = step.contains("flood") ? step.at("flood") : std::pair{0, 0};
    EXPECT_GT(step.at("guest").first, 0);
    EXPECT_LE(step.at("guest").first, 101) << "whoever stands aside waits no longer than for a usual step";
    answers += flood.second > 0;
    pause = flood.second > 0 ? 0 : pause + 1;
    longest = std::max(longest, pause);
  }
  EXPECT_GE(answers, total / 2);
  EXPECT_EQ(longest, 1) << "no answer stands still for two steps";

  // Newcomers one after the other, each of them new: the crowd's prompts still go on.
  Steps stream;
  for (int i = 0; i < 8; ++i) stream.add("flood", 4000);
  for (int i = 0; i < 10; ++i) stream.next();
  int turns = 0;
  for (int i = 0; i < 90; ++i) {
    stream.add("guest" + std::to_string(i), 40);
    const auto step = stream.next();
    if (step.contains("flood") && step.at("flood").first > 0) ++turns;
  }
  EXPECT_GE(turns, 9);
}

TEST(Scheduler, WhoGotMoreThanACrowdPushesNothingAside) {
  Steps steps;
  steps.add("guest", 40);
  for (int i = 0; i < 8; ++i) steps.add("flood", 100);
  for (int i = 0; i < 30; ++i) steps.next();
  steps.scheduler().queue().charge("guest", 20'000);
  steps.add("guest", 60);
  const auto step = steps.next();
  EXPECT_EQ(step.at("flood").second, 8);
  EXPECT_GT(step.at("guest").first, 0);
}

TEST(Scheduler, NobodyStandsAsideForAWorseClassNorWhereThereIsNoCrowd) {
  Steps steps;
  for (int i = 0; i < 8; ++i) steps.add("flood", 100);
  for (int i = 0; i < 20; ++i) steps.next();
  steps.add("guest", 60, Priority::Batch);
  EXPECT_EQ(steps.next().at("flood").second, 8);

  Steps two;
  for (int i = 0; i < 2; ++i) two.add("one", 100);
  for (int i = 0; i < 20; ++i) two.next();
  two.add("other", 40);
  const auto step = two.next();
  EXPECT_EQ(step.at("one").second, 2);
  EXPECT_EQ(step.at("other").first, 40);
}

TEST(RateWindow, ForgetsAfterTwoSeconds) {
  RateWindow rate;
  rate.add(kStart, 30);
  rate.add(kStart + seconds(1), 10);
  EXPECT_DOUBLE_EQ(rate.perSecond(kStart + seconds(1)), 20);
  EXPECT_DOUBLE_EQ(rate.perSecond(kStart + milliseconds(2500)), 5);
  EXPECT_DOUBLE_EQ(rate.perSecond(kStart + seconds(60)), 0);
}

constexpr std::uint64_t kMuch = 1ULL << 40U;
const KvShape kShape{10, 4, 64, kernels::KvType::F16};  // 10,240 bytes a token

TEST(Sizing, Defaults) {
  const auto plan = planKv(kShape, 32768, {}, kMuch);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->contextTokens, 8192);
  EXPECT_EQ(plan->pageCount, 32768 / 16);
  EXPECT_EQ(plan->bytes, 32768ULL * 10240);
  EXPECT_EQ(planKv(kShape, 2048, {}, kMuch)->contextTokens, 2048);
  EXPECT_EQ(planKv(kShape, 2048, {}, kMuch)->pageCount, 1024);
}

TEST(Sizing, ShrinksToHalfOfTheFreeMemory) {
  const auto plan = planKv(kShape, 32768, {}, 4000ULL * 10240 * 2);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->contextTokens, 4000);
  EXPECT_EQ(plan->pageCount, 250);
}

TEST(Sizing, RefusesBeforeAllocating) {
  const auto tiny = planKv(kShape, 32768, {}, 100ULL * 10240);
  ASSERT_FALSE(tiny);
  EXPECT_EQ(tiny.error().code, ErrorCode::OutOfMemory);
  EXPECT_EQ(tiny.error().find("needed_bytes"), "5242880");
  EXPECT_EQ(tiny.error().find("available_bytes"), "1024000");
  EngineOptions options;
  options.kvTokens = 1 << 20;
  EXPECT_EQ(planKv(kShape, 32768, options, 1ULL << 30U).error().code, ErrorCode::OutOfMemory);
}

TEST(Sizing, KeepsWhatWasAskedFor) {
  EngineOptions options;
  options.contextTokens = 1000;
  options.kvTokens = 5000;
  const auto plan = planKv(kShape, 32768, options, kMuch);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->contextTokens, 1000);
  EXPECT_EQ(plan->pageCount, 313);
  options.contextTokens = 0;
  EXPECT_EQ(planKv(kShape, 32768, options, kMuch)->contextTokens, 5000);
}

TEST(Sizing, EachOptionHasItsRange) {
  const std::pair<const char*, std::function<void(EngineOptions&)>> cases[] = {
      {"context_tokens", [](EngineOptions& o) { o.contextTokens = -1; }},   {"context_tokens", [](EngineOptions& o) { o.contextTokens = 40000; }},
      {"context_tokens", [](EngineOptions& o) { o.contextTokens = 1; }},    {"kv_tokens", [](EngineOptions& o) { o.kvTokens = -5; }},
      {"kv_tokens", [](EngineOptions& o) { o.contextTokens = 100, o.kvTokens = 99; }},
      {"max_sequences", [](EngineOptions& o) { o.maxSequences = 0; }},      {"max_queued", [](EngineOptions& o) { o.maxQueued = 0; }},
      {"step_tokens", [](EngineOptions& o) { o.stepTokens = 0; }},          {"page_tokens", [](EngineOptions& o) { o.pageTokens = 0; }},
      {"page_tokens", [](EngineOptions& o) { o.pageTokens = 257; }},        {"target_inter_token_seconds", [](EngineOptions& o) { o.targetInterTokenSeconds = 0; }},
  };
  for (const auto& [field, set] : cases) {
    EngineOptions options;
    set(options);
    const auto plan = planKv(kShape, 32768, options, kMuch);
    ASSERT_FALSE(plan) << field;
    EXPECT_EQ(plan.error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(plan.error().find("field"), field);
  }
}

}  // namespace
}  // namespace hearth
