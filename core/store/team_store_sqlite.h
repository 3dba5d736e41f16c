#pragma once

#include <filesystem>
#include <memory>

#include "core/store/team_store.h"
#include "core/store/writer.h"

namespace hearth::store {

/// The team's tables over a reading connection of its own; `writer` outlives it. Throws SQLite::Exception.
[[nodiscard]] std::unique_ptr<TeamStore> makeTeamStore(Writer& writer, const std::filesystem::path& path);

}  // namespace hearth::store
