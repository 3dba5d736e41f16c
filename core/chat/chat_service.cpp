#include "core/chat/chat_service.h"

#include <fmt/format.h>

#include "core/base/log.h"
#include "core/chat/attachment.h"
#include "core/chat/chat_run.h"
#include "core/chat/inheritance.h"
#include "core/chat/preset.h"
#include "core/chat/prompt.h"
#include "core/chat/title.h"
#include "core/library/library.h"

namespace hearth {
namespace {

using chat::ChatCore;
using chat::ChatRun;
using chat::ChatWorker;
using chat::Reply;
using namespace std::chrono_literals;

constexpr auto kTick = 250ms;
// An engine ends a request at the end of its step, and a step over a long prompt can take seconds. What has been written is
// stored without it.
constexpr auto kShutdownPatience = 1s;

// A conversation as the template gets it, with the reasoning and the calls of replies: what of them a model wants to see again,
// its template knows. Replies without text or call (failed, stopped at once) are left out; the user's messages
// around them become one, because many templates insist on turns that alternate.
void appendHistory(std::vector<ChatMessage>& messages, const std::vector<Message>& path) {
  for (const Message& message : path) {
    if (message.role == Role::Assistant && message.text.empty() && message.calls.empty()) continue;
    if (message.role == Role::User && !messages.empty() && messages.back().role == Role::User) {
      messages.back().text.append("\n\n").append(message.text);
      continue;
    }
    ChatMessage turn;
    turn.role = message.role;
    turn.text = message.text;
    turn.extraJson = chat::replyExtra(message);
    messages.push_back(std::move(turn));
  }
}

ChatRequest requestFor(const std::string& systemPrompt, const std::vector<Message>& path, const SendOptions& options) {
  ChatRequest request;
  if (!systemPrompt.empty()) {
    ChatMessage system;
    system.role = Role::System;
    system.text = systemPrompt;
    request.messages.push_back(std::move(system));
  }
  appendHistory(request.messages, path);
  request.sampling = options.sampling;
  request.given = options.given;
  request.maxTokens = options.maxTokens;
  request.stop = options.stop;
  request.toolsJson = options.toolsJson;
  request.principal = options.principal;
  return request;
}

/// The real service. Constant after construction: everything but the worker's end in shutdown.
class PooledChatService final : public ChatService {
 public:
  using OptionsFor = std::function<EngineOptions(const InstalledModel&)>;

  PooledChatService(EnginePool& pool, Library& library, Store& store, MetricsRegistry* metrics, OptionsFor engineOptions)
      : m_library(library), m_engineOptions(std::move(engineOptions)), m_core(std::make_shared<ChatCore>(pool, store, metrics)) {
    m_worker = std::make_unique<ChatWorker>(kTick, [core = m_core.get()] { core->tick(); });
    m_core->worker = m_worker.get();
    m_listener = pool.addListener([weak = std::weak_ptr(m_core)](const ModelStatus& status) {
      const auto core = weak.lock();
      if (!core || status.state != ModelState::Loading) return;
      for (const auto& run : core->all()) {
        if (run->waitsFor(status.id)) run->loadProgress(status.progress);
      }
    });
  }

  ~PooledChatService() override {
    shutdown();
    m_core->pool.removeListener(m_listener);
    {
      const std::lock_guard lock(m_core->mutex);
      m_core->worker = nullptr;
    }
    m_worker.reset();  // runs what is queued
    m_core->tick();    // the last try for what could not be stored
  }

  Result<ChatTaskPtr> complete(ChatRequest request, ChatSink sink) override {
    if (m_core->stopping) return closing();
    HEARTH_CHECK(chat::checkRequest(request));
    // A shape that cannot be held is the caller's mistake: it is said now, whether the model is loaded or not.
    if (auto grammar = m_core->grammars.get(request.shape, chat::shapeField(request.shape)); !grammar) return fail(std::move(grammar).error());
    HEARTH_TRY(const InstalledModel model, resolveForChat(request.model));
    HEARTH_CHECK(present(model, request));
    const auto run = std::make_shared<ChatRun>(m_core, model, std::move(request), std::move(sink), nullptr);
    if (!m_core->add(run)) return closing();
    if (LoadedModelPtr loaded = m_core->pool.find(model.poolId())) {
      if (auto submitted = run->submit(std::move(loaded)); !submitted) {
        run->abandon();
        return std::unexpected(std::move(submitted).error());
      }
    } else {
      load(run, model);
    }
    return run;
  }

