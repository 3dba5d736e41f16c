#include "core/chat/reply.h"

#include <fmt/format.h>

#include "core/base/log.h"

namespace hearth::chat {

void Reply::append(std::string_view text) {
  const std::lock_guard lock(m_mutex);
  m_message.text += text;
  m_dirty = true;
}

void Reply::saveIfOlderThan(std::chrono::milliseconds age) {
  if (Clock::now() - m_lastSave < age) return;
  Message now;
  {
    const std::lock_guard lock(m_mutex);
    if (!m_dirty) return;
    m_dirty = false;
    now = m_message;
  }
  m_lastSave = Clock::now();
  if (const auto saved = m_store.updateMessage(now); !saved) {
    log::warning("chat", fmt::format("a part of message {} is not stored: {}", now.id, saved.error().describe()));
    const std::lock_guard lock(m_mutex);
    m_dirty = true;
  }
}

Result<void> Reply::finish(Message figures) {
  {
    const std::lock_guard lock(m_mutex);
    m_message.state = figures.state;
    m_message.error = std::move(figures.error);
    m_message.lengthLimited = figures.lengthLimited;
    m_message.promptTokens = figures.promptTokens;
    m_message.generatedTokens = figures.generatedTokens;
    m_message.tokensPerSecond = figures.tokensPerSecond;
    m_message.firstTokenSeconds = figures.firstTokenSeconds;
  }
  return retry();
}

Result<void> Reply::retry() {
  Message now;
  {
    const std::lock_guard lock(m_mutex);
    now = m_message;
  }
  return m_store.updateMessage(now);
}

}  // namespace hearth::chat
