#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <cerrno>

#include "core/base/platform/platform.h"
#include "core/store/schema.h"
#include "core/store/sqlite_file.h"
#include "core/store/store.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

fs::path withSuffix(fs::path path, const std::string& suffix) {
  path += suffix;
  return path;
}

// Empties the log of the old database into it; a damaged one keeps its log beside it, under the new name.
void closeOld(const fs::path& database) {
  (void)store::guarded(database, [&]() -> Result<void> {
    SQLite::Database old = store::openConnection(database, SQLite::OPEN_READWRITE);
    sqlite3_wal_checkpoint_v2(old.getHandle(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    sqlite3_db_config(old.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
    return {};
  });
}

Result<void> renameFile(const fs::path& from, const fs::path& to) {
  std::error_code code;
  fs::rename(from, to, code);
  if (code) return fail(errorFromErrno(code.value(), "cannot rename " + from.string(), to.string()));
  return {};
}

}  // namespace

Result<std::filesystem::path> Store::restore(const fs::path& source, const fs::path& database) {
  std::error_code code;
  if (!fs::is_regular_file(source, code)) {
    return fail(ErrorCode::NotFound, "there is no such backup", {{"path", source.string()}});
  }
  if (fs::equivalent(source, database, code)) {
    return fail(ErrorCode::InvalidArgument, "this is the database itself, not a backup of it", {{"path", source.string()}});
  }
  // A copy is made first, checked and complete: only then does anything change its name.
  const fs::path fresh = withSuffix(database, ".restored");
  const auto copied = store::guarded(source, [&]() -> Result<void> {
    SQLite::Database copy = store::openConnection(source, SQLite::OPEN_READONLY);
    if (const std::string findings = store::quickCheck(copy); findings != "ok") {
      return fail(ErrorCode::Corrupt, "the backup is damaged", {{"path", source.string()}, {"check", findings}});
    }
    HEARTH_CHECK(store::checkIdentity(copy, source, store::migrations().back().version));
    if (copy.execAndGet("PRAGMA application_id").getInt() != store::kApplicationId) {
      return fail(ErrorCode::Corrupt, "this file is not a backup of Hearth", {{"path", source.string()}});
    }
    return store::backup(copy, source, fresh);
  });
  if (!copied) return fail(copied.error());
  HEARTH_CHECK(store::guarded(fresh, [&]() -> Result<void> {
    SQLite::Database copy = store::openConnection(fresh, SQLite::OPEN_READWRITE);
    // Somebody who was signed out since the backup must not be in again.
    if (copy.tableExists("sessions")) copy.exec("DELETE FROM sessions");
    return {};
  }));
  HEARTH_CHECK(platform::syncFile(fresh));

  fs::path kept;
  if (fs::exists(database, code)) {
    closeOld(database);
    for (int n = 1;; ++n) {
      kept = withSuffix(database, n == 1 ? std::string(".before-restore") : fmt::format(".before-restore-{}", n));
      if (!fs::exists(kept, code)) break;
    }
  }
  if (!kept.empty() && !fs::exists(withSuffix(database, "-wal"), code)) {
    // The usual case: the old file gets a second name, and the new one takes its place in one step.
    fs::create_hard_link(database, kept, code);
    if (!code) {
      HEARTH_CHECK(renameFile(fresh, database));
      HEARTH_CHECK(platform::syncFolder(database.parent_path()));
      return kept;
    }
  }
  // The log belongs to the old file: beside the new one it would be read as the new one's.
  std::array<std::pair<fs::path, fs::path>, 3> moves{std::pair{withSuffix(database, "-wal"), withSuffix(kept, "-wal")},
                                                     std::pair{withSuffix(database, "-shm"), withSuffix(kept, "-shm")},
                                                     std::pair{database, kept}};
  std::size_t moved = 0;
  const auto putBack = [&] {
    while (moved > 0) {
      const auto& [from, to] = moves[--moved];
      if (fs::exists(to, code)) fs::rename(to, from, code);
    }
    fs::remove(fresh, code);
  };
  for (; moved < moves.size() && !kept.empty(); ++moved) {
    const auto& [from, to] = moves[moved];
    if (!fs::exists(from, code)) continue;
    if (const auto renamed = renameFile(from, to); !renamed) {
      putBack();
      return fail(renamed.error());
    }
  }
  if (const auto renamed = renameFile(fresh, database); !renamed) {
    putBack();
    return fail(renamed.error());
  }
  HEARTH_CHECK(platform::syncFolder(database.parent_path()));
  return kept;
}

}  // namespace hearth
