#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <span>

#include "core/base/error.h"

namespace hearth::store {

/// Steps to one schema version. Statements only: a step must give the same result whenever it is run.
struct Migration {
  int version;  ///< PRAGMA user_version after it
  const char* sql;
};

/// "HRTH" in the database header: tells our file from another program's.
inline constexpr int kApplicationId = 0x48525448;

/// All schema versions of this build, ascending from 1.
[[nodiscard]] std::span<const Migration> migrations() noexcept;

/// Refuses what migrate() must not touch; only reads. Errors: UnsupportedVersion (newer than this build: database_version,
/// supported_version), Corrupt (another program's database).
[[nodiscard]] Result<void> checkIdentity(SQLite::Database& database, const std::filesystem::path& path, int newest);

/// Brings `database` to the last of `steps`: nothing to do, or everything in one transaction that includes user_version.
/// A database that has a version already is backed up first, to "<path>.v<old>.backup" (numbered when taken).
/// Errors: those of checkIdentity() and backup(), DiskFull and the like. Throws nothing.
[[nodiscard]] Result<void> migrate(SQLite::Database& database, const std::filesystem::path& path, std::span<const Migration> steps);

}  // namespace hearth::store
