#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/store/store.h"

/// How an owner keeps order in their conversations. Nothing here sees or touches what belongs to another owner: what is
/// asked for and belongs to somebody else is NotFound.
namespace hearth::store {

using TagId = std::int64_t;

struct Folder {
  FolderId id = 0;
  FolderId parent = 0;  ///< 0 = at the top
  std::string name;     ///< unique among its siblings
};

struct Tag {
  TagId id = 0;
  std::string name;  ///< unique for the owner, whatever the case of ASCII letters
};

/// A manner of answering that chats can share: what it leaves empty comes from the model, what a chat sets goes before it.
struct Persona {
  PersonaId id = 0;  ///< 0 = not saved yet
  std::string name;  ///< unique for the owner, whatever the case of ASCII letters
  std::string model;          ///< library name; empty = any
  std::string systemPrompt;
  std::string parametersJson = "{}";  ///< as Conversation's
  std::int64_t createdMs = 0, updatedMs = 0;
};

/// Everything a list of chats shows, read at one moment.
struct Shelf {
  std::vector<Conversation> conversations;  ///< not in the trash; pinned first, then the newest
  std::vector<Folder> folders;              ///< parents before children, by name among siblings
  std::vector<Tag> tags;                    ///< by name
  std::vector<std::pair<ConversationId, TagId>> tagged;
  std::vector<Persona> personas;            ///< by name
  int trashed = 0;
};

/// One place where a search found its words.
struct SearchHit {
  ConversationId conversation = 0;
  MessageId message = 0;  ///< 0 = the title
  std::string title;      ///< of the conversation
  Role role = Role::User;
  std::string excerpt;    ///< the words with what stands around them, in one line
  std::vector<std::pair<int, int>> marks;  ///< the words in it: first byte, and the one after the last
  std::int64_t timeMs = 0;                 ///< of the message, else of the conversation's last change
};

/// A conversation with everything in it, as it is exported and imported.
struct ConversationTree {
  Conversation conversation;  ///< its ids mean nothing outside; activeLeaf and the messages' parents are ids of `messages`
  std::vector<std::string> folder;  ///< names from the top
  std::vector<std::string> tags;
  std::string persona;              ///< its name; told only, not made on import
  std::vector<Message> messages;    ///< parents before children
};

/// Folders, tags, pins, trash, search, personas. Any thread; writing calls return after COMMIT. Lists of ids: all or nothing.
class Organiser {
 public:
  virtual ~Organiser() = default;

  [[nodiscard]] virtual Result<Shelf> shelf(UserId owner) = 0;

  /// Errors: AlreadyExists (a sibling of that name), InvalidArgument (name, a folder into itself, more than 16 levels).
  [[nodiscard]] virtual Result<Folder> createFolder(UserId owner, const std::string& name, FolderId parent) = 0;
  [[nodiscard]] virtual Result<void> renameFolder(UserId owner, FolderId id, const std::string& name) = 0;
  [[nodiscard]] virtual Result<void> moveFolder(UserId owner, FolderId id, FolderId parent) = 0;
  /// What was in it comes one level up; folders whose name is taken there get a number.
  [[nodiscard]] virtual Result<void> removeFolder(UserId owner, FolderId id) = 0;
  [[nodiscard]] virtual Result<void> fileInto(UserId owner, const std::vector<ConversationId>& ids, FolderId folder) = 0;

  [[nodiscard]] virtual Result<void> pin(UserId owner, const std::vector<ConversationId>& ids, bool pinned) = 0;

  /// A tag is there as long as a conversation carries it.
  [[nodiscard]] virtual Result<void> tag(UserId owner, const std::vector<ConversationId>& ids, const std::string& name) = 0;
  [[nodiscard]] virtual Result<void> untag(UserId owner, const std::vector<ConversationId>& ids, TagId tag) = 0;
  [[nodiscard]] virtual Result<void> renameTag(UserId owner, TagId tag, const std::string& name) = 0;
  [[nodiscard]] virtual Result<void> removeTag(UserId owner, TagId tag) = 0;

  [[nodiscard]] virtual Result<void> trash(UserId owner, const std::vector<ConversationId>& ids) = 0;
  [[nodiscard]] virtual Result<void> restore(UserId owner, const std::vector<ConversationId>& ids) = 0;
  [[nodiscard]] virtual Result<std::vector<Conversation>> trashed(UserId owner) = 0;  ///< latest first
  /// For good, and only what lies in the trash (else InvalidArgument).
  [[nodiscard]] virtual Result<void> erase(UserId owner, const std::vector<ConversationId>& ids) = 0;
  /// Of all owners: erases what was put into the trash before this time. Returns how many.
  [[nodiscard]] virtual Result<int> eraseTrashedBefore(std::int64_t timeMs) = 0;

  /// Messages (of every branch) and titles with all these words, best first; the trash is left out. Words in double quotes
  /// stand side by side; the last word may be the beginning of one. Nothing but punctuation finds nothing.
  [[nodiscard]] virtual Result<std::vector<SearchHit>> search(UserId owner, const std::string& words, int most = 100) = 0;
  /// Brings the index up to date; search() does it too. For idle moments.
  [[nodiscard]] virtual Result<void> index() = 0;

  [[nodiscard]] virtual Result<std::vector<Persona>> personas(UserId owner) = 0;
  [[nodiscard]] virtual Result<Persona> persona(UserId owner, PersonaId id) = 0;
  /// Makes it (id 0) or changes it. Error: AlreadyExists (name).
  [[nodiscard]] virtual Result<Persona> savePersona(UserId owner, Persona persona) = 0;
  /// Chats that have it go on without one.
  [[nodiscard]] virtual Result<void> removePersona(UserId owner, PersonaId id) = 0;

  [[nodiscard]] virtual Result<ConversationTree> exportTree(UserId owner, ConversationId id) = 0;
  /// All or none become new conversations of `owner`, with their times; missing folders are made. A message whose parent
  /// does not stand before it, or that was being written, is InvalidArgument.
  [[nodiscard]] virtual Result<std::vector<ConversationId>> importTrees(UserId owner, std::span<const ConversationTree> trees) = 0;
};

}  // namespace hearth::store