  Result<SentMessage> send(ConversationId id, MessageId parent, const std::string& text, const SendOptions& options, ChatSink sink) override {
    if (m_core->stopping) return closing();
    if (text.empty()) return fail(ErrorCode::InvalidArgument, "the message is empty", {{"field", "text"}});
    HEARTH_TRY(Conversation conversation, m_core->store.conversation(id));
    HEARTH_TRY(std::vector<Message> path, m_core->store.path(parent));
    if (!path.empty() && path.back().conversation != id) {
      return fail(ErrorCode::InvalidArgument, "the parent belongs to another conversation", {{"parent", std::to_string(parent)}});
    }
    HEARTH_TRY(const InstalledModel model, resolveForChat(options.model.empty() ? conversation.model : options.model));
    Message user;
    user.conversation = id;
    user.parent = parent;
    user.text = text;
    path.push_back(user);
    HEARTH_TRY(const std::string systemPrompt, chat::effectivePrompt(m_core->store, conversation));
    ChatRequest request = requestFor(systemPrompt, path, options);
    HEARTH_CHECK(present(model, request));
    HEARTH_TRY(std::vector<Message> stored, m_core->store.addMessages({user, emptyReply(id, 0, model)}));
    if (conversation.title.empty() || conversation.model != model.id) {
      if (conversation.title.empty()) {
        // Files alone are a title, too.
        const chat::AttachedMessage parts = chat::splitAttachments(text);
        conversation.title = chat::titleFrom(parts.text.empty() && !parts.attachments.empty() ? parts.attachments.front().name : parts.text);
      }
      conversation.model = model.id;
      conversation.activeLeaf = stored[1].id;
      HEARTH_CHECK(updateConversation(conversation, stored[1]));
    }
    SentMessage sent;
    sent.user = std::move(stored[0]);
    sent.assistant = std::move(stored[1]);
    return start(std::move(sent), model, std::move(request), std::move(sink));
  }

  Result<SentMessage> regenerate(MessageId message, const SendOptions& options, ChatSink sink) override {
    if (m_core->stopping) return closing();
    HEARTH_TRY(const Message old, m_core->store.message(message));
    if (old.role != Role::Assistant || old.parent == 0) {
      return fail(ErrorCode::InvalidArgument, "only a model's reply can be generated again", {{"message", std::to_string(message)}});
    }
    HEARTH_TRY(Conversation conversation, m_core->store.conversation(old.conversation));
    HEARTH_TRY(const std::vector<Message> path, m_core->store.path(old.parent));
    HEARTH_TRY(const InstalledModel model, resolveForChat(options.model.empty() ? conversation.model : options.model));
    HEARTH_TRY(const std::string systemPrompt, chat::effectivePrompt(m_core->store, conversation));
    ChatRequest request = requestFor(systemPrompt, path, options);
    HEARTH_CHECK(present(model, request));
    SentMessage sent;
    HEARTH_TRY(sent.assistant, m_core->store.addMessage(emptyReply(old.conversation, old.parent, model)));
    if (conversation.model != model.id) {
      conversation.model = model.id;
      conversation.activeLeaf = sent.assistant.id;
      HEARTH_CHECK(updateConversation(conversation, sent.assistant));
    }
    return start(std::move(sent), model, std::move(request), std::move(sink));
  }

  Result<RenderedChat> render(const LoadedModel& model, const ChatRequest& request) const override {
    HEARTH_CHECK(chat::checkRequest(request));
    if (request.chatTemplate.empty()) return chat::renderChat(model, request);
    // Not owned: the caller holds it.
    HEARTH_TRY(const LoadedModelPtr presented, chat::withTemplate(LoadedModelPtr(LoadedModelPtr(), &model), request.chatTemplate));
    return chat::renderChat(*presented, request);
  }

