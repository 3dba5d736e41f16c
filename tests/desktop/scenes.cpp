#include "scenes.h"

#include <cmath>
#include <deque>

#include "ui/desktop/chat/chat_page.h"

namespace hearth::test {

namespace {

const char* const kReply = R"(Write the test for the invariant that admission must keep: **a request is admitted only when its pages fit**.

```cpp
TEST(Admission, RefusesWhatDoesNotFit) {
  PagePool pool(8);  // pages
  EXPECT_FALSE(admit(pool, request(200)));
  EXPECT_EQ(pool.free(), 8);
}
```

Then the fairness test: two principals, one of them flooding.

1. `a` submits ten long prompts at once
2. `b` submits one short prompt
3. the wait of `b` is bounded by *one* step budget

| Case | Pages | Admitted |
|---|---:|---|
| fits | 6 | yes |
| too large | 200 | no |

> The bound holds because the virtual counter of `a` has run ahead.
)";

constexpr std::int64_t kDayMs = 86'400'000;

}  // namespace

void furnish(Desktop& desktop, bool withGpu) {
  FakeLibrary& library = desktop.host.library();
  desktop.addModel();
  library.add(makeModel("smollm2-135m-instruct-q4_1", "SmolLM2 135M Instruct", "Q4_1", 98'000'000, 135'000'000, 8192));
  InstalledModel base = makeModel("gemma3-270m-q4_k_m", "Gemma 3 270M", "Q4_K_M", 253'113'024, 268'000'000, 32768);
  base.config->architecture = "gemma3";
  base.hasChatTemplate = false;
  library.add(base);
  InstalledModel broken;
  broken.id = "llama-3.1-8b-instruct-q5_k_m";
  broken.path = "/models/llama-3.1-8b-instruct-q5_k_m.gguf";
  broken.fileBytes = 3'100'000'000;
  broken.problem = Error{ErrorCode::Truncated, "the file ends early", {{"path", broken.path.string()}, {"needed_bytes", "5733000000"}, {"available_bytes", "3100000000"}}};
  library.add(broken);
  (void)library.addFolder("/srv/models");

  FakeStore& store = desktop.host.store();
  const std::int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const std::pair<const char*, int> chats[] = {{"Why is the sky red at dusk?", 0}, {"Release notes draft", 0}, {"中文邮件润色", 3}, {"Trip to Kyoto", 4}, {"SQL: top customers of the last quarter by revenue", 30}};
  for (const auto& [title, days] : chats) {
    const Conversation made = *store.createConversation(title, "qwen2.5-coder-1.5b-instruct-q4_k_m");
    store.setUpdated(made.id, now - days * kDayMs - 60'000);
  }
  const Conversation chat = *store.createConversation("Refactor scheduler.cpp", "qwen2.5-coder-1.5b-instruct-q4_k_m");
  Message user;
  user.conversation = chat.id;
  user.text = "Split the admission step out of plan(). Which test should I write first?";
  user = *store.addMessage(user);
  Message reply;
  reply.conversation = chat.id;
  reply.parent = user.id;
  reply.role = Role::Assistant;
  reply.text = "An earlier draft.";
  (void)store.addMessage(reply);
  reply.text = kReply;
  reply.promptTokens = 412;
  reply.generatedTokens = 228;
  reply.tokensPerSecond = 84;
  reply.firstTokenSeconds = 0.21;
  reply = *store.addMessage(reply);
  store.setUpdated(chat.id, now);
  if (withGpu) {
    desktop.host.monitor().m_driver = {GpuDriverState::Ready, "580.95.05", {}};
  }
  desktop.host.pool().m_totals.decodeTokensPerSecond = 84;
}

void enliven(Desktop& desktop, bool withGpu) {
  const auto all = *desktop.host.store().conversations();
  desktop.window->chat()->controller().open(all.front().id);
  (void)waitUntil([&desktop] { return !desktop.window->chat()->controller().items().empty(); });
  std::deque<ui::MonitorSample> history;
  for (int i = 0; i <= 300; ++i) {
    ui::MonitorSample sample;
    HardwareSample& hardware = sample.hardware;
    const double t = i;
    hardware.time = t;
    hardware.cpuPercent = 45 + 20 * std::sin(t / 9) + 6 * std::sin(t * 1.7);
    hardware.memoryTotal = 34'000'000'000;
    hardware.memoryAvailable = static_cast<std::uint64_t>(19e9 + 1e9 * std::sin(t / 40));
    hardware.processResident = i > 262 ? 6'200'000'000 : 2'000'000'000;
    if (withGpu) {
      GpuSample gpu;
      gpu.name = "NVIDIA GeForce RTX 4070";
      gpu.utilisation = 60 + 30 * std::sin(t / 12) + 4 * std::sin(t * 2.1);
      gpu.memoryTotal = 12'000'000'000;
      gpu.memoryOurs = i > 262 ? 8'100'000'000 : 5'000'000'000;
      gpu.memoryOthers = 1'200'000'000;
      gpu.temperatureC = 64 + 3 * std::sin(t / 30);
      gpu.powerWatts = 140 + 35 * std::sin(t / 12);
      gpu.powerLimitWatts = 200;
      hardware.gpus.push_back(gpu);
    }
    sample.engines.running = 2 + static_cast<int>(std::sin(t / 8) > 0);
    sample.engines.waiting = static_cast<int>(1 + std::sin(t / 15));
    sample.engines.decodeTokensPerSecond = 84 + 20 * std::sin(t / 10) + 4 * std::sin(t * 1.3);
    sample.engines.prefillTokensPerSecond = std::max(0.0, 160 * std::sin(t / 14));
    history.push_back(sample);
  }
  desktop.bridge->monitor().setHistory(history);
  desktop.bridge->server().start(11435, {});
  (void)waitUntil([&desktop] { return desktop.bridge->server().running(); });
  const double time = 1'780'000'000;
  const char* const targets[] = {"/v1/chat/completions", "/v1/models", "/api/chat", "/v1/chat/completions"};
  for (int i = 0; i < 4; ++i) {
    RequestRecord record;
    record.id = static_cast<std::uint64_t>(i + 1);
    record.time = time + i * 7;
    record.method = i == 1 ? "GET" : "POST";
    record.target = targets[i];
    record.client = "127.0.0.1";
    record.model = i == 1 ? "" : "qwen2.5-coder-1.5b-instruct-q4_k_m";
    record.status = i == 2 ? 404 : 200;
    record.errorCode = i == 2 ? "unknown_url" : "";
    record.error = i == 2 ? "Invalid URL (POST /api/chat)." : "";
    record.seconds = 4.2 + i;
    record.promptTokens = i == 1 || i == 2 ? 0 : 1204;
    record.generatedTokens = i == 1 || i == 2 ? 0 : 388;
    record.finished = i != 3;
    desktop.host.server().report(record);
  }
  QTest::qWait(250);
}

}  // namespace hearth::test
