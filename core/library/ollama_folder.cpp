#include "core/library/ollama_folder.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <optional>

#include "core/base/platform/small_file.h"

namespace hearth::library {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kMostManifestBytes = 256U << 10U;
constexpr std::size_t kMostManifests = 10'000;
constexpr int kManifestDepth = 4;  // registry, owner, name, tag
constexpr std::string_view kModelLayer = "application/vnd.ollama.image.model";
constexpr std::string_view kAdapterLayer = "application/vnd.ollama.image.adapter";
constexpr std::string_view kDigest = "sha256:";

// "sha256:…" → "sha256-…", the blob's file name; nothing for what is not a sum.
std::optional<std::string> blobName(std::string_view digest) {
  if (!digest.starts_with(kDigest) || digest.size() != kDigest.size() + 64) return std::nullopt;
  const std::string_view sum = digest.substr(kDigest.size());
  const bool plain = std::ranges::all_of(sum, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return plain ? std::optional("sha256-" + std::string(sum)) : std::nullopt;
}

struct Layer {
  std::string blob;
  std::uint64_t bytes = 0;
};

/// The weights that a manifest names; nothing when there are none, several, or an adapter on top.
std::optional<Layer> weightsOf(const std::string& text) {
  boost::system::error_code problem;
  const json::value manifest = json::parse(text, problem);
  const json::object* object = problem ? nullptr : manifest.if_object();
  const json::value* layers = object ? object->if_contains("layers") : nullptr;
  const json::array* list = layers ? layers->if_array() : nullptr;
  if (!list) return std::nullopt;
  std::optional<Layer> weights;
  for (const json::value& each : *list) {
    const json::object* layer = each.if_object();
    if (!layer) return std::nullopt;
    const auto textOf = [&](const char* key) -> std::string_view {
      const json::value* value = layer->if_contains(key);
      return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
    };
    const std::string_view kind = textOf("mediaType");
    if (kind == kAdapterLayer) return std::nullopt;
    if (kind != kModelLayer) continue;
    const auto blob = blobName(textOf("digest"));
    const json::value* size = layer->if_contains("size");
    if (weights || !blob || !size || !size->is_number()) return std::nullopt;
    boost::system::error_code notWhole;
    weights = Layer{*blob, size->to_number<std::uint64_t>(notWhole)};
    if (notWhole) return std::nullopt;
  }
  return weights;
}

std::string stemOf(const fs::path& relative) {
  // registry.ollama.ai/library/llama3.2/1b
  std::vector<std::string> parts;
  for (const fs::path& part : relative) parts.push_back(part.string());
  const std::string& owner = parts[1];
  const std::string& tag = parts[3];
  std::string stem = owner == "library" ? parts[2] : owner + "-" + parts[2];
  if (tag != "latest") stem += "-" + tag;
  return stem;
}

}  // namespace

bool isOllamaFolder(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_directory(folder / "manifests", ignored) && fs::is_directory(folder / "blobs", ignored);
}

std::vector<ModelFiles> ollamaModels(const fs::path& folder, std::vector<Error>& problems) {
  const fs::path manifests = folder / "manifests";
  std::vector<fs::path> files;
  std::error_code code;
  fs::recursive_directory_iterator entry(manifests, fs::directory_options::skip_permission_denied, code);
  for (; !code && entry != fs::recursive_directory_iterator(); entry.increment(code)) {
    std::error_code broken;
    if (entry.depth() + 1 == kManifestDepth) {
      if (entry->is_regular_file(broken) && !entry->path().filename().string().starts_with('.')) files.push_back(entry->path());
      entry.disable_recursion_pending();
    }
    if (files.size() >= kMostManifests) break;
  }
  if (code) problems.push_back(errorFromErrno(code.value(), "cannot read this folder", manifests.string()));
  std::ranges::sort(files);
  std::vector<ModelFiles> models;
  for (const fs::path& file : files) {
    const auto text = platform::readSmallFile(file, kMostManifestBytes);
    if (!text) {
      problems.push_back(text.error());
      continue;
    }
    const auto weights = weightsOf(*text);
    if (!weights) continue;
    ModelFiles model;
    model.path = folder / "blobs" / weights->blob;
    std::error_code missing;
    // One that is still fetched is called "…-partial".
    model.bytes = fs::file_size(model.path, missing);
    if (missing || model.bytes != weights->bytes) continue;
    const auto time = fs::last_write_time(model.path, missing);
    if (!missing)
      model.modifiedNs = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::file_clock::to_sys(time).time_since_epoch()).count();
    model.parts = {model.path};
    model.stem = stemOf(file.lexically_relative(manifests));
    models.push_back(std::move(model));
  }
  return models;
}

}  // namespace hearth::library
