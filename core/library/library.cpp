#include "core/library/library.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "core/base/log.h"
#include "core/formats/gguf.h"
#include "core/library/file_import.h"
#include "core/library/folder_walk.h"
#include "core/library/model_id.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using library::ModelFiles;

constexpr std::int64_t kNanosecondsInMs = 1'000'000;

bool isBelow(const fs::path& path, const fs::path& folder) {
  std::error_code ignored;
  const fs::path inner = fs::weakly_canonical(path, ignored);
  const fs::path outer = fs::weakly_canonical(folder, ignored);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

/// What the header of a file says; kept while size and time stay the same.
struct CachedHeader {
  std::uint64_t bytes = 0;
  std::int64_t modifiedNs = 0;
  InstalledModel model;  // without id
  bool isProjector = false;
};

bool isProjector(const GgufFile& file) {
  return file.architecture() == "clip" || file.string("general.type").value_or("") == "mmproj";
}

CachedHeader readHeader(const ModelFiles& files, bool inDataFolder) {
  CachedHeader header{files.bytes, files.modifiedNs, {}, false};
  InstalledModel& model = header.model;
  model.path = files.path;
  model.fileBytes = files.bytes;
  model.modifiedMs = files.modifiedNs / kNanosecondsInMs;
  model.inDataFolder = inDataFolder;
  const auto file = GgufFile::open(files.path);
  if (!file) {
    model.problem = file.error();
    return header;
  }
  header.isProjector = isProjector(*file);
  model.license = file->string("general.license").value_or("");
  model.hasChatTemplate = !file->string("tokenizer.chat_template").value_or("").empty();
  if (auto config = readModelConfig(*file)) {
    model.config = std::move(*config);
  } else {
    model.problem = std::move(config).error();
  }
  return header;
}

/// Constant after construction: m_modelsFolder, m_foldersChanged. m_importMutex lets one import run at a time,
/// m_scanMutex one scan, and guards m_headers; m_mutex guards the rest. Taken in this order.
class DiskLibrary final : public Library {
 public:
  DiskLibrary(fs::path modelsFolder, std::vector<fs::path> extraFolders, FoldersListener foldersChanged)
      : m_modelsFolder(std::move(modelsFolder)), m_foldersChanged(std::move(foldersChanged)), m_folders(std::move(extraFolders)) {
    library::removeLeftovers(m_modelsFolder);
  }

  Result<std::vector<InstalledModel>> scan() override {
    const std::lock_guard scanning(m_scanMutex);
    return scanLocked();
  }

  std::vector<InstalledModel> models() const override {
    const std::lock_guard lock(m_mutex);
    return m_models;
  }

  Result<InstalledModel> resolve(const std::string& name) override {
    if (name.empty()) return fail(ErrorCode::InvalidArgument, "no model is named");
    if (auto known = findNamed(name)) return usable(std::move(*known));
    const bool looksLikePath = name.find('/') != std::string::npos || name.ends_with(".gguf");
    std::error_code code;
    if (looksLikePath && fs::is_regular_file(name, code)) return resolvePath(name);
    if (looksLikePath && fs::is_directory(name, code)) {
      return fail(ErrorCode::InvalidArgument, "a folder, where a model file is expected", {{"path", name}});
    }
    HEARTH_TRY(const auto all, scan());
    if (auto known = findNamed(name)) return usable(std::move(*known));
    std::vector<std::string> ids;
    std::vector<std::string> beginning;
    for (const InstalledModel& model : all) {
      ids.push_back(model.id);
      if (library::startsWithIgnoringCase(model.id, name)) beginning.push_back(model.id);
    }
    if (beginning.size() > 1) {
      return fail(ErrorCode::NotFound, fmt::format("several models begin with '{}'", name),
                  {{"model", name}, {"near", fmt::format("{}", fmt::join(beginning, ", "))}});
    }
    Error missing{ErrorCode::NotFound, fmt::format("there is no model '{}'", name), {{"model", name}}};
    if (const auto near = library::nearNames(name, ids); !near.empty()) missing.evidence.push_back({"near", fmt::format("{}", fmt::join(near, ", "))});
    return fail(std::move(missing));
  }

  Result<InstalledModel> import(const fs::path& file, const std::function<bool(ImportProgress)>& progress) override {
    HEARTH_TRY(const ModelFiles files, library::filesOf(file));
    HEARTH_TRY(const GgufFile checked, GgufFile::open(files.path));
    if (isProjector(checked)) {
      return fail(ErrorCode::UnsupportedArchitecture, "this file only sees images for another model", {{"path", file.string()}});
    }
    const std::lock_guard importing(m_importMutex);  // not m_scanMutex: a copy takes minutes
    fs::path target = files.path;
    if (!isBelow(files.path, m_modelsFolder)) {
      HEARTH_TRY(target, library::copyInto(m_modelsFolder, files, progress));
      if (!checked.unchanged()) {
        std::error_code ignored;
        for (const fs::path& part : files.parts) fs::remove(m_modelsFolder / part.filename(), ignored);
        return fail(ErrorCode::Truncated, "the file changed while it was copied", {{"path", file.string()}});
      }
    }
    HEARTH_TRY(const auto all, scan());
    std::error_code code;
    for (const InstalledModel& model : all) {
      if (fs::equivalent(model.path, target, code)) return model;
    }
    return fail(ErrorCode::NotFound, "the imported model is not in the folder", {{"path", target.string()}});
  }

  std::vector<fs::path> folders() const override {
    const std::lock_guard lock(m_mutex);
    return m_folders;
  }

  Result<void> addFolder(const fs::path& folder) override {
    std::error_code code;
    const fs::path absolute = fs::weakly_canonical(folder, code);
    const auto status = fs::status(absolute, code);
    if (!fs::exists(status)) return fail(ErrorCode::NotFound, "there is no such folder", {{"path", folder.string()}});
    if (!fs::is_directory(status)) return fail(ErrorCode::InvalidArgument, "this is not a folder", {{"path", folder.string()}});
    std::vector<fs::path> now;
    {
      const std::lock_guard lock(m_mutex);
      now = m_folders;
      now.push_back(m_modelsFolder);
      for (const fs::path& searched : now) {
        if (isBelow(absolute, searched)) {
          return fail(ErrorCode::AlreadyExists, "this folder is searched already",
                      {{"path", absolute.string()}, {"searched", searched.string()}});
        }
      }
      m_folders.push_back(absolute);
      now = m_folders;
    }
    if (m_foldersChanged) m_foldersChanged(now);
    return {};
  }

  void removeFolder(const fs::path& folder) override {
    std::vector<fs::path> now;
    {
      const std::lock_guard lock(m_mutex);
      std::error_code ignored;
      const fs::path absolute = fs::weakly_canonical(folder, ignored);
      if (std::erase_if(m_folders, [&](const fs::path& known) { return known == folder || known == absolute; }) == 0) return;
      now = m_folders;
    }
    if (m_foldersChanged) m_foldersChanged(now);
  }

  std::vector<Error> problems() const override {
    const std::lock_guard lock(m_mutex);
    return m_problems;
  }

  std::uint64_t freeBytes() const override {
    std::error_code code;
    const auto space = fs::space(m_modelsFolder, code);
    return code ? 0 : space.available;
  }

 private:
  static Result<InstalledModel> usable(InstalledModel model) {
    if (model.problem) return std::unexpected(std::move(*model.problem));
    return model;
  }

  // Exact id, then without regard to case, then the only one that begins so. Files named by path come last.
  std::optional<InstalledModel> findNamed(const std::string& name) const {
    const std::lock_guard lock(m_mutex);
    const InstalledModel* found = nullptr;
    for (const InstalledModel& model : m_models) {
      if (model.id == name) return model;
      if (library::equalIgnoringCase(model.id, name)) found = &model;
    }
    if (found != nullptr) return *found;
    for (const auto& [path, model] : m_byPath) {
      if (model.id == name) return model;
    }
    for (const InstalledModel& model : m_models) {
      if (!library::startsWithIgnoringCase(model.id, name)) continue;
      if (found != nullptr) return std::nullopt;
      found = &model;
    }
    return found != nullptr ? std::optional(*found) : std::nullopt;
  }

  Result<InstalledModel> resolvePath(const fs::path& path) {
    const std::lock_guard scanning(m_scanMutex);
    HEARTH_TRY(const ModelFiles files, library::filesOf(path));
    std::error_code code;
    const fs::path real = fs::canonical(files.path, code);
    {
      const std::lock_guard lock(m_mutex);
      for (const InstalledModel& model : m_models) {
        if (fs::equivalent(model.path, real, code)) return usable(model);
      }
    }
    // A file of no folder of ours: it keeps its id while the program runs.
    InstalledModel model = header(files, isBelow(real, m_modelsFolder)).model;
    model.path = real;
    if (model.problem) return std::unexpected(std::move(*model.problem));
    const std::lock_guard lock(m_mutex);
    if (const auto known = m_byPath.find(real.string()); known != m_byPath.end()) {
      model.id = known->second.id;
    } else {
      model.id = library::uniqueId(library::idFromStem(files.stem), [&](const std::string& id) { return idTaken(m_models, id); });
    }
    m_byPath[real.string()] = model;
    return model;
  }

  // With m_mutex held.
  bool idTaken(const std::vector<InstalledModel>& models, const std::string& id) const {
    const auto same = [&](const InstalledModel& model) { return library::equalIgnoringCase(model.id, id); };
    return std::ranges::any_of(models, same) || std::ranges::any_of(m_byPath, [&](const auto& entry) { return same(entry.second); });
  }

  // With m_scanMutex held.
  const CachedHeader& header(const ModelFiles& files, bool inDataFolder) {
    const auto known = m_headers.find(files.path.string());
    if (known != m_headers.end() && known->second.bytes == files.bytes && known->second.modifiedNs == files.modifiedNs) return known->second;
    return m_headers[files.path.string()] = readHeader(files, inDataFolder);
  }

  Result<std::vector<InstalledModel>> scanLocked() {
    library::FolderWalk walk;
    walk.search(m_modelsFolder);
    const std::size_t own = walk.found().size();
    for (const fs::path& folder : folders()) walk.search(folder);
    std::vector<std::pair<InstalledModel, std::string>> found;  // with the id it wants
    std::map<std::string, CachedHeader> current;
    for (std::size_t i = 0; i < walk.found().size(); ++i) {
      const ModelFiles& files = walk.found()[i];
      const CachedHeader& read = header(files, i < own);
      current[files.path.string()] = read;
      if (!read.isProjector) found.emplace_back(read.model, library::idFromStem(files.stem));
    }

    const std::lock_guard lock(m_mutex);
    // A model that was there keeps its id, whatever turned up beside it.
    std::map<std::string, std::string> known;
    for (const InstalledModel& model : m_models) known[model.path.string()] = model.id;
    std::vector<InstalledModel> models;
    for (auto& [model, wanted] : found) {
      if (const auto at = known.find(model.path.string()); at != known.end()) model.id = at->second;
      if (const auto at = m_byPath.find(model.path.string()); at != m_byPath.end()) {
        model.id = at->second.id;
        m_byPath.erase(at);
      }
      if (!model.id.empty()) models.push_back(model);
    }
    for (auto& [model, wanted] : found) {
      if (!model.id.empty()) continue;
      model.id = library::uniqueId(wanted, [&](const std::string& id) { return idTaken(models, id); });
      models.push_back(model);
    }
    std::ranges::sort(models, {}, &InstalledModel::id);
    m_models = std::move(models);
    m_headers = std::move(current);
    m_problems = std::move(walk.problems());
    return m_models;
  }

  fs::path m_modelsFolder;
  FoldersListener m_foldersChanged;
  std::mutex m_importMutex;
  std::mutex m_scanMutex;
  std::map<std::string, CachedHeader> m_headers;
  mutable std::mutex m_mutex;
  std::vector<fs::path> m_folders;
  std::vector<InstalledModel> m_models;
  std::map<std::string, InstalledModel> m_byPath;  // files outside all folders, by canonical path
  std::vector<Error> m_problems;
};

}  // namespace

std::unique_ptr<Library> Library::create(fs::path modelsFolder, std::vector<fs::path> extraFolders, FoldersListener foldersChanged) {
  return std::make_unique<DiskLibrary>(std::move(modelsFolder), std::move(extraFolders), std::move(foldersChanged));
}

}  // namespace hearth
