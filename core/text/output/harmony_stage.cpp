#include "core/text/output/harmony_stage.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hearth::output {
namespace {

constexpr std::string_view kChannel = "<|channel|>", kMessage = "<|message|>", kStart = "<|start|>",
                           kRecipient = "to=", kFunctions = "functions.";
constexpr std::array<std::string_view, 5> kBodyEnds{"<|end|>", kStart, kChannel, "<|call|>", "<|return|>"};
constexpr std::size_t kLongestHeader = 512;

std::string_view word(std::string_view text, std::size_t begin) {
  text.remove_prefix(std::min(begin, text.size()));
  return text.substr(0, text.find_first_of(" \t\r\n<"));
}

}  // namespace

void HarmonyStage::step(char c, std::size_t at, Pieces& out) {
  if (m_state == State::Done) return;
  if (m_held.empty()) m_heldAt = at;
  m_held += c;
  if (m_state == State::Header) return stepHeader(out);
  const auto mayBeEnd = [&] { return std::ranges::any_of(kBodyEnds, [&](auto mark) { return mark.starts_with(m_held); }); };
  while (!m_held.empty() && !mayBeEnd()) {
    const char first = m_held.front();
    m_held.erase(0, 1);
    give(first, m_heldAt++, out);
    if (m_state == State::Done) return m_held.clear();
  }
  if (std::ranges::find(kBodyEnds, m_held) == kBodyEnds.end()) return;
  if (m_held != kStart && m_held != kChannel) m_held.clear();  // else it begins the next header
  m_state = State::Header;
}

void HarmonyStage::stepHeader(Pieces& out) {
  if (m_held.ends_with(kMessage)) return beginBody();
  const std::string_view held = m_held;
  const bool begins = kChannel.starts_with(held.substr(0, kChannel.size())) ||
                      kStart.starts_with(held.substr(0, kStart.size())) ||
                      std::string_view(" to=").starts_with(held.substr(0, 4));
  if (held.size() <= kLongestHeader && (begins || !m_first)) return;
  const std::string text = std::exchange(m_held, {});
  m_state = State::Body;
  m_body = Body::Text;
  m_first = false;
  for (std::size_t i = 0; i < text.size(); ++i) give(text[i], m_heldAt + i, out);
}

void HarmonyStage::beginBody() {
  const std::size_t channelAt = m_held.rfind(kChannel);
  const std::string_view channel = channelAt == std::string::npos ? "" : word(m_held, channelAt + kChannel.size());
  const std::size_t recipientAt = m_held.find(kRecipient);
  std::string_view recipient = recipientAt == std::string::npos ? "" : word(m_held, recipientAt + kRecipient.size());
  if (recipient.starts_with(kFunctions)) recipient.remove_prefix(kFunctions.size());
  m_tool = recipient;
  m_body = m_tools.contains(m_tool) ? Body::Call : channel == "analysis" ? Body::Reasoning : Body::Text;
  m_arguments.reset();
  m_held.clear();
  m_first = false;
  m_state = State::Body;
}

void HarmonyStage::give(char c, std::size_t at, Pieces& out) {
  if (m_body == Body::Call && !m_arguments) {
    if (isBlank(c)) return;
    if (c == '{') {
      m_arguments.emplace();
      out.call(m_tool);
    } else {
      m_body = Body::Text;
    }
  }
  switch (m_body) {
    case Body::Text: return out.text(Piece::Kind::Text, {&c, 1}, at);
    case Body::Reasoning: return out.text(Piece::Kind::Reasoning, {&c, 1}, at);
    case Body::Ignored: return;
    case Body::Call: break;
  }
  std::string text;
  const bool fits = m_arguments->step(c, text);
  out.arguments(text);
  if (fits && !m_arguments->ended()) return;
  m_body = fits ? Body::Ignored : Body::Text;
  if (m_one) {
    m_state = State::Done;
  } else if (!fits) {
    out.text(Piece::Kind::Text, {&c, 1}, at);
  }
}

void HarmonyStage::finish(Pieces& out) {
  if (m_state == State::Body || (m_state == State::Header && m_first)) {
    const std::string text = std::exchange(m_held, {});
    for (std::size_t i = 0; i < text.size(); ++i) give(text[i], m_heldAt + i, out);
  }
  m_held.clear();
  m_state = State::Done;
}

}  // namespace hearth::output
