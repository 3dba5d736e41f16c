#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/chat/chat_service.h"

namespace hearth::api {

/// What the Responses API keeps of an answer, so that the next call can go on from it.
struct StoredResponse {
  std::string id;
  std::string principal;              ///< nobody else finds it
  std::vector<ChatMessage> messages;  ///< the conversation up to and with the answer; without instructions
  std::string json;                   ///< the response object as it was sent
};

/// Answers in memory, the least recently used ones dropped: at most so many, so many bytes, and so old. Any thread.
class ResponseStore {
 public:
  struct Limits {
    std::size_t responses = 4096;
    std::size_t bytes = 128ULL * 1024 * 1024;
    std::chrono::seconds age{24 * 3600};  ///< since it was last used
  };
  using Clock = std::chrono::steady_clock;

  ResponseStore() = default;
  explicit ResponseStore(const Limits& limits) : m_limits(limits) {}

  void put(StoredResponse response, Clock::time_point now = Clock::now());
  /// None: never kept, dropped, or another's.
  [[nodiscard]] std::optional<StoredResponse> find(const std::string& id, const std::string& principal,
                                                   Clock::time_point now = Clock::now());
  /// False: as find().
  [[nodiscard]] bool erase(const std::string& id, const std::string& principal, Clock::time_point now = Clock::now());
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    StoredResponse response;
    std::size_t bytes = 0;
    Clock::time_point used;
  };
  using Entries = std::list<Entry>;  // the most recently used first
  void expire(Clock::time_point now);
  void drop(Entries::iterator entry);

  const Limits m_limits;
  // Guarded by m_mutex.
  mutable std::mutex m_mutex;
  Entries m_entries;
  std::unordered_map<std::string, Entries::iterator> m_byId;
  std::size_t m_bytes = 0;
};

}  // namespace hearth::api
