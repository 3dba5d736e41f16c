#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/chat/chat_service.h"

namespace hearth::api {

/// The replies that are being written into conversations, so that they can be stopped. Any thread.
class ReplyBoard {
 public:
  void add(ConversationId conversation, MessageId reply, const ChatTaskPtr& task) {
    const std::lock_guard lock(m_mutex);
    std::erase_if(m_tasks, [](const auto& entry) { return entry.second.expired(); });
    m_tasks[{conversation, reply}] = task;
  }
  void remove(ConversationId conversation, MessageId reply) {
    const std::lock_guard lock(m_mutex);
    m_tasks.erase({conversation, reply});
  }
  /// Stops all replies of a conversation.
  void stop(ConversationId conversation) {
    std::vector<ChatTaskPtr> found;
    {
      const std::lock_guard lock(m_mutex);
      for (auto at = m_tasks.lower_bound({conversation, 0}); at != m_tasks.end() && at->first.first == conversation; ++at) {
        if (auto task = at->second.lock()) found.push_back(std::move(task));
      }
    }
    for (const ChatTaskPtr& task : found) task->cancel();
  }

 private:
  std::mutex m_mutex;
  std::map<std::pair<ConversationId, MessageId>, std::weak_ptr<ChatTask>> m_tasks;
};

}  // namespace hearth::api
