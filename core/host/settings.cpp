#include "core/host/settings.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <charconv>

#include "core/base/log.h"

namespace hearth {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMostThreads = 1024;
constexpr std::int64_t kLeastContext = 512;
constexpr std::int64_t kMostContext = 1 << 24;
constexpr std::int64_t kLongestKeepAlive = 10LL * 365 * 24 * 3600;

void complain(const char* key, const std::string& value) {
  log::warning("host", fmt::format("the setting {} has a value that cannot be used: '{}'", key, value.substr(0, 200)));
}

Result<std::int64_t> integerSetting(Store& store, const char* key, std::int64_t otherwise, std::int64_t least, std::int64_t most) {
  HEARTH_TRY(const auto text, store.setting(key));
  if (!text) return otherwise;
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (problem != std::errc() || end != text->data() + text->size() || value < least || value > most) {
    complain(key, *text);
    return otherwise;
  }
  return value;
}

Result<std::vector<std::filesystem::path>> folderSetting(Store& store) {
  std::vector<std::filesystem::path> folders;
  HEARTH_TRY(const auto text, store.setting(settings::kModelFolders));
  if (!text) return folders;
  try {
    const json::value parsed = json::parse(*text);  // named: it must outlive the loop
    for (const json::value& item : parsed.as_array()) folders.emplace_back(std::string(item.as_string()));
  } catch (const std::exception&) {
    complain(settings::kModelFolders, *text);
    folders.clear();
  }
  return folders;
}

}  // namespace

Result<HostSettings> readHostSettings(Store& store) {
  HostSettings read;
  HEARTH_TRY(read.modelFolders, folderSetting(store));
  HEARTH_TRY(const std::int64_t keepAlive, integerSetting(store, settings::kKeepAliveSeconds, -1, -1, kLongestKeepAlive));
  read.keepAlive = std::chrono::seconds(keepAlive);
  HEARTH_TRY(const std::int64_t threads, integerSetting(store, settings::kThreads, 0, 0, kMostThreads));
  HEARTH_TRY(const auto kvType, store.setting(settings::kKvType));
  if (kvType) {
    read.kvType = kvTypeNamed(*kvType);
    if (!read.kvType) complain(settings::kKvType, *kvType);
  }
  read.threads = static_cast<int>(threads);
  HEARTH_TRY(const std::int64_t context, integerSetting(store, settings::kContextTokens, 0, 0, kMostContext));
  if (context != 0 && context < kLeastContext) complain(settings::kContextTokens, std::to_string(context));
  read.contextTokens = context < kLeastContext ? 0 : static_cast<int>(context);
  HEARTH_TRY(const std::int64_t budget, integerSetting(store, settings::kMemoryBudgetBytes, 0, 0, std::int64_t{1} << 50));
  read.memoryBudgetBytes = static_cast<std::uint64_t>(budget);
  HEARTH_TRY(const auto speculation, store.setting(settings::kSpeculation));
  if (speculation && *speculation == "off") {
    read.speculation = Speculation::Off;
  } else if (speculation && *speculation != "lookup") {
    complain(settings::kSpeculation, *speculation);
  }
  return read;
}

Result<void> writeModelFolders(Store& store, const std::vector<std::filesystem::path>& folders) {
  json::array list;
  for (const auto& folder : folders) list.emplace_back(folder.string());
  return store.setSetting(settings::kModelFolders, json::serialize(list));
}

}  // namespace hearth
