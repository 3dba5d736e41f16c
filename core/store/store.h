#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace hearth {

using ConversationId = std::int64_t;
using MessageId = std::int64_t;
using UserId = std::int64_t;  ///< of the team; 0 = the machine's own user, at the desktop

using FolderId = std::int64_t;
using PersonaId = std::int64_t;

namespace store {
class Organiser;
class TeamStore;
}

enum class Role : std::uint8_t { System, User, Assistant, Tool };
/// "system", "user", "assistant", "tool": as templates and every API name them.
[[nodiscard]] std::string_view roleName(Role role) noexcept;
[[nodiscard]] std::optional<Role> messageRoleNamed(std::string_view name) noexcept;
enum class MessageState : std::uint8_t {
  Complete,
  Streaming,    ///< being written now; a leftover at start becomes Interrupted
  Interrupted,  ///< the program ended while it was written
  Stopped,      ///< by the user
  Failed,       ///< its cause in `error`
};

struct Conversation {
  ConversationId id = 0;
  std::string title;
  std::string model;           ///< last model used, a library name
  std::string systemPrompt;
  std::string parametersJson;  ///< SamplingParams overrides, "{}" when none
  std::int64_t createdMs = 0, updatedMs = 0;
  MessageId activeLeaf = 0;    ///< the branch that is shown; 0 = empty
  UserId owner = 0;            ///< who alone sees it; set when it is made
  PersonaId persona = 0;       ///< of the same owner; 0 = none
  bool ownPrompt = false;      ///< `systemPrompt` holds although it is empty: the persona's is not used
  FolderId folder = 0;         ///< 0 = in none; changed by store::Organiser alone, as are the following
  std::int64_t pinnedMs = 0;   ///< since when it stands above the others; 0 = it does not
  std::int64_t trashedMs = 0;  ///< since when it lies in the trash; 0 = it does not
};

/// A call of a tool, as the model made it.
struct MessageCall {
  std::string id, name;
  std::string arguments;  ///< JSON text; cut off where the reply was
  bool operator==(const MessageCall&) const = default;
};

/// Messages form a tree: regenerate and edit add a sibling, nothing is overwritten.
struct Message {
  MessageId id = 0;
  ConversationId conversation = 0;
  MessageId parent = 0;  ///< 0 = root
  Role role = Role::User;
  MessageState state = MessageState::Complete;
  std::string text;
  std::string reasoning = {};           ///< of a reply: what the model thought before it answered
  std::vector<MessageCall> calls = {};  ///< of a reply: the tools that it wants
  std::string model;
  std::optional<Error> error;  ///< of a Failed reply; from before codes were stored: Internal, with the text of then
  bool lengthLimited = false;  ///< the reply ended because it reached its token limit
  std::int64_t createdMs = 0;
  int promptTokens = 0, generatedTokens = 0;
  double tokensPerSecond = 0, firstTokenSeconds = 0;
  int siblingIndex = 0, siblingCount = 1;  ///< filled by path(): which of the parent's children this is
};

/// The one SQLite database (WAL, synchronous=FULL). Owns the connections; one writer thread inside. Every writing call
/// returns only after COMMIT: acknowledged means committed. Any thread; calls may block for a disk flush: not on the UI thread.
class Store {
 public:
  /// Opens or creates, checks (quick_check after an unclean exit), migrates (backup first), marks leftover Streaming
  /// messages Interrupted. Errors: Corrupt (damaged: evidence path and what check says; the file is left as it is),
  /// UnsupportedVersion (newer schema), ReadOnly, DiskFull, PermissionDenied, Io.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(const std::filesystem::path& database);
  /// Opens beside the process that holds the data folder's lock, for short administrative commands: nothing is migrated,
  /// marked or checkpointed. Errors: NotFound (not made yet, or just being made), UnsupportedVersion (any other schema than
  /// this build's), those of open().
  [[nodiscard]] static Result<std::unique_ptr<Store>> attach(const std::filesystem::path& database);
  /// Puts a checked copy of `backup` in the place of `database`, whose files are kept under the name in the result (empty:
  /// there was none). Nobody may have it open: the caller holds the data folder's lock. What was signed in is signed out.
  /// Errors: NotFound, Corrupt, UnsupportedVersion of the backup; DiskFull and the like. On an error the old one is in place.
  [[nodiscard]] static Result<std::filesystem::path> restore(const std::filesystem::path& backup, const std::filesystem::path& database);
  virtual ~Store() = default;

