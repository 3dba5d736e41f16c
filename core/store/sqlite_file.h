#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>

#include "core/base/error.h"

namespace hearth::store {

/// The error behind a failed SQLite call: SQLITE_FULL and the system's ENOSPC, EFBIG, EDQUOT become DiskFull, and so on.
/// Evidence: path, SQLite's code, the system's error where there is one (`systemError`, an errno or 0).
[[nodiscard]] Error errorFromSqlite(const SQLite::Exception& problem, int systemError, const std::filesystem::path& path);

/// Calls `body` and turns what SQLiteCpp or the standard library throws into an Error. `body` returns a Result.
/// The system's error is taken from errno: sqlite3_system_errno() is not set when it is COMMIT that fails.
template <class Body>
auto guarded(const std::filesystem::path& path, Body&& body) -> decltype(body()) {
  errno = 0;
  try {
    return std::forward<Body>(body)();
  } catch (const SQLite::Exception& problem) {
    return fail(errorFromSqlite(problem, errno, path));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::OutOfMemory, "no memory for a database operation", {{"path", path.string()}});
  } catch (const std::exception& problem) {
    return fail(ErrorCode::Internal, std::string("database: ") + problem.what(), {{"path", path.string()}});
  }
}

/// Opens a connection with the settings that every connection of ours has: foreign keys on, schema not trusted, and no
/// checkpoint when it closes (SQLite 3.7.0–3.51.2 can corrupt a database that several connections checkpoint, so the
/// writer alone does it, explicitly). Throws SQLite::Exception.
[[nodiscard]] SQLite::Database openConnection(const std::filesystem::path& path, int flags);

/// What `PRAGMA quick_check` says: "ok", or up to 20 findings. Throws SQLite::Exception (a badly damaged file).
[[nodiscard]] std::string quickCheck(SQLite::Database& database);

/// Writes a consistent copy: VACUUM INTO a temporary file, check it, fsync, rename, fsync the folder. Never copies the live file.
[[nodiscard]] Result<void> backup(SQLite::Database& database, const std::filesystem::path& source, const std::filesystem::path& target);

}  // namespace hearth::store
