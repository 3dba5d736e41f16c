#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <unordered_map>

#include "core/chat/portable/fields.h"
#include "core/chat/portable/portable.h"

// The layout. Everything a reader of the file need not see stands in comments, a line each; what is between a comment of a
// message and its "text" comment is decoration. A line of a text that looks like such a comment gets a backslash in front.
//
//   <!-- hearth:chat {…} -->
//   # Title
//
//   <!-- hearth:message {…} -->
//   ## Assistant · model
//   <!-- hearth:reasoning -->        only where there is some
//   …
//
//   <!-- hearth:text -->
//   …
namespace hearth::chat {

namespace json = boost::json;

namespace {

constexpr std::string_view kMark = "<!-- hearth:";
constexpr std::string_view kEnd = " -->";
constexpr int kVersion = 1;

// JSON inside a comment must not end it; '>' stands in its strings only.
std::string comment(std::string_view kind, const json::object& facts) {
  const std::string plain = json::serialize(facts);
  std::string out = fmt::format("{}{} ", kMark, kind);
  for (const char c : plain) {
    if (c == '>') {
      out += "\\u003e";
    } else {
      out += c;
    }
  }
  return out.append(kEnd).append("\n");
}

// The rest of the line after its backslashes is a comment of ours.
bool looksLikeMark(std::string_view line) {
  const std::size_t first = line.find_first_not_of('\\');
  return first != std::string_view::npos && line.substr(first).starts_with(kMark);
}

void appendBody(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (looksLikeMark(line)) out += '\\';
    out.append(line).append("\n");
    at = end + 1;
  }
  out += '\n';
}

// What appendBody made of it; blank lines at the end that an editor took away are not missed.
std::string bodyOf(const std::vector<std::string_view>& lines) {
  std::size_t count = lines.size();
  if (count > 0 && lines[count - 1].empty()) --count;  // the blank line after each body
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += '\n';
    text += lines[i].starts_with('\\') && looksLikeMark(lines[i]) ? lines[i].substr(1) : lines[i];
  }
  return text;
}

std::vector<const Message*> shownBranch(const ConversationTree& tree) {
  std::unordered_map<MessageId, const Message*> byId;
  for (const Message& message : tree.messages) byId.emplace(message.id, &message);
  MessageId at = tree.conversation.activeLeaf;
  if (!byId.contains(at) && !tree.messages.empty()) at = tree.messages.back().id;
  std::vector<const Message*> branch;
  while (branch.size() <= tree.messages.size()) {
    const auto found = byId.find(at);
    if (found == byId.end()) break;
    branch.push_back(found->second);
    at = found->second->parent;
  }
  return {branch.rbegin(), branch.rend()};
}

std::string_view headingOf(Role role) {
  switch (role) {
    case Role::System: return "System";
    case Role::User: return "User";
    case Role::Assistant: return "Assistant";
    case Role::Tool: return "Tool";
  }
  return "";
}

std::string oneLine(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return line;
}

struct Mark {
  std::string_view kind;
  json::object facts;
};

// The comment on this line, if it is one of ours.
Result<std::optional<Mark>> markOn(std::string_view line, const Place& place) {
  if (!line.starts_with(kMark)) return std::nullopt;
  while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  if (!line.ends_with("-->")) return place.bad("a comment of Hearth's is cut off", {});
  line = line.substr(kMark.size(), line.size() - kMark.size() - 3);
  Mark mark;
  const std::size_t space = std::min(line.find(' '), line.size());
  mark.kind = line.substr(0, space);
  line.remove_prefix(space);
  while (line.starts_with(' ')) line.remove_prefix(1);
  while (line.ends_with(' ')) line.remove_suffix(1);
  if (line.empty()) return mark;
  boost::system::error_code code;
  json::value value = json::parse({line.data(), line.size()}, code);
  if (code || !value.is_object()) return place.bad("a comment of Hearth's cannot be read", mark.kind);
  mark.facts = std::move(value.get_object());
  return mark;
}

}  // namespace

std::string exportMarkdown(std::span<const ConversationTree> trees) {
  std::string out;
  for (const ConversationTree& tree : trees) {
    json::object facts = conversationFacts(tree);
    facts["version"] = kVersion;
    out += comment("chat", facts);
    out += fmt::format("# {}\n\n", oneLine(tree.conversation.title));
    for (const Message* message : shownBranch(tree)) {
      json::object about = messageFacts(*message);
      about.erase("id");  // one branch: its order says it
      about.erase("parent");
      out += comment("message", about);
      out += fmt::format("## {}{}{}\n", headingOf(message->role), message->model.empty() ? "" : " · ", oneLine(message->model));
      if (!message->reasoning.empty()) {
        out += fmt::format("{}reasoning{}\n", kMark, kEnd);
        appendBody(out, message->reasoning);
      }
      out += fmt::format("{}text{}\n", kMark, kEnd);
      appendBody(out, message->text);
    }
  }
  return out;
}

Result<std::vector<ConversationTree>> readOurMarkdown(std::string_view text) {
  Place place{"markdown", 0, {}};
  std::vector<ConversationTree> trees;
  enum class In { Decoration, Reasoning, Text } in = In::Decoration;
  std::vector<std::string_view> lines;
  Message* message = nullptr;
  const auto close = [&] {
    if (message != nullptr && in == In::Reasoning) message->reasoning = bodyOf(lines);
    if (message != nullptr && in == In::Text) message->text = bodyOf(lines);
    lines.clear();
    in = In::Decoration;
  };
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    HEARTH_TRY(const std::optional<Mark> mark, markOn(line, place));
    if (!mark) {
      if (in != In::Decoration) lines.push_back(line);
      continue;
    }
    close();
    if (mark->kind == "chat") {
      ++place.conversation;
      place.title.clear();
      message = nullptr;
      Fields fields(mark->facts, place);
      if (fields.whole("version") != kVersion && fields.done()) {
        return fail(ErrorCode::UnsupportedVersion, "these chats were exported by another version of Hearth",
                    {{"version", std::to_string(fields.whole("version"))}, {"supported_version", std::to_string(kVersion)}});
      }
      readFacts(fields, trees.emplace_back());
      HEARTH_CHECK(fields.done());
      place.title = trees.back().conversation.title;
    } else if (mark->kind == "message") {
      if (trees.empty()) return place.bad("a message stands before the first chat", "message");
      ConversationTree& tree = trees.back();
      Fields fields(mark->facts, place);
      Message read = readFacts(fields);
      HEARTH_CHECK(fields.done());
      read.parent = static_cast<MessageId>(tree.messages.size());  // one branch
      read.id = read.parent + 1;
      tree.messages.push_back(std::move(read));
      tree.conversation.activeLeaf = tree.messages.back().id;
      message = &tree.messages.back();
    } else if ((mark->kind == "reasoning" || mark->kind == "text") && message != nullptr) {
      in = mark->kind == "text" ? In::Text : In::Reasoning;
    } else {
      return place.bad("a comment of Hearth's stands where it cannot", mark->kind);
    }
  }
  close();
  return trees;
}

}  // namespace hearth::chat
