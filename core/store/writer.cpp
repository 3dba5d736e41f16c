#include "core/store/writer.h"

#include <sqlite3.h>

#include <span>
#include <vector>

#include "core/base/log.h"
#include "core/base/platform/platform.h"
#include "core/store/sqlite_file.h"

namespace hearth::store {
namespace {

constexpr std::size_t kLargestBatch = 64;
constexpr int kCheckpointPages = 1000;  // SQLite's own default; 4 MiB of log

}  // namespace

Writer::Writer(SQLite::Database database, std::filesystem::path path, bool guest)
    : m_database(std::move(database)), m_path(std::move(path)), m_guest(guest), m_thread([this] { work(); }) {}

Writer::~Writer() {
  {
    const std::lock_guard lock(m_mutex);
    m_stop = true;
  }
  m_wake.notify_one();
  m_thread.join();
}

Result<void> Writer::run(Job job) {
  Pending pending{std::move(job), {}};
  std::unique_lock lock(m_mutex);
  if (m_stop) return fail(ErrorCode::ShuttingDown, "the database is closing");
  m_queue.push_back(&pending);
  m_wake.notify_one();
  m_done.wait(lock, [&] { return pending.outcome.has_value(); });
  return *std::move(pending.outcome);
}

void Writer::work() {
  platform::nameThisThread("hearth-store");
  const auto countPages = [](void* pages, sqlite3*, const char*, int count) -> int {
    *static_cast<int*>(pages) = count;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(m_database.getHandle(), countPages, &m_logPages);
  for (;;) {
    Batch batch;
    {
      std::unique_lock lock(m_mutex);
      m_wake.wait(lock, [&] { return m_stop || !m_queue.empty(); });
      if (m_queue.empty()) break;
      while (!m_queue.empty() && batch.size() < kLargestBatch) {
        batch.push_back(m_queue.front());
        m_queue.pop_front();
      }
    }
    commitBatch(batch);
    m_done.notify_all();
    checkpoint(false);
  }
  if (m_guest) return;
  checkpoint(true);
  // Now that everything is in the database, closing may remove the log.
  sqlite3_db_config(m_database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

void Writer::commitBatch(const Batch& batch) {
  const auto publish = [&](Pending& pending, Result<void> outcome) {
    const std::lock_guard lock(m_mutex);
    pending.outcome = std::move(outcome);
  };
  std::vector<Result<void>> outcomes;
  // One transaction for all; where that fails as a whole, one for each, so that only the guilty are refused.
  const auto attempt = [&](std::span<Pending* const> jobs) -> Result<void> {
    outcomes.assign(jobs.size(), Result<void>{});
    return guarded(m_path, [&]() -> Result<void> {
      SQLite::Transaction transaction(m_database, SQLite::TransactionBehavior::IMMEDIATE);
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        m_database.exec("SAVEPOINT job");
        outcomes[i] = guarded(m_path, [&] { return jobs[i]->job(m_database); });
        if (sqlite3_get_autocommit(m_database.getHandle()) != 0) {
          return fail(outcomes[i] ? Error{ErrorCode::Internal, "the transaction ended early", {}} : outcomes[i].error());
        }
        if (!outcomes[i]) m_database.exec("ROLLBACK TO job");
        m_database.exec("RELEASE job");
      }
      transaction.commit();
      return {};
    });
  };
  const std::vector<Pending*> all(batch.begin(), batch.end());
  if (const auto whole = attempt(all); whole) {
    for (std::size_t i = 0; i < all.size(); ++i) publish(*all[i], std::move(outcomes[i]));
    return;
  } else if (all.size() == 1) {
    publish(*all.front(), whole);
    return;
  }
  for (Pending* pending : all) {
    const auto alone = attempt({&pending, 1});
    publish(*pending, alone ? std::move(outcomes.front()) : alone);
  }
}

// After the callers were answered: they do not wait for it. A failed checkpoint loses nothing: the log stays and is tried again.
void Writer::checkpoint(bool closing) {
  if (m_guest || (!closing && m_logPages < kCheckpointPages)) return;
  m_logPages = 0;
  const int mode = closing ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  if (const int code = sqlite3_wal_checkpoint_v2(m_database.getHandle(), "main", mode, nullptr, nullptr); code != SQLITE_OK) {
    log::warning("store", std::string("checkpoint postponed: ") + sqlite3_errstr(code));
  }
}

}  // namespace hearth::store