  [[nodiscard]] virtual Result<Conversation> createConversation(const std::string& title, const std::string& model) = 0;
  [[nodiscard]] virtual Result<std::vector<Conversation>> conversations() = 0;  ///< the machine's own, newest first, trash left out
  /// The same for a member of the team. Only the real store has members. Error: NotFound (user).
  [[nodiscard]] virtual Result<Conversation> createConversationOf(UserId owner, const std::string& title, const std::string& model);
  [[nodiscard]] virtual Result<std::vector<Conversation>> conversationsOf(UserId owner);
  /// Those with this text in their title or a message, whatever the case of ASCII letters.
  [[nodiscard]] virtual Result<std::vector<Conversation>> searchConversations(UserId owner, const std::string& text);
  /// All messages of a conversation, parents before children.
  [[nodiscard]] virtual Result<std::vector<Message>> tree(ConversationId conversation);
  /// Removes it and its messages for good.
  [[nodiscard]] virtual Result<void> eraseConversation(ConversationId id);
  [[nodiscard]] virtual Result<Conversation> conversation(ConversationId id) = 0;
  /// Title, model, prompt, parameters, persona, activeLeaf.
  [[nodiscard]] virtual Result<void> updateConversation(const Conversation& conversation) = 0;
  [[nodiscard]] virtual Result<void> trashConversation(ConversationId id) = 0;
  [[nodiscard]] virtual Result<void> restoreConversation(ConversationId id) = 0;

  /// Adds a message (id, createdMs are set) and makes it the active leaf.
  [[nodiscard]] virtual Result<Message> addMessage(Message message) = 0;
  /// Adds several messages in one commit, each below the one before it (the first below its own `parent`); the last
  /// becomes the active leaf. Either all are there or none.
  [[nodiscard]] virtual Result<std::vector<Message>> addMessages(std::vector<Message> chain);
  /// Text, reasoning, calls, state, error, limit and figures of a message that exists.
  [[nodiscard]] virtual Result<void> updateMessage(const Message& message) = 0;
  [[nodiscard]] virtual Result<Message> message(MessageId id) = 0;
  /// From the root to `leaf`, with sibling numbers.
  [[nodiscard]] virtual Result<std::vector<Message>> path(MessageId leaf) = 0;
  [[nodiscard]] virtual Result<std::vector<Message>> children(ConversationId conversation, MessageId parent) = 0;
  /// The newest leaf below `message` (for switching branches).
  [[nodiscard]] virtual Result<MessageId> latestLeaf(MessageId message) = 0;

  [[nodiscard]] virtual Result<std::optional<std::string>> setting(const std::string& key) = 0;
  [[nodiscard]] virtual Result<void> setSetting(const std::string& key, const std::string& value) = 0;

  /// The team's tables; null for stores without them (fakes). Lives as long as the store.
  [[nodiscard]] virtual store::TeamStore* team() noexcept { return nullptr; }
  /// Folders, tags, trash, search, personas; null for stores without them (fakes). Lives as long as the store.
  [[nodiscard]] virtual store::Organiser* organiser() noexcept { return nullptr; }
  /// Writes a checked copy of everything committed to `target`, replacing it; the store stays in use meanwhile.
  [[nodiscard]] virtual Result<void> backup(const std::filesystem::path& target);
};

}  // namespace hearth
