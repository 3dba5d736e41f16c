#pragma once

#include <cstdint>

#include "core/store/store.h"

namespace hearth {

/// Setting: how many days conversations lie in the trash before they are deleted for good; 0 = until somebody does it.
inline constexpr const char* kTrashDaysSetting = "chat.trash_days";
inline constexpr int kDefaultTrashDays = 30;

/// What conversations need now and then: the trash is emptied of what lies in it too long, and the search index follows.
/// Returns how many conversations were deleted. Blocks for the disk. Errors: the store's.
[[nodiscard]] Result<int> upkeepChats(Store& store, std::int64_t nowMs);

}  // namespace hearth
