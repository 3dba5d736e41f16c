#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

#include "core/server/api/chat_schema.h"
#include "core/server/api/chat_wire.h"
#include "core/server/api/controllers.h"
#include "core/server/json_text.h"

namespace hearth::api {
namespace {

std::string newCompletionId() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return fmt::format("chatcmpl-{:016x}{:08x}", generator(), static_cast<std::uint32_t>(generator()));
}

/// The tasks of one request. Held by the exchange's abort callback and, weakly, by the job: a task may hold its sink and
/// the sink holds the job, so the job must not hold the task.
class TaskGroup {
 public:
  void add(ChatTaskPtr task) {
    bool late = false;
    {
      const std::lock_guard lock(m_mutex);
      late = m_cancelled;
      if (!late) m_tasks.push_back(task);
    }
    if (late) task->cancel();
  }
  void cancelAll() {
    std::vector<ChatTaskPtr> tasks;
    {
      const std::lock_guard lock(m_mutex);
      m_cancelled = true;
      tasks.swap(m_tasks);
    }
    for (const auto& task : tasks) task->cancel();
  }

 private:
  std::mutex m_mutex;
  bool m_cancelled = false;
  std::vector<ChatTaskPtr> m_tasks;
};

/// One chat completion on its way: turns the events of its choices into one answer. Owned by the sinks; ends when the
/// answer is complete, failed or nobody wants it any more. Any thread.
class ChatJob {
 public:
  ChatJob(http::ExchangePtr exchange, const ChatCall& call, std::string model, EnginePool& pool, std::weak_ptr<TaskGroup> tasks)
      : m_exchange(std::move(exchange)),
        m_pool(pool),
        m_model(std::move(model)),
        m_tasks(std::move(tasks)),
        m_id(newCompletionId()),
        m_created(static_cast<std::int64_t>(std::time(nullptr))),
        m_stream(call.stream),
        m_includeUsage(call.includeUsage),
        m_logprobs(call.logprobs),
        m_chunks(m_id, m_created, m_model, call.includeUsage),
        m_choices(static_cast<std::size_t>(call.choices)) {}

  /// False = this choice's work is wanted no more.
  bool onEvent(int choice, const ChatEvent& event) {
    bool wanted = true;
    bool cancel = false;
    // Taken before anything is answered: with the answer out, the exchange lets go of the group.
    const auto tasks = m_tasks.lock();
    {
      const std::lock_guard lock(m_mutex);
      if (m_done) return false;
      switch (event.kind) {
        case ChatEvent::Kind::Loading:
        case ChatEvent::Kind::Queued:
          break;
        case ChatEvent::Kind::Started:
          m_usage.promptTokens = event.promptTokens;
          m_usage.cachedTokens = std::max(m_usage.cachedTokens, event.cachedTokens);
          break;
        case ChatEvent::Kind::Reasoning:
        case ChatEvent::Kind::ToolCall:
          break;
        case ChatEvent::Kind::Text:
          wanted = onText(choice, event);
          break;
        case ChatEvent::Kind::Finished:
          wanted = onFinished(choice, event);
          break;
        case ChatEvent::Kind::Failed:
          fail(fromError(event.error.value_or(Error{ErrorCode::Internal, "Generation failed.", {}})));
          break;
      }
      cancel = m_done && !m_complete;
    }
    // Outside the lock: a cancelled task may report at once.
    if (cancel && tasks) tasks->cancelAll();
    return wanted && !cancel;
  }

  /// complete() refused a choice.
  void onRefused(const Error& error) {
    const auto tasks = m_tasks.lock();
    {
      const std::lock_guard lock(m_mutex);
      if (m_done) return;
      fail(fromError(error));
    }
    if (tasks) tasks->cancelAll();
  }

  void onAbort(http::AbortReason reason) {
    const std::lock_guard lock(m_mutex);
    if (m_done) return;
    if (reason == http::AbortReason::Stopping) {
      fail(fromError(Error{ErrorCode::ShuttingDown, "The server is stopping.", {}}));
      return;
    }
    m_done = true;
    const bool slow = reason == http::AbortReason::SlowReader;
    noteTokens(slow ? "slow_reader" : "client_disconnected", slow ? "slow reader" : "client disconnected");
    m_exchange->abandon();
  }

