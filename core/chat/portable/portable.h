#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/store/organiser.h"

/// Conversations as files that other programs and people can read, and back. Pure: nothing here knows the database. Any thread.
namespace hearth::chat {

using store::ConversationTree;

/// Everything there is of them, every branch, in one JSON document; readChats() gives back the same.
[[nodiscard]] std::string exportJson(std::span<const ConversationTree> trees);
/// The branch that is shown of each, to be read by people; readChats() reads it, too, as that one branch.
[[nodiscard]] std::string exportMarkdown(std::span<const ConversationTree> trees);
/// A title as a file's name: what no file system takes is left out, never empty, at most 80 bytes.
[[nodiscard]] std::string fileNameFor(std::string_view title);

struct ReadChats {
  std::string format;  ///< "hearth", "markdown", "chatgpt", "openwebui"
  std::vector<ConversationTree> trees;
};

inline constexpr std::uint64_t kLargestImport = 64ULL << 20;  ///< bytes

/// Reads our JSON and Markdown, ChatGPT's conversations.json and Open WebUI's export of chats, by what is in them. What is
/// returned can be imported as it is; one bad conversation refuses them all. Errors: UnsupportedFormat (none of these),
/// Truncated (JSON that ends early), Corrupt (not JSON; a value of the wrong kind; messages in a circle or without their
/// parent; evidence: format, conversation (from 1), its title, field), UnsupportedVersion, InvalidArgument (too large).
[[nodiscard]] Result<ReadChats> readChats(std::string_view content);
/// The same of a file. Errors: those, and NotFound, PermissionDenied, Io; all with the path.
[[nodiscard]] Result<ReadChats> readChatsFile(const std::filesystem::path& path);

}  // namespace hearth::chat
