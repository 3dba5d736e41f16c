#include "core/library/library.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>

#include "core/base/log.h"
#include "core/formats/gguf.h"
#include "core/library/file_import.h"
#include "core/library/file_removal.h"
#include "core/library/folder_walk.h"
#include "core/library/model_header.h"
#include "core/library/model_id.h"
#include "core/library/name_book.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using library::GivenName;
using library::ModelFiles;
using library::Names;

constexpr auto kTrashAge = std::chrono::hours(7 * 24);

bool isBelow(const fs::path& path, const fs::path& folder) {
  std::error_code ignored;
  const fs::path inner = fs::weakly_canonical(path, ignored);
  const fs::path outer = fs::weakly_canonical(folder, ignored);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

/// Constant after construction: m_modelsFolder, m_trash, m_foldersChanged. m_importMutex lets one import or removal run at a
/// time, m_scanMutex one scan, and guards m_headers; m_mutex guards the rest. Taken in this order, m_names' own before the last.
class DiskLibrary final : public Library {
 public:
  DiskLibrary(fs::path modelsFolder, std::vector<fs::path> extraFolders, FoldersListener foldersChanged, fs::path trash)
      : m_modelsFolder(std::move(modelsFolder)),
        m_trash(std::move(trash)),
        m_foldersChanged(std::move(foldersChanged)),
        m_names(m_modelsFolder),
        m_folders(std::move(extraFolders)) {
    library::removeLeftovers(m_modelsFolder);
    if (!m_trash.empty()) library::emptyTrash(m_trash, kTrashAge);
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
    if (auto known = findCurrent(name)) return usable(std::move(*known));
    const bool looksLikePath = name.find('/') != std::string::npos || name.ends_with(".gguf");
    std::error_code code;
    if (looksLikePath && fs::is_regular_file(name, code)) return resolvePath(name);
    if (looksLikePath && fs::is_directory(name, code)) {
      return fail(ErrorCode::InvalidArgument, "a folder, where a model file is expected", {{"path", name}});
    }
    HEARTH_TRY(const auto all, scan());
    if (auto known = findNamed(name)) return usable(std::move(*known));
    std::vector<std::string> beginning;
    for (const InstalledModel& model : all) {
      if (library::startsWithIgnoringCase(model.id, name)) beginning.push_back(model.id);
    }
    if (beginning.size() > 1) {
      return fail(ErrorCode::NotFound, fmt::format("several models begin with '{}'", name),
                  {{"model", name}, {"near", fmt::format("{}", fmt::join(beginning, ", "))}});
    }
    return noModel(name, all);
  }

  Result<InstalledModel> import(const fs::path& file, const std::function<bool(ImportProgress)>& progress) override {
    HEARTH_TRY(const ModelFiles files, library::filesOf(file));
    HEARTH_TRY(const GgufFile checked, GgufFile::open(files.path));
    if (library::isProjector(checked)) {
      return fail(ErrorCode::UnsupportedArchitecture, "this file only sees images for another model", {{"path", file.string()}});
    }
    if (library::isAdapter(checked)) {
      return fail(ErrorCode::UnsupportedArchitecture, "this file only changes another model (LoRA), and is none itself", {{"path", file.string()}});
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
    HEARTH_CHECK(showAgain([&](const fs::path& hidden) { return hidden == target; }));
    HEARTH_TRY(const auto all, scan());
    std::error_code code;
    for (const InstalledModel& model : all) {
      if (model.weights.empty() && fs::equivalent(model.path, target, code)) return model;
    }
    return fail(ErrorCode::NotFound, "the imported model is not in the folder", {{"path", target.string()}});
  }

  Result<InstalledModel> copy(const std::string& source, const std::string& name) override {
    return giveName(source, name, nullptr);
  }
  Result<InstalledModel> derive(const std::string& source, const std::string& name, const ModelPreset& preset) override {
    return giveName(source, name, &preset);
  }

  Result<RemovedModel> remove(const std::string& name, bool forGood) override {
    const std::lock_guard importing(m_importMutex);
    HEARTH_TRY(const auto all, scan());
    const auto found = std::ranges::find_if(all, [&](const InstalledModel& m) { return library::equalIgnoringCase(m.id, name); });
    if (found == all.end()) {
      if (isNameOfAFile(name)) {
        return fail(ErrorCode::InvalidArgument, "this model was opened by its path: it is in no folder that could lose it", {{"field", "model"}, {"model", name}});
      }
      return noModel(name, all);
    }
    RemovedModel removed;
    removed.model = *found;
    const fs::path& file = found->path;
    // What a link in our folder leads to is another's as well.
    const bool ours = found->inDataFolder && isBelow(file.parent_path(), m_modelsFolder);
    HEARTH_CHECK(m_names.change([&](Names& names) -> Result<void> {
      std::erase_if(names.given, [&](const GivenName& given) { return library::equalIgnoringCase(given.name, found->id); });
      const bool own = found->weights.empty();
      const bool last = !names.hasNameFor(file) && (own || names.isHidden(file));
      // First the file, then the list: killed in between, a name without a file is left, and can be removed again.
      if (last && ours) {
        HEARTH_TRY(removed.trash, discard(file, found->poolId(), forGood));
        removed.what = RemovedModel::What::File;
      }
      if (last && own && !ours) removed.what = RemovedModel::What::Forgotten;
      std::error_code ignored;
      names.setHidden(file, (own || names.isHidden(file)) && fs::exists(file, ignored));
      return {};
    }));
    HEARTH_TRY(const auto left, scan());
    return removed;
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
    if (const auto shown = showAgain([&](const fs::path& hidden) { return isBelow(hidden, absolute); }); !shown)
      log::warning("library", shown.error().describe());
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

  static std::unexpected<Error> noModel(const std::string& name, const std::vector<InstalledModel>& all) {
    std::vector<std::string> ids;
    for (const InstalledModel& model : all) ids.push_back(model.id);
    Error missing{ErrorCode::NotFound, fmt::format("there is no model '{}'", name), {{"model", name}}};
    if (const auto near = library::nearNames(name, ids); !near.empty())
      missing.evidence.push_back({"near", fmt::format("{}", fmt::join(near, ", "))});
    return fail(std::move(missing));
  }

  /// Takes files that somebody removed from the list of those that are not shown.
  Result<void> showAgain(const std::function<bool(const fs::path&)>& which) {
    HEARTH_TRY(const Names known, m_names.read());
    if (std::ranges::none_of(known.hidden, which)) return {};
    return m_names.change([&](Names& names) -> Result<void> {
      std::erase_if(names.hidden, which);
      return {};
    });
  }

  /// Returns the folder in the trash, or nothing.
  Result<fs::path> discard(const fs::path& file, const std::string& id, bool forGood) {
    HEARTH_TRY(const ModelFiles files, library::filesOf(file));
    if (!forGood && !m_trash.empty()) return library::moveToTrash(files, id, m_trash);
    for (const fs::path& part : files.parts) {
      std::error_code code;
      if (!fs::remove(part, code) && code) return fail(errorFromErrno(code.value(), "cannot delete the model", part.string()));
    }
    return fs::path();
  }

  Result<InstalledModel> giveName(const std::string& source, const std::string& name, const ModelPreset* preset) {
    HEARTH_CHECK(library::checkName(name));
    HEARTH_TRY(const InstalledModel from, resolve(source));
    HEARTH_TRY(const auto before, scan());  // so that names of files are known
    HEARTH_CHECK(m_names.change([&](Names& names) -> Result<void> {
      if (isNameOfAFile(name)) {
        return fail(ErrorCode::AlreadyExists, "a model file has this name already: give another one", {{"model", name}});
      }
      std::erase_if(names.given, [&](const GivenName& given) { return library::equalIgnoringCase(given.name, name); });
      GivenName given;
      given.name = name;
      given.file = from.path;
      given.parent = preset != nullptr ? from.id : from.parent;
      given.createdMs = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
      given.preset = preset != nullptr ? *preset : from.preset;
      names.given.push_back(std::move(given));
      return {};
    }));
    HEARTH_TRY(const auto all, scan());
    const auto made = std::ranges::find(all, name, &InstalledModel::id);
    if (made == all.end()) return fail(ErrorCode::Internal, "the name is not there", {{"model", name}});
    return usable(*made);
  }

  bool isNameOfAFile(const std::string& name) const {
    const std::lock_guard lock(m_mutex);
    const auto same = [&](const InstalledModel& model) { return library::equalIgnoringCase(model.id, name); };
    return std::ranges::any_of(m_files, same) || std::ranges::any_of(m_byPath, [&](const auto& entry) { return same(entry.second); });
  }

  // What another program has done to names and files since the last scan counts.
  std::optional<InstalledModel> findCurrent(const std::string& name) {
    auto known = findNamed(name);
    std::error_code ignored;
    if (!m_names.changed() && (!known || fs::exists(known->path, ignored))) return known;
    if (const auto scanned = scan(); !scanned) return known;
    return findNamed(name);
  }

  // Exact id, then without regard to case, then the only one of a file that begins so. Files named by path come last.
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
      if (!model.weights.empty() || !library::startsWithIgnoringCase(model.id, name)) continue;
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
      for (const InstalledModel& model : m_files) {
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
      model.id = library::uniqueId(library::idFromStem(files.stem), [&](const std::string& id) { return idTaken(m_files, id) || idTaken(m_models, id); });
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
  // … and m_mutex. Files of no folder that somebody gave a name to.
  void addOutside(const Names& names, const std::vector<InstalledModel>& files) {
    for (const GivenName& given : names.given) {
      const std::string key = given.file.string();
      if (m_byPath.contains(key) || std::ranges::find(files, given.file, &InstalledModel::path) != files.end()) continue;
      const auto parts = library::filesOf(given.file);
      if (!parts) continue;
      InstalledModel model = library::readHeader(*parts, false).model;
      model.id = library::uniqueId(library::idFromStem(parts->stem),
                                   [&](const std::string& id) { return idTaken(files, id) || names.find(id) != nullptr; });
      m_byPath.emplace(key, std::move(model));
    }
  }

  // With m_scanMutex held.
  const library::ModelHeader& header(const ModelFiles& files, bool inDataFolder) {
    const auto known = m_headers.find(files.path.string());
    if (known != m_headers.end() && known->second.bytes == files.bytes && known->second.modifiedNs == files.modifiedNs) return known->second;
    return m_headers[files.path.string()] = library::readHeader(files, inDataFolder);
  }

  Result<std::vector<InstalledModel>> scanLocked() {
    library::FolderWalk walk;
    walk.search(m_modelsFolder);
    const std::size_t own = walk.found().size();
    for (const fs::path& folder : folders()) walk.search(folder);
    std::vector<std::pair<InstalledModel, std::string>> found;  // with the id it wants
    std::map<std::string, library::ModelHeader> current;
    for (std::size_t i = 0; i < walk.found().size(); ++i) {
      const ModelFiles& files = walk.found()[i];
      const library::ModelHeader& read = header(files, i < own);
      current[files.path.string()] = read;
      if (!read.isCompanion) found.emplace_back(read.model, library::idFromStem(files.stem));
    }

    std::vector<Error> problems = std::move(walk.problems());
    Names names;
    if (auto read = m_names.read()) {
      names = std::move(*read);
    } else {
      problems.push_back(std::move(read).error());
    }

    const std::lock_guard lock(m_mutex);
    // A model that was there keeps its id, whatever turned up beside it.
    std::map<std::string, std::string> known;
    for (const InstalledModel& model : m_files) known[model.path.string()] = model.id;
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
      model.id = library::uniqueId(wanted, [&](const std::string& id) { return idTaken(models, id) || names.find(id) != nullptr; });
      models.push_back(model);
    }
    addOutside(names, models);
    m_files = std::move(models);
    m_models = library::withNames(m_files, m_byPath, names);
    m_headers = std::move(current);
    m_problems = std::move(problems);
    return m_models;
  }

  fs::path m_modelsFolder;
  fs::path m_trash;
  FoldersListener m_foldersChanged;
  library::NameBook m_names;
  std::mutex m_importMutex;
  std::mutex m_scanMutex;
  std::map<std::string, library::ModelHeader> m_headers;
  mutable std::mutex m_mutex;
  std::vector<fs::path> m_folders;
  std::vector<InstalledModel> m_files;   // under their own names, the hidden ones too
  std::vector<InstalledModel> m_models;  // as they are shown
  std::map<std::string, InstalledModel> m_byPath;  // files outside all folders, by canonical path
  std::vector<Error> m_problems;
};

}  // namespace

std::unique_ptr<Library> Library::create(fs::path modelsFolder, std::vector<fs::path> extraFolders, FoldersListener foldersChanged,
                                         fs::path trash) {
  return std::make_unique<DiskLibrary>(std::move(modelsFolder), std::move(extraFolders), std::move(foldersChanged), std::move(trash));
}

std::string_view whatName(RemovedModel::What what) noexcept {
  switch (what) {
    case RemovedModel::What::Name: return "name";
    case RemovedModel::What::File: return "file";
    case RemovedModel::What::Forgotten: return "forgotten";
  }
  return "name";
}

// For libraries that only look (fakes in tests).
Result<InstalledModel> Library::copy(const std::string&, const std::string&) { return fail(ErrorCode::ReadOnly, "this library gives no names"); }
Result<InstalledModel> Library::derive(const std::string&, const std::string&, const ModelPreset&) {
  return fail(ErrorCode::ReadOnly, "this library gives no names");
}
Result<RemovedModel> Library::remove(const std::string&, bool) { return fail(ErrorCode::ReadOnly, "this library removes nothing"); }

}  // namespace hearth
