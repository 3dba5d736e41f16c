#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "core/base/error.h"

namespace hearth::store {

/// The one thread that writes. Owns the writing connection. Jobs that wait at the same time share one transaction (group
/// commit: one disk flush for all of them), each in a savepoint of its own, so that one job's error leaves its neighbours
/// alone. It is also the only one that checkpoints the write-ahead log; a `guest` beside another process's writer never does.
/// run(): any thread but the writer's own; returns only after COMMIT. Destruction finishes the queue first.
class Writer {
 public:
  using Job = std::function<Result<void>(SQLite::Database&)>;

  Writer(SQLite::Database database, std::filesystem::path path, bool guest = false);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Runs `job` in a transaction on the writer's thread and waits for COMMIT. The job may throw SQLite::Exception. It may
  /// run twice (a neighbour's failure can roll the shared transaction back), so its results must not add up.
  [[nodiscard]] Result<void> run(Job job);

 private:
  struct Pending {
    Job job;
    std::optional<Result<void>> outcome;
  };
  using Batch = std::deque<Pending*>;
  void work();
  void commitBatch(const Batch& batch);
  void checkpoint(bool closing);

  // The writer thread's own.
  SQLite::Database m_database;
  std::filesystem::path m_path;
  const bool m_guest;
  int m_logPages = 0;  // in the write-ahead log after the last commit
  // Guarded by m_mutex.
  std::mutex m_mutex;
  std::condition_variable m_wake;  // the writer waits for jobs
  std::condition_variable m_done;  // callers wait for outcomes
  Batch m_queue;
  bool m_stop = false;
  std::thread m_thread;
};

}  // namespace hearth::store
