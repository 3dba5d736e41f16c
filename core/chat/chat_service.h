#pragma once

#include <boost/json/fwd.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/engine/engine_pool.h"
#include "core/engine/request.h"
#include "core/store/store.h"
#include "core/text/output_shape.h"

namespace hearth {

class Library;
class MetricsRegistry;
struct InstalledModel;

/// One turn as the template sees it.
struct ChatMessage {
  Role role = Role::User;
  std::string text;
  std::string name;          ///< optional speaker or tool name
  std::string extraJson;     ///< further fields for the template as a JSON object (tool_calls, tool_call_id, …); empty = none
};

/// What the model must do with the tools it was given.
struct ToolChoice {
  enum class Kind : std::uint8_t { Auto, None, Required, Named } kind = Kind::Auto;
  std::string name;  ///< Named: this function
};

/// A stateless chat: what the HTTP APIs and the terminal use.
struct ChatRequest {
  std::string model;  ///< library name or path
  std::vector<ChatMessage> messages;
  std::optional<std::string> prompt;           ///< instead of messages: text that is continued as it stands (control tokens in it count)
  std::optional<std::vector<TokenId>> promptTokens;  ///< instead of messages: tokens that are continued as they stand
  std::string toolsJson;            ///< JSON array handed to the template as `tools`; empty = none
  ToolChoice toolChoice;
  bool parallelToolCalls = true;    ///< false: the reply ends after its first call
  OutputShape shape;
  std::optional<bool> think;        ///< whether a reasoning model shall reason; none = as its template has it
  std::string chatTemplate;         ///< in place of the model's own: of its preset, never a caller's; empty = none
  std::vector<std::string> given;   ///< sampling parameters that the caller has set, by the API's names: a preset leaves them
  std::string templateVariablesJson;  ///< extra template variables (chat_template_kwargs); empty = none
  SamplingParams sampling;
  int maxTokens = -1;
  std::vector<std::string> stop;
  Priority priority = Priority::Interactive;
  std::string principal;
};

/// A piece of a tool call. The first piece of an index carries id and name, each further one only more of the arguments.
struct ToolCallDelta {
  int index = 0;          ///< counts the calls of one reply
  std::string id;         ///< "call_…"
  std::string name;
  std::string arguments;  ///< JSON text; all pieces of an index together are one JSON object
};

/// What a frontend sees; order: [Loading…] [Queued…] Started (Text | Reasoning | ToolCall)… Finished. Failed instead of
/// Finished on errors.
struct ChatEvent {
  enum class Kind : std::uint8_t { Loading, Queued, Started, Text, Reasoning, ToolCall, Finished, Failed } kind = Kind::Text;
  double loadProgress = 0;            // Loading
  int queuePosition = 0;              // Queued
  double queueEstimateSeconds = -1;
  int promptTokens = 0, cachedTokens = 0, contextTokens = 0;  // Started
  bool plainFormat = false;   // Started: the model has no chat template, "User: …\n\nAssistant:" was used
  std::string text;                   // Text, Reasoning: valid UTF-8, not empty unless it carries a logprob
  TokenId token = -1;                 // Text, Reasoning
  ToolCallDelta toolCall;             // ToolCall
  std::optional<TokenLogprob> logprob;
  FinishReason reason = FinishReason::Stop;  // Finished
  std::string stopString;
  int generatedTokens = 0;            // Finished (and promptTokens)
  int reasoningTokens = 0;            // Finished: how many of these were spent on reasoning
  int toolCalls = 0;                  // Finished: how many the reply made
  int draftedTokens = 0, acceptedTokens = 0;  // Finished: speculation's guesses, and of these right
  double firstTokenSeconds = 0, tokensPerSecond = 0, prefillSeconds = 0, queueSeconds = 0;
  std::optional<Error> error;         // Failed
};

/// Called on engine, loader or service threads, one at a time for a request; must not block. False = consumer gone: cancel.
using ChatSink = std::function<bool(const ChatEvent&)>;

/// A running chat; cancel() is cheap and idempotent from any thread, also before the model is loaded. Dropping it does not cancel.
class ChatTask {
 public:
  virtual ~ChatTask() = default;
  virtual void cancel() = 0;
  [[nodiscard]] virtual std::uint64_t id() const noexcept = 0;
};
using ChatTaskPtr = std::shared_ptr<ChatTask>;

/// Parameters of one send from the desktop.
struct SendOptions {
  std::string model;
  std::string principal;  ///< whose turn it is in the engine's queue; empty = the machine's own user
  SamplingParams sampling;
  int maxTokens = -1;
  std::vector<std::string> stop;
  std::string toolsJson;  ///< as in ChatRequest
  std::vector<std::string> given = {};  ///< as in ChatRequest: what the chat or its persona sets
};

/// What send() acknowledged: both messages are committed when it returns.
struct SentMessage {
  Message user;       ///< id 0 when regenerating
  Message assistant;  ///< state Streaming; its text grows in the store at least every 2 s
  ChatTaskPtr task;
};

/// Messages in, events out: the one path of DESIGN section 2. Owns nothing but its threads; pool, library and store
/// outlive it. Any thread; send(), regenerate() and edit() write to the store: not on the UI thread.
class ChatService {
 public:
  /// `metrics` (may be null, else outlives it too) gets each request's figures; see chat_metrics.h. `engineOptions` says how
  /// a model is loaded that is not in memory; any thread; empty = the defaults.
  [[nodiscard]] static std::unique_ptr<ChatService> create(EnginePool& pool, Library& library, Store& store, MetricsRegistry* metrics = nullptr,
                                                           std::function<EngineOptions(const InstalledModel&)> engineOptions = {});
  virtual ~ChatService() = default;

  /// Stateless. Returns at once; what is wrong with the request itself is an error here (NotFound, InvalidArgument,
  /// TemplateFailed and ContextOverflow when the model is loaded already), the rest comes as Failed.
  [[nodiscard]] virtual Result<ChatTaskPtr> complete(ChatRequest request, ChatSink sink) = 0;

  /// A conversation without a title gets one: the first line of this text, at most 60 characters.
  /// Adds the user's message below `parent` (0 = root) and an empty assistant message below it, both committed, then generates.
  [[nodiscard]] virtual Result<SentMessage> send(ConversationId conversation, MessageId parent, const std::string& text,
                                                 const SendOptions& options, ChatSink sink) = 0;
  /// A new sibling of the assistant message `message`.
  [[nodiscard]] virtual Result<SentMessage> regenerate(MessageId message, const SendOptions& options, ChatSink sink) = 0;

  /// The prompt of these messages as the model's template renders it, and its tokens. Error: ModelNotLoaded, TemplateFailed.
  struct RenderedChat {
    std::string text;
    std::vector<TokenId> tokens;
    bool plainFormat = false;       ///< no chat template: see plain_format.h
    std::vector<std::string> stop;  ///< stop strings that this format needs, besides the request's own
  };
  [[nodiscard]] virtual Result<RenderedChat> render(const LoadedModel& model, const ChatRequest& request) const = 0;

  /// Stops new work, cancels what runs, and returns when every partial reply is committed: about a second at most, also when
  /// an engine is in the middle of a long step. Idempotent.
  virtual void shutdown() = 0;
};

}  // namespace hearth
