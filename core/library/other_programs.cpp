#include "core/library/other_programs.h"

#include <algorithm>

#include "core/library/folder_walk.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

struct Place {
  const char* program;
  const char* folder;  // below the home folder, or the root
};
constexpr Place kPlaces[] = {
    {"LM Studio", ".lmstudio/models"},
    {"LM Studio", ".cache/lm-studio/models"},
    {"GPT4All", ".local/share/nomic.ai/GPT4All"},
    {"Hugging Face", ".cache/huggingface/hub"},
    {"Jan", ".local/share/Jan/data"},
    {"Jan", ".config/Jan/data"},
    {"Jan", "jan/models"},
    {"llama.cpp", ".cache/llama.cpp"},
    {"Ollama", ".ollama/models"},
};
// Of programs that run as a service of the system.
constexpr Place kSystemPlaces[] = {{"Ollama", "usr/share/ollama/.ollama/models"}, {"Ollama", "var/lib/ollama/.ollama/models"}};

bool liesIn(const fs::path& folder, const fs::path& outer) {
  const auto [rest, _] = std::ranges::mismatch(outer, folder);
  return rest == outer.end() || (rest->empty() && std::next(rest) == outer.end());
}

}  // namespace

std::vector<OtherModels> findOtherModels(const fs::path& home, std::span<const fs::path> searched, const fs::path& root) {
  std::vector<OtherModels> found;
  std::vector<fs::path> taken;
  std::error_code code;
  for (const fs::path& folder : searched) {
    if (fs::path real = fs::canonical(folder, code); !code) taken.push_back(std::move(real));
  }
  std::vector<std::pair<const char*, fs::path>> places;
  for (const Place& place : kPlaces) places.emplace_back(place.program, home / place.folder);
  for (const Place& place : kSystemPlaces) places.emplace_back(place.program, root / place.folder);
  for (const auto& [program, folder] : places) {
    const fs::path real = fs::canonical(folder, code);
    if (code || !fs::is_directory(real, code)) continue;
    if (std::ranges::any_of(taken, [&](const fs::path& outer) { return liesIn(real, outer); })) continue;
    library::FolderWalk walk;
    walk.search(folder);
    if (walk.found().empty()) continue;
    OtherModels models{.program = program, .folder = folder};
    for (const library::ModelFiles& files : walk.found()) {
      ++models.models;
      models.bytes += files.bytes;
    }
    found.push_back(std::move(models));
    taken.push_back(real);
  }
  return found;
}

}  // namespace hearth
