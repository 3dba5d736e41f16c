#include "core/library/model_header.h"

#include <utility>

namespace hearth::library {

constexpr std::int64_t kNanosecondsInMs = 1'000'000;

bool isProjector(const GgufFile& file) {
  return file.architecture() == "clip" || file.string("general.type").value_or("") == "mmproj";
}

bool isAdapter(const GgufFile& file) {
  return file.string("general.type").value_or("") == "adapter" || !file.string("adapter.type").value_or("").empty();
}

ModelHeader readHeader(const ModelFiles& files, bool inDataFolder) {
  ModelHeader header{files.bytes, files.modifiedNs, {}, false};
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
  header.isCompanion = isProjector(*file) || isAdapter(*file);
  model.license = file->string("general.license").value_or("");
  model.hasChatTemplate = !file->string("tokenizer.chat_template").value_or("").empty();
  if (auto config = readModelConfig(*file)) {
    model.config = std::move(*config);
  } else {
    model.problem = std::move(config).error();
  }
  return header;
}

}  // namespace hearth::library
