#pragma once

#include <filesystem>
#include <vector>

#include "core/library/folder_walk.h"

namespace hearth::library {

/// True for the folder in which Ollama keeps models: `manifests`, which say what a name stands for, and `blobs`, which are
/// called after their sums.
[[nodiscard]] bool isOllamaFolder(const std::filesystem::path& folder);

/// Its models where they are, in the order of their names: "llama3.2-1b" for the tag 1b of llama3.2, the name alone for
/// "latest", and behind the owner's where that is not Ollama's own library. Left out: models that are not whole, and those
/// that an adapter changes (the file alone is another model).
[[nodiscard]] std::vector<ModelFiles> ollamaModels(const std::filesystem::path& folder, std::vector<Error>& problems);

}  // namespace hearth::library