  void shutdown() override {
    {
      const std::lock_guard lock(m_core->mutex);
      m_core->stopping = true;
    }
    for (const auto& run : m_core->all()) run->cancel();
    std::unique_lock lock(m_core->mutex);
    if (!m_core->idle.wait_for(lock, kShutdownPatience, [&] { return m_core->runs.empty(); })) {
      lock.unlock();
      // An engine that does not answer must not cost the text that is there; the next start marks it interrupted.
      log::error("chat", "some replies did not end in time");
      for (const auto& run : m_core->all()) {
        if (run->reply()) run->reply()->saveIfOlderThan(0ms);
      }
    }
  }

 private:
  Result<InstalledModel> resolveForChat(const std::string& name) {
    auto model = m_library.resolve(name);
    if (model && model->config && model->config->encoder) {
      return fail(ErrorCode::InvalidArgument, "this model makes embeddings of texts; it cannot chat",
                  {{"field", "model"}, {"model", model->id}, {"capabilities", "embedding"}});
    }
    return model;
  }

  static Result<void> present(const InstalledModel& model, ChatRequest& request) {
    HEARTH_CHECK(chat::applyPreset(model.preset, request));
    return chat::checkRequest(request);
  }

  static std::unexpected<Error> closing() { return fail(ErrorCode::ShuttingDown, "the program is closing"); }

  static Message emptyReply(ConversationId conversation, MessageId parent, const InstalledModel& model) {
    Message reply;
    reply.conversation = conversation;
    reply.parent = parent;
    reply.role = Role::Assistant;
    reply.state = MessageState::Streaming;
    reply.model = model.id;
    return reply;
  }

  // The messages are stored already: when the rest fails, the reply must not stay in state Streaming.
  Result<void> updateConversation(const Conversation& conversation, Message reply) {
    auto updated = m_core->store.updateConversation(conversation);
    if (updated) return updated;
    reply.state = MessageState::Failed;
    reply.error = updated.error();
    if (const auto marked = m_core->store.updateMessage(reply); !marked) log::error("chat", marked.error().describe());
    return updated;
  }

  Result<SentMessage> start(SentMessage sent, const InstalledModel& model, ChatRequest request, ChatSink sink) {
    const auto reply = std::make_shared<Reply>(m_core->store, sent.assistant);
    const auto run = std::make_shared<ChatRun>(m_core, model, std::move(request), std::move(sink), reply);
    sent.task = run;
    if (!m_core->add(run)) {
      Message interrupted;
      interrupted.state = MessageState::Interrupted;
      HEARTH_CHECK(reply->finish(std::move(interrupted)));
      return closing();
    }
    if (LoadedModelPtr loaded = m_core->pool.find(model.poolId())) {
      if (auto submitted = run->submit(std::move(loaded)); !submitted) run->failWith(std::move(submitted).error());
    } else {
      load(run, model);
    }
    return sent;
  }

  void load(const std::shared_ptr<ChatRun>& run, const InstalledModel& model) {
    m_core->post([run] { run->loadProgress(0); });
    m_core->pool.acquire(model.poolId(), model.path, m_engineOptions ? m_engineOptions(model) : EngineOptions{},
                         [run](Result<LoadedModelPtr> loaded) { run->loadEnded(std::move(loaded)); });
  }

  Library& m_library;
  OptionsFor m_engineOptions;
  std::shared_ptr<ChatCore> m_core;
  std::unique_ptr<ChatWorker> m_worker;
  int m_listener = 0;
};

}  // namespace

std::unique_ptr<ChatService> ChatService::create(EnginePool& pool, Library& library, Store& store, MetricsRegistry* metrics,
                                                 std::function<EngineOptions(const InstalledModel&)> engineOptions) {
  return std::make_unique<PooledChatService>(pool, library, store, metrics, std::move(engineOptions));
}

}  // namespace hearth
