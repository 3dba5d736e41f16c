#include "core/library/verify.h"

#include <algorithm>

#include "core/formats/gguf.h"
#include "core/library/download/checksums.h"
#include "core/library/downloads.h"
#include "core/library/folder_walk.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

/// "sha256-<sum>" of Ollama, "<sum>" of Hugging Face's cache (large files only: small ones are called after another sum).
std::string sumInName(const fs::path& file) {
  std::error_code ignored;
  std::string name = fs::canonical(file, ignored).filename().string();
  if (name.starts_with("sha256-")) name.erase(0, 7);
  const bool sum = name.size() == 64 && std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return sum ? name : std::string();
}

}  // namespace

Result<std::vector<VerifiedFile>> verifyModel(const fs::path& modelsFolder, const fs::path& model,
                                              const std::function<bool(std::uint64_t, std::uint64_t)>& progress) {
  HEARTH_TRY(const library::ModelFiles files, library::filesOf(model));
  std::vector<VerifiedFile> verified;
  std::uint64_t done = 0;
  bool known = true;
  for (const fs::path& part : files.parts) {
    VerifiedFile file;
    file.path = part;
    std::error_code ignored;
    file.bytes = fs::file_size(part, ignored);
    if (const auto origin = originOf(modelsFolder, part)) file.expected = origin->sha256;
    for (char& c : file.expected) c = static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c);
    if (file.expected.empty()) file.expected = sumInName(part);
    known = known && !file.expected.empty();
    HEARTH_TRY(file.sha256, library::sha256OfFile(part, [&](std::uint64_t bytes) {
                 done += bytes;
                 return !progress || progress(done, files.bytes);
               }));
    verified.push_back(std::move(file));
  }
  if (!known) {
    HEARTH_TRY(const GgufFile checked, GgufFile::open(files.path));
  }
  return verified;
}

}  // namespace hearth
