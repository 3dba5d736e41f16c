#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "core/base/error.h"
#include "core/store/store.h"

namespace hearth {

/// Makes a checked copy of the database in `folder` when the newest one there is older than a day, and removes all but the
/// newest `keep` of its own copies ("hearth-20270115-080000.db"). Returns the copy, or none when it was not time. Errors:
/// those of Store::backup; then nothing is removed.
[[nodiscard]] Result<std::optional<std::filesystem::path>> backupIfDue(Store& store, const std::filesystem::path& folder,
                                                                       int keep, std::int64_t nowMs);

/// Calls backupIfDue() now and then with the setting of now. Owns a thread; the store outlives it.
class DailyBackups {
 public:
  /// Setting: how many daily copies are kept; 0 = none are made.
  static constexpr const char* kKeep = "backup.daily_keep";
  static constexpr int kDefaultKeep = 7;

  DailyBackups(Store& store, std::filesystem::path folder);
  ~DailyBackups();
  DailyBackups(const DailyBackups&) = delete;
  DailyBackups& operator=(const DailyBackups&) = delete;

 private:
  void run();
  Store& m_store;
  const std::filesystem::path m_folder;
  std::mutex m_mutex;
  std::condition_variable m_wake;
  bool m_stop = false;
  std::thread m_thread;
};

}  // namespace hearth