  /// A sign of life: proxies and clients give up on silent connections (some after 30 s).
  void onTick() {
    const std::lock_guard lock(m_mutex);
    if (m_done || !m_stream) return;
    if (!openStream()) return;
    if (!std::exchange(m_wroteSinceTick, false)) (void)m_exchange->write(":\n\n");
  }

 private:
  struct Choice {
    std::string text;
    std::string logprobs;
    FinishReason reason = FinishReason::Stop;
    bool roleSent = false;
    bool finished = false;
    int generated = 0;
  };

  // All below: with m_mutex held.

  bool openStream() {
    if (m_open) return true;
    m_open = m_exchange->startStream({200, "text/event-stream", {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}}, {}});
    if (!m_open) m_done = true;
    return m_open;
  }

  bool send(const std::string& bytes) {
    m_wroteSinceTick = true;
    if (openStream() && m_exchange->write(bytes)) return true;
    m_done = true;
    noteTokens();
    return false;
  }

  bool onText(int index, const ChatEvent& event) {
    Choice& choice = m_choices[static_cast<std::size_t>(index)];
    ++choice.generated;
    if (!m_anyText) {
      m_anyText = true;
      const double seconds = m_exchange->elapsedSeconds();
      m_exchange->note([&](http::ExchangeNotes& notes) { notes.firstTokenSeconds = seconds; });
    }
    std::string entry;
    if (m_logprobs && event.logprob) entry = logprobJson(*event.logprob, tokenizer());
    if (m_stream) {
      std::string bytes;
      if (!std::exchange(choice.roleSent, true)) bytes = m_chunks.role(index);
      bytes += m_chunks.text(index, event.text, entry);
      return send(bytes);
    }
    choice.text += event.text;
    if (!entry.empty()) {
      if (!choice.logprobs.empty()) choice.logprobs += ',';
      choice.logprobs += entry;
    }
    return true;
  }

  bool onFinished(int index, const ChatEvent& event) {
    if (event.reason == FinishReason::Cancelled) {  // not by us: m_done would be set
      fail(fromError(Error{ErrorCode::Cancelled, "The generation was cancelled on the server.", {}}));
      return true;
    }
    if (event.reason == FinishReason::Error) {
      fail(fromError(event.error.value_or(Error{ErrorCode::Internal, "Generation failed.", {}})));
      return true;
    }
    Choice& choice = m_choices[static_cast<std::size_t>(index)];
    choice.finished = true;
    choice.reason = event.reason;
    choice.generated = event.generatedTokens;
    m_usage.acceptedGuesses += event.acceptedTokens;
    m_usage.rejectedGuesses += event.draftedTokens - event.acceptedTokens;
    if (event.promptTokens > 0) m_usage.promptTokens = event.promptTokens;
    m_timings.queueSeconds = std::max(m_timings.queueSeconds, event.queueSeconds);
    m_timings.prefillSeconds = std::max(m_timings.prefillSeconds, event.prefillSeconds);
    m_timings.firstTokenSeconds = std::max(m_timings.firstTokenSeconds, event.firstTokenSeconds);
    m_timings.tokensPerSecond = m_timings.tokensPerSecond == 0 ? event.tokensPerSecond : std::min(m_timings.tokensPerSecond, event.tokensPerSecond);
    const bool all = std::ranges::all_of(m_choices, &Choice::finished);
    std::string bytes;
    if (m_stream) {
      if (!std::exchange(choice.roleSent, true)) bytes = m_chunks.role(index);
      bytes += m_chunks.finish(index, choice.reason);
    }
    if (!all) return !m_stream || send(bytes);

    noteTokens();
    if (m_stream) {
      if (m_includeUsage) bytes += m_chunks.usage(m_usage, m_timings);
      bytes += "data: [DONE]\n\n";
      if (!send(bytes)) return false;
      m_exchange->finish();
    } else {
      m_exchange->respond(wholeAnswer());
    }
    m_done = true;
    m_complete = true;
    return true;
  }

