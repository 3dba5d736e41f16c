#include "core/library/folder_walk.h"

#include "core/library/ollama_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace hearth::library {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepest = 32;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c); });
  return text;
}

bool isModelName(const std::string& name) {
  const std::string plain = lower(name);
  return !name.starts_with('.') && plain.size() > 5 && plain.ends_with(".gguf") && plain.find("mmproj") == std::string::npos;
}

struct PartName {
  std::string stem;
  int number = 0, count = 0;
};

// "x-00002-of-00003.gguf": what the tools that split models write.
std::optional<PartName> partName(const std::string& name) {
  constexpr std::string_view kShape = "-00000-of-00000.gguf";
  if (name.size() <= kShape.size()) return std::nullopt;
  const std::string_view tail = std::string_view(name).substr(name.size() - kShape.size());
  PartName part;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = tail[i] >= '0' && tail[i] <= '9';
    if (kShape[i] == '0' ? !digit : tail[i] != kShape[i]) return std::nullopt;
    if (digit && kShape[i] == '0') {
      int& number = i < 7 ? part.number : part.count;
      number = number * 10 + (tail[i] - '0');
    }
  }
  if (part.number < 1 || part.count < 1 || part.number > part.count) return std::nullopt;
  part.stem = name.substr(0, name.size() - kShape.size());
  return part;
}

void addPart(ModelFiles& model, const fs::path& path) {
  std::error_code code;
  const auto bytes = fs::file_size(path, code);
  if (!code) model.bytes += bytes;
  const auto time = fs::last_write_time(path, code);
  if (!code) {
    const auto sinceEpoch = std::chrono::file_clock::to_sys(time).time_since_epoch();
    model.modifiedNs = std::max<std::int64_t>(model.modifiedNs, std::chrono::duration_cast<std::chrono::nanoseconds>(sinceEpoch).count());
  }
  model.parts.push_back(path);
}

// Makes models of the files of one folder; `files` are sorted, so that parts stand in order.
std::vector<ModelFiles> group(const std::vector<fs::path>& files) {
  std::vector<ModelFiles> models;
  std::string splitKey;
  for (const fs::path& file : files) {
    const std::string name = file.filename().string();
    const auto part = partName(name);
    const std::string key = part ? fmt::format("{}\n{}", part->stem, part->count) : std::string();
    if (!part || key != splitKey) {
      ModelFiles model;
      model.path = file;
      model.stem = part ? part->stem : name.substr(0, name.size() - 5);
      models.push_back(std::move(model));
    }
    splitKey = key;
    addPart(models.back(), file);
  }
  return models;
}

}  // namespace

void FolderWalk::search(const fs::path& folder) {
  std::error_code code;
  const auto status = fs::status(folder, code);
  if (!fs::exists(status)) {
    m_problems.push_back({ErrorCode::NotFound, "this folder is not there", {{"path", folder.string()}}});
  } else if (!fs::is_directory(status)) {
    m_problems.push_back({ErrorCode::InvalidArgument, "this is not a folder", {{"path", folder.string()}}});
  } else {
    visit(folder, 0);
  }
}

void FolderWalk::visit(const fs::path& folder, int depth) {
  const auto firstTime = [this](const fs::path& path) {
    std::error_code ignored;
    return m_visited.insert(fs::weakly_canonical(path, ignored).string()).second;
  };
  if (depth > kDeepest || !firstTime(folder)) return;

  if (isOllamaFolder(folder)) {
    for (ModelFiles& model : ollamaModels(folder, m_problems)) {
      if (firstTime(model.path)) m_found.push_back(std::move(model));
    }
    return;
  }
  std::error_code code;
  std::vector<fs::path> files;
  std::vector<fs::path> folders;
  fs::directory_iterator entry(folder, code);
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.')) continue;
    std::error_code broken;  // a dangling link is nothing
    if (entry->is_directory(broken)) {
      folders.push_back(entry->path());
    } else if (isModelName(name) && entry->is_regular_file(broken)) {
      files.push_back(entry->path());
    }
  }
  if (code) m_problems.push_back(errorFromErrno(code.value(), "cannot read this folder", folder.string()));
  std::ranges::sort(files);
  std::ranges::sort(folders);
  std::erase_if(files, [&](const fs::path& file) { return !firstTime(file); });
  std::ranges::move(group(files), std::back_inserter(m_found));
  for (const fs::path& below : folders) visit(below, depth + 1);
}

Result<ModelFiles> filesOf(const fs::path& file) {
  std::error_code code;
  const auto status = fs::status(file, code);
  if (!fs::exists(status)) return fail(ErrorCode::NotFound, "there is no such file", {{"path", file.string()}});
  if (!fs::is_regular_file(status)) return fail(ErrorCode::InvalidArgument, "this is not a file", {{"path", file.string()}});
  const std::string name = file.filename().string();
  ModelFiles model;
  model.path = file;
  if (const auto part = partName(name)) {
    model.stem = part->stem;
    for (int n = 1; n <= part->count; ++n) {
      const fs::path other = file.parent_path() / fmt::format("{}-{:05}-of-{:05}.gguf", part->stem, n, part->count);
      if (fs::exists(other, code)) addPart(model, other);
    }
    model.path = model.parts.front();
    return model;
  }
  model.stem = lower(name).ends_with(".gguf") ? name.substr(0, name.size() - 5) : name;
  addPart(model, file);
  return model;
}

}  // namespace hearth::library
