#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "core/base/platform/small_file.h"
#include "core/chat/portable/fields.h"
#include "core/chat/portable/portable.h"

namespace hearth::chat {

namespace json = boost::json;

namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kLongestName = 80;

std::unexpected<Error> tooLarge(std::uint64_t bytes) {
  return fail(ErrorCode::InvalidArgument, "the file is too large to import",
              {{"bytes", std::to_string(bytes)}, {"limit_bytes", std::to_string(kLargestImport)}});
}

std::unexpected<Error> unknown() {
  return fail(ErrorCode::UnsupportedFormat,
              "this is no export of chats that Hearth knows (its own JSON and Markdown, ChatGPT's conversations.json, Open WebUI's JSON)");
}

bool hasKey(const json::value& value, std::string_view key) {
  return value.is_object() && value.get_object().contains({key.data(), key.size()});
}

bool isOurs(const json::value& value) {
  const json::object* object = value.if_object();
  const json::value* format = object == nullptr ? nullptr : object->if_contains("format");
  return format != nullptr && format->is_string() && format->get_string() == "hearth-chats";
}

Result<ReadChats> readJson(std::string_view content) {
  json::parse_options options;
  options.max_depth = kDeepest;
  boost::system::error_code code;
  json::monotonic_resource memory;
  json::value value = json::parse({content.data(), content.size()}, code, &memory, options);
  if (code == json::error::incomplete) {
    return fail(ErrorCode::Truncated, "the file ends in the middle", {{"bytes", std::to_string(content.size())}});
  }
  if (code) return fail(ErrorCode::Corrupt, "the file is not JSON", {{"parser", code.message()}});
  ReadChats out;
  if (isOurs(value)) {
    out.format = "hearth";
    HEARTH_TRY(out.trees, readOurJson(value.get_object()));
    return out;
  }
  // One that was exported alone.
  if (hasKey(value, "mapping") || hasKey(value, "chat")) {
    json::value alone = std::move(value);
    value = json::array{std::move(alone)};
  }
  if (!value.is_array()) return unknown();
  const json::array& list = value.get_array();
  bool chatGpt = false;
  bool openWebUi = false;
  for (const json::value& entry : list) {
    chatGpt = chatGpt || hasKey(entry, "mapping");
    openWebUi = openWebUi || hasKey(entry, "chat");
  }
  if (chatGpt == openWebUi) return unknown();
  out.format = chatGpt ? "chatgpt" : "openwebui";
  HEARTH_TRY(out.trees, chatGpt ? readChatGpt(list) : readOpenWebUi(list));
  return out;
}

}  // namespace

std::string fileNameFor(std::string_view title) {
  std::string name;
  for (const char c : title) {
    const bool bad = static_cast<unsigned char>(c) < ' ' || c == 0x7F || std::string_view("/\\:*?\"<>|").find(c) != std::string_view::npos;
    name += bad ? ' ' : c;
  }
  if (name.size() > kLongestName) {
    std::size_t cut = kLongestName;
    while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0U) == 0x80U) --cut;
    name.resize(cut);
  }
  const std::size_t begin = name.find_first_not_of(" .");
  if (begin == std::string::npos) return "chat";
  return name.substr(begin, name.find_last_not_of(" .") + 1 - begin);
}

Result<ReadChats> readChats(std::string_view content) {
  if (content.size() > kLargestImport) return tooLarge(content.size());
  try {
    std::string_view text = content;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return unknown();
    if (text[first] == '{' || text[first] == '[') return readJson(text.substr(first));
    if (!text.starts_with("<!-- hearth:chat ") && text.find("\n<!-- hearth:chat ") == std::string_view::npos) return unknown();
    ReadChats out;
    out.format = "markdown";
    HEARTH_TRY(out.trees, readOurMarkdown(text));
    return out;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::OutOfMemory, "no memory to read the chats", {{"bytes", std::to_string(content.size())}});
  } catch (const std::exception& problem) {
    return fail(ErrorCode::Corrupt, std::string("the chats cannot be read: ") + problem.what());
  }
}

Result<ReadChats> readChatsFile(const std::filesystem::path& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) return fail(ErrorCode::NotFound, "there is no such file", {{"path", path.string()}});
  if (!std::filesystem::is_regular_file(status)) return fail(ErrorCode::InvalidArgument, "this is not a file", {{"path", path.string()}});
  HEARTH_TRY(const std::string content, platform::readSmallFile(path, kLargestImport));
  auto read = readChats(content);
  if (!read) return fail(std::move(read.error()).with("path", path.string()));
  return read;
}

}  // namespace hearth::chat
