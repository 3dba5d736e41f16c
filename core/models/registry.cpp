#include "core/models/registry.h"

#include <fmt/format.h>

namespace hearth {
namespace models {
namespace {

constexpr Architecture kArchitectures[] = {
    {"llama", &makeLlama},   {"qwen2", &makeQwen2}, {"qwen3", &makeQwen3}, {"qwen3moe", &makeQwen3, Experts::Always},
    {"gemma3", &makeGemma3}, {"bert", &makeBert, Experts::Never, Direction::Both},
};

}  // namespace

std::span<const Architecture> architectures() noexcept { return kArchitectures; }

Result<const Architecture*> findArchitecture(const GgufFile& file) {
  const std::string wanted = file.architecture();
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.name == wanted) return &architecture;
  }
  return fail(ErrorCode::UnsupportedArchitecture, fmt::format("models of the architecture \"{}\" cannot be run yet", wanted),
              {{"architecture", wanted}, {"supported", fmt::format("{}", fmt::join(supportedArchitectures(), ", "))}});
}

}  // namespace models

std::vector<std::string> supportedArchitectures() {
  std::vector<std::string> names;
  for (const auto& architecture : models::architectures()) names.emplace_back(architecture.name);
  return names;
}

Result<ModelConfig> readModelConfig(const GgufFile& file) {
  HEARTH_TRY(const models::Architecture* architecture, models::findArchitecture(file));
  HEARTH_TRY(auto parameters, models::readHyperparameters(file, architecture->experts, architecture->direction));
  return std::move(parameters.config);
}

}  // namespace hearth