  http::Response wholeAnswer() const {
    http::Response response;
    std::string& body = response.body;
    body = fmt::format(R"({{"id":{},"object":"chat.completion","created":{},"model":{},"choices":[)", jsonString(m_id), m_created, jsonString(m_model));
    for (std::size_t i = 0; i < m_choices.size(); ++i) {
      const Choice& choice = m_choices[i];
      if (i > 0) body += ',';
      body += fmt::format(R"({{"index":{},"message":{{"role":"assistant","content":)", i);
      appendJsonString(body, choice.text);
      body += R"(,"refusal":null},"logprobs":)";
      body += m_logprobs ? R"({"content":[)" + choice.logprobs + R"(],"refusal":null})" : std::string("null");
      body += fmt::format(R"(,"finish_reason":"{}"}})", finishReasonName(choice.reason));
    }
    body += R"(],"usage":)" + usageJson(m_usage) + R"(,"hearth":)" + timingsJson(m_timings) + "}";
    return response;
  }

  /// Before the head is out an error is plain HTTP with its status; after that it is the stream's last event.
  void fail(const ApiError& error) {
    m_done = true;
    noteTokens(error.code, error.message);
    if (!m_open) {
      m_exchange->respond(errorResponse(error));
      return;
    }
    (void)m_exchange->write("data: " + errorBody(error) + "\n\n");
    m_exchange->finish();
  }

  void noteTokens(const std::string& errorCode = {}, const std::string& error = {}) {
    m_usage.completionTokens = 0;
    for (const Choice& choice : m_choices) m_usage.completionTokens += choice.generated;
    m_exchange->note([&](http::ExchangeNotes& notes) {
      notes.promptTokens = m_usage.promptTokens;
      notes.cachedTokens = m_usage.cachedTokens;
      notes.generatedTokens = m_usage.completionTokens;
      if (error.empty()) return;
      notes.errorCode = errorCode;
      notes.error = error;
    });
  }

  const Tokenizer* tokenizer() {
    if (!m_loaded) m_loaded = m_pool.find(m_model);
    return m_loaded && m_loaded->engine ? &m_loaded->engine->tokenizer() : nullptr;
  }

  // Constant after construction.
  const http::ExchangePtr m_exchange;
  EnginePool& m_pool;
  const std::string m_model;
  const std::weak_ptr<TaskGroup> m_tasks;
  const std::string m_id;
  const std::int64_t m_created;
  const bool m_stream, m_includeUsage, m_logprobs;
  const ChunkWriter m_chunks;

  // Guarded by m_mutex.
  std::mutex m_mutex;
  std::vector<Choice> m_choices;
  Usage m_usage;
  Timings m_timings;
  LoadedModelPtr m_loaded;
  bool m_open = false;            // the stream's head is out
  bool m_done = false;            // nothing more is written
  bool m_complete = false;        // … because everything was
  bool m_anyText = false;
  bool m_wroteSinceTick = false;
};

void refuse(const http::ExchangePtr& exchange, const ApiError& error) {
  exchange->note([&](http::ExchangeNotes& notes) { 
    notes.errorCode = error.code;
    notes.error = error.message;
  });
  exchange->respond(errorResponse(error));
}

}  // namespace

void postChatCompletions(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  auto call = parseChatCall(exchange->takeBody());
  if (!call) return refuse(exchange, call.error());
  const auto model = resolveModel(context, call->request.model);
  if (!model) return refuse(exchange, model.error());
  call->request.model = model->id;
  exchange->note([&](http::ExchangeNotes& notes) { notes.model = model->id; });

  const auto tasks = std::make_shared<TaskGroup>();
  const auto job = std::make_shared<ChatJob>(exchange, *call, model->id, context.pool, tasks);
  // The callbacks hold the job weakly: once the service has dropped its sinks, the request must end even so.
  exchange->onAbort([tasks, weak = std::weak_ptr(job)](http::AbortReason reason) {
    if (const auto alive = weak.lock()) alive->onAbort(reason);
    tasks->cancelAll();
  });
  if (call->stream) {
    exchange->every(context.heartbeat, context.heartbeat, [weak = std::weak_ptr(job)] {
      if (const auto alive = weak.lock()) alive->onTick();
    });
  }
  const auto seed = call->request.sampling.seed;
  for (int choice = 0; choice < call->choices; ++choice) {
    ChatRequest request = choice + 1 < call->choices ? call->request : std::move(call->request);
    if (seed) request.sampling.seed = *seed + static_cast<std::uint64_t>(choice);
    auto task = context.chat.complete(std::move(request), [job, choice](const ChatEvent& event) { return job->onEvent(choice, event); });
    if (!task) {
      job->onRefused(task.error());
      return;
    }
    tasks->add(std::move(*task));
  }
}

}  // namespace hearth::api
