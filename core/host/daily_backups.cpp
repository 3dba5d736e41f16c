#include "core/host/daily_backups.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "core/base/platform/platform.h"
#include "core/host/chat_upkeep.h"

namespace hearth {
namespace {

constexpr std::chrono::minutes kPause{10};  // also before the first one: starting up has better things to do
constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
constexpr int kMost = 1000;

std::string nameAt(std::int64_t ms) {
  using namespace std::chrono;
  const auto time = floor<seconds>(sys_time<milliseconds>(milliseconds(ms)));
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("hearth-{:04}{:02}{:02}-{:02}{:02}{:02}.db", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

// Names of ours sort by time. What a person put beside them is left alone.
bool isOurs(const std::string& name) {
  constexpr std::string_view kForm = "hearth-00000000-000000.db";
  return name.size() == kForm.size() && std::equal(name.begin(), name.end(), kForm.begin(), [](char c, char form) {
           return form == '0' ? c >= '0' && c <= '9' : c == form;
         });
}

int keepSetting(Store& store) {
  const auto text = store.setting(DailyBackups::kKeep);
  if (!text || !*text) return DailyBackups::kDefaultKeep;
  int keep = 0;
  const auto [end, problem] = std::from_chars((*text)->data(), (*text)->data() + (*text)->size(), keep);
  if (problem != std::errc() || end != (*text)->data() + (*text)->size() || keep < 0 || keep > kMost) {
    log::warning("host", std::string("the setting ") + DailyBackups::kKeep + " has a value that cannot be used");
    return DailyBackups::kDefaultKeep;
  }
  return keep;
}

}  // namespace

Result<std::optional<std::filesystem::path>> backupIfDue(Store& store, const std::filesystem::path& folder, int keep,
                                                         std::int64_t nowMs) {
  if (keep <= 0) return std::nullopt;
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return fail(errorFromErrno(code.value(), "cannot make the folder for backups", folder.string()));
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, code);
  std::vector<std::string> ours;
  for (auto entry = std::filesystem::directory_iterator(folder, code);
       !code && entry != std::filesystem::directory_iterator(); entry.increment(code)) {
    if (std::string name = entry->path().filename().string(); isOurs(name)) ours.push_back(std::move(name));
  }
  if (code) return fail(errorFromErrno(code.value(), "cannot read the folder of backups", folder.string()));
  std::sort(ours.begin(), ours.end());
  // A copy from the future (the clock was set back) does not hold up the next one for ever.
  if (!ours.empty() && ours.back() > nameAt(nowMs - kDayMs) && ours.back() <= nameAt(nowMs)) return std::nullopt;
  const std::filesystem::path target = folder / nameAt(nowMs);
  HEARTH_CHECK(store.backup(target));
  std::filesystem::permissions(target, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, code);
  ours.push_back(target.filename().string());
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < ours.size(); ++i)
    std::filesystem::remove(folder / ours[i], code);
  return target;
}

DailyBackups::DailyBackups(Store& store, std::filesystem::path folder)
    : m_store(store), m_folder(std::move(folder)), m_thread([this] { run(); }) {}

DailyBackups::~DailyBackups() {
  {
    const std::lock_guard lock(m_mutex);
    m_stop = true;
  }
  m_wake.notify_all();
  m_thread.join();
}

void DailyBackups::run() {
  platform::nameThisThread("hearth-backup");
  std::unique_lock lock(m_mutex);
  while (!m_wake.wait_for(lock, kPause, [this] { return m_stop; })) {
    lock.unlock();
    const auto now =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    if (const auto made = backupIfDue(m_store, m_folder, keepSetting(m_store), now); !made) {
      log::error("host", "the daily backup was not made: " + made.error().describe());
    } else if (*made) {
      log::info("host", "backup: " + (*made)->string());
    }
    // After the backup: what goes from the trash is in it once more.
    if (const auto erased = upkeepChats(m_store, now); !erased) {
      log::error("host", "the trash of conversations was not looked after: " + erased.error().describe());
    } else if (*erased > 0) {
      log::info("host", fmt::format("{} conversations were deleted from the trash", *erased));
    }
    lock.lock();
  }
}

}  // namespace hearth
