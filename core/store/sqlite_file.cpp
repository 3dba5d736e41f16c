#include "core/store/sqlite_file.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>

#include "core/base/platform/platform.h"
#include "core/store/search_tokenizer.h"

namespace hearth::store {
namespace {

constexpr int kBusyTimeoutMs = 5000;

ErrorCode codeFor(int primary, int systemError) {
  if (systemError == ENOSPC || systemError == EFBIG || systemError == EDQUOT) return ErrorCode::DiskFull;
  switch (primary) {
    case SQLITE_FULL: return ErrorCode::DiskFull;
    case SQLITE_READONLY: return ErrorCode::ReadOnly;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ErrorCode::Corrupt;
    case SQLITE_PERM:
    case SQLITE_AUTH: return ErrorCode::PermissionDenied;
    case SQLITE_NOMEM: return ErrorCode::OutOfMemory;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ErrorCode::Timeout;
    case SQLITE_TOOBIG:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH: return ErrorCode::InvalidArgument;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR: break;
    default: return ErrorCode::Internal;
  }
  if (systemError != 0) return errorFromErrno(systemError, "", "").code;
  return ErrorCode::Io;
}

}  // namespace

Error errorFromSqlite(const SQLite::Exception& problem, int systemError, const std::filesystem::path& path) {
  const int primary = problem.getErrorCode() & 0xFF;
  const bool fromSystem = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL;
  if (!fromSystem) systemError = 0;
  Error error{codeFor(primary, systemError),
              fmt::format("database: {}", problem.what()),
              {{"path", path.string()}, {"sqlite_code", std::to_string(problem.getExtendedErrorCode())}}};
  if (systemError != 0) error.evidence.push_back({"system", std::strerror(systemError)});
  return error;
}

SQLite::Database openConnection(const std::filesystem::path& path, int flags) {
  SQLite::Database database(path.string(), flags, kBusyTimeoutMs);
  sqlite3* handle = database.getHandle();
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  database.exec("PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;");
  registerSearchTokenizer(handle);
  return database;
}

std::string quickCheck(SQLite::Database& database) {
  std::string findings;
  SQLite::Statement check(database, "PRAGMA quick_check(20)");
  while (check.executeStep()) {
    if (!findings.empty()) findings += "; ";
    findings += check.getColumn(0).getString();
  }
  return findings;
}

Result<void> backup(SQLite::Database& database, const std::filesystem::path& source, const std::filesystem::path& target) {
  std::filesystem::path temporary = target;
  temporary += ".part";
  std::error_code ignored;
  std::filesystem::remove(temporary, ignored);
  const auto written = guarded(source, [&]() -> Result<void> {
    SQLite::Statement vacuum(database, "VACUUM INTO ?");
    vacuum.bind(1, temporary.string());
    vacuum.exec();
    SQLite::Database copy = openConnection(temporary, SQLite::OPEN_READONLY);
    if (const std::string findings = quickCheck(copy); findings != "ok") {
      return fail(ErrorCode::Corrupt, "the backup does not pass its check", {{"path", temporary.string()}, {"check", findings}});
    }
    return {};
  });
  if (!written) {
    std::filesystem::remove(temporary, ignored);
    return written;
  }
  HEARTH_CHECK(platform::syncFile(temporary));
  std::error_code code;
  std::filesystem::rename(temporary, target, code);
  if (code) return fail(errorFromErrno(code.value(), "cannot name the backup", target.string()));
  return platform::syncFolder(target.parent_path());
}

}  // namespace hearth::store
