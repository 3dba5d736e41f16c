#include "core/server/api/openai/response_store.h"

#include <utility>

namespace hearth::api {
namespace {

std::size_t sizeOf(const StoredResponse& response) noexcept {
  std::size_t bytes =
      sizeof(StoredResponse) + response.json.size() + 4 * response.id.size() + response.principal.size() + 256;
  for (const ChatMessage& message : response.messages)
    bytes += sizeof(ChatMessage) + message.text.size() + message.name.size() + message.extraJson.size();
  return bytes;
}

}  // namespace

void ResponseStore::put(StoredResponse response, Clock::time_point now) {
  const std::size_t bytes = sizeOf(response);
  const std::lock_guard lock(m_mutex);
  expire(now);
  if (const auto old = m_byId.find(response.id); old != m_byId.end()) drop(old->second);
  if (bytes > m_limits.bytes || m_limits.responses == 0) return;
  while (m_entries.size() >= m_limits.responses || m_bytes + bytes > m_limits.bytes) drop(std::prev(m_entries.end()));
  m_entries.push_front({std::move(response), bytes, now});
  m_byId.emplace(m_entries.front().response.id, m_entries.begin());
  m_bytes += bytes;
}

std::optional<StoredResponse> ResponseStore::find(const std::string& id, const std::string& principal,
                                                  Clock::time_point now) {
  const std::lock_guard lock(m_mutex);
  expire(now);
  const auto found = m_byId.find(id);
  if (found == m_byId.end() || found->second->response.principal != principal) return std::nullopt;
  found->second->used = now;
  m_entries.splice(m_entries.begin(), m_entries, found->second);
  return found->second->response;
}

bool ResponseStore::erase(const std::string& id, const std::string& principal, Clock::time_point now) {
  const std::lock_guard lock(m_mutex);
  expire(now);
  const auto found = m_byId.find(id);
  if (found == m_byId.end() || found->second->response.principal != principal) return false;
  drop(found->second);
  return true;
}

std::size_t ResponseStore::size() const {
  const std::lock_guard lock(m_mutex);
  return m_entries.size();
}

void ResponseStore::expire(Clock::time_point now) {
  while (!m_entries.empty() && m_entries.back().used + m_limits.age < now) drop(std::prev(m_entries.end()));
}

void ResponseStore::drop(Entries::iterator entry) {
  m_bytes -= entry->bytes;
  m_byId.erase(entry->response.id);
  m_entries.erase(entry);
}

}  // namespace hearth::api
