#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

/// The folder of real models (HEARTH_TEST_MODELS) when it has the small one; tests skip without it.
inline std::optional<std::filesystem::path> realModelsFolder() {
  const char* folder = std::getenv("HEARTH_TEST_MODELS");
  if (folder == nullptr || *folder == '\0') return std::nullopt;
  if (!std::filesystem::exists(std::filesystem::path(folder) / "smollm2-135m-instruct-q4_1.gguf")) return std::nullopt;
  return std::filesystem::path(folder);
}
inline constexpr const char* kSmallModel = "smollm2-135m-instruct-q4_1";
