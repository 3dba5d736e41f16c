#include "core/chat/attachment.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace hearth::chat {
namespace {

constexpr std::string_view kOpen = "<attached-file name=\"";
constexpr std::string_view kBytes = "\" bytes=\"";
constexpr std::string_view kCut = "\" cut=\"true";
constexpr std::string_view kHeadEnd = "\">\n";
constexpr std::string_view kClose = "\n</attached-file>\n\n";

// The name is shown, and no more: what would end it is left out.
std::string plainName(std::string_view name) {
  std::string out;
  for (const char c : name) out += c == '"' || c == '<' || c == '>' || static_cast<unsigned char>(c) < ' ' ? '_' : c;
  return out;
}

bool take(std::string_view& rest, std::string_view expected) {
  if (!rest.starts_with(expected)) return false;
  rest.remove_prefix(expected.size());
  return true;
}

std::optional<Attachment> takeOne(std::string_view& message) {
  std::string_view rest = message;
  if (!take(rest, kOpen)) return std::nullopt;
  const std::size_t quote = rest.find_first_of("\"\n");
  if (quote == std::string_view::npos) return std::nullopt;
  Attachment attachment;
  attachment.name = rest.substr(0, quote);
  rest.remove_prefix(quote);
  if (!take(rest, kBytes)) return std::nullopt;
  std::size_t bytes = 0;
  const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), bytes);
  if (problem != std::errc()) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  attachment.cut = take(rest, kCut);
  if (!take(rest, kHeadEnd) || bytes > rest.size()) return std::nullopt;
  attachment.text = rest.substr(0, bytes);
  rest.remove_prefix(bytes);
  if (!take(rest, kClose)) return std::nullopt;
  message = rest;
  return attachment;
}

}  // namespace

std::string joinAttachments(const std::vector<Attachment>& attachments, std::string_view text) {
  std::string out;
  for (const Attachment& each : attachments) {
    out += fmt::format("{}{}{}{}{}{}", kOpen, plainName(each.name), kBytes, each.text.size(), each.cut ? kCut : std::string_view(), kHeadEnd);
    out.append(each.text).append(kClose);
  }
  return out.append(text);
}

AttachedMessage splitAttachments(std::string_view message) {
  AttachedMessage out;
  while (auto attachment = takeOne(message)) out.attachments.push_back(*std::move(attachment));
  out.text = message;
  return out;
}

}  // namespace hearth::chat
