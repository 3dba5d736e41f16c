#include "core/base/paths.h"

#include <algorithm>
#include <cstdlib>

#include "core/base/platform/platform.h"

namespace hearth {
namespace {

constexpr std::size_t kMaxNameBytes = 200;

std::filesystem::path fromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::filesystem::path(value) : std::filesystem::path();
}

}  // namespace

DataPaths chooseDataPaths(std::string_view explicitDir) {
  std::error_code ignored;
  if (!explicitDir.empty()) return {std::filesystem::absolute(std::filesystem::path(explicitDir), ignored)};
  if (auto home = fromEnvironment("HEARTH_HOME"); !home.empty()) return {std::filesystem::absolute(home, ignored)};
  if (auto portable = portableFolder(platform::executablePath()); !portable.empty()) return {std::move(portable), true};
  if (auto xdg = fromEnvironment("XDG_DATA_HOME"); xdg.is_absolute()) return {xdg / "hearth"};
  if (auto home = fromEnvironment("HOME"); !home.empty()) return {home / ".local" / "share" / "hearth"};
  return {std::filesystem::temp_directory_path(ignored) / "hearth"};
}

std::filesystem::path portableFolder(const std::filesystem::path& executable) {
  std::error_code ignored;
  const std::filesystem::path beside = executable.parent_path();
  if (beside.empty()) return {};
  if (std::filesystem::exists(beside / "portable", ignored)) return beside / "data";
  if (beside.filename() == "bin" && std::filesystem::exists(beside.parent_path() / "portable", ignored)) return beside.parent_path() / "data";
  return {};
}

Result<void> prepareDataPaths(const DataPaths& paths) {
  if (std::error_code code; std::filesystem::exists(paths.root, code) && !std::filesystem::is_directory(paths.root, code)) {
    return fail(ErrorCode::InvalidArgument, "the data folder is not a folder", {{"path", paths.root.string()}});
  }
  for (const auto& folder : {paths.root, paths.models(), paths.logs(), paths.trash()}) {
    std::error_code code;
    const bool made = std::filesystem::create_directories(folder, code);
    if (code) return fail(errorFromErrno(code.value(), "cannot create the data folder", folder.string()));
    if (made) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, code);
  }
  return platform::proveWritable(paths.root);
}

bool isSafeFileName(std::string_view name) noexcept {
  if (name.empty() || name.size() > kMaxNameBytes || name == "." || name == "..") return false;
  return std::ranges::none_of(name, [](char c) { return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
}

Result<std::filesystem::path> safeChild(const std::filesystem::path& folder, std::string_view name) {
  if (!isSafeFileName(name)) {
    return fail(ErrorCode::InvalidArgument, "not a usable file name", {{"name", std::string(name)}});
  }
  return folder / std::filesystem::path(name);
}

}  // namespace hearth
