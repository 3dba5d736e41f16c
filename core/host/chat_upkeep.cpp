#include "core/host/chat_upkeep.h"

#include <charconv>

#include "core/base/log.h"
#include "core/store/organiser.h"

namespace hearth {
namespace {

constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
constexpr int kMostDays = 36500;

Result<int> trashDays(Store& store) {
  HEARTH_TRY(const auto text, store.setting(kTrashDaysSetting));
  if (!text) return kDefaultTrashDays;
  int days = 0;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), days);
  if (problem == std::errc() && end == text->data() + text->size() && days >= 0 && days <= kMostDays) return days;
  // Nothing is deleted on a guess.
  log::warning("host", std::string("the setting ") + kTrashDaysSetting + " has a value that cannot be used");
  return 0;
}

}  // namespace

Result<int> upkeepChats(Store& store, std::int64_t nowMs) {
  store::Organiser* organiser = store.organiser();
  if (organiser == nullptr) return 0;
  HEARTH_TRY(const int days, trashDays(store));
  int erased = 0;
  if (days > 0) {
    HEARTH_TRY(erased, organiser->eraseTrashedBefore(nowMs - days * kDayMs));
  }
  HEARTH_CHECK(organiser->index());
  return erased;
}

}  // namespace hearth
