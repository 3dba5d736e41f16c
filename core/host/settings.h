#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/engine/engine.h"
#include "core/store/store.h"
#include "kernels/cpu/kv_layout.h"

namespace hearth {

/// Keys of Store::setting() that the host reads; the settings page writes the same ones.
namespace settings {
inline constexpr const char* kModelFolders = "library.folders";        ///< JSON array of paths
inline constexpr const char* kKeepAliveSeconds = "engine.keep_alive_seconds";  ///< unload an idle model after; negative = never
inline constexpr const char* kThreads = "engine.threads";               ///< compute threads; 0 = automatic
inline constexpr const char* kContextTokens = "engine.context_tokens";  ///< longest conversation; 0 = automatic, see EngineOptions
inline constexpr const char* kMemoryBudgetBytes = "engine.memory_budget_bytes";  ///< of all models; 0 = 80% of the machine's
inline constexpr const char* kKvType = "engine.kv_type";  ///< of the KV cache: "f16" or "q8_0" (half the memory, a little less exact)
inline constexpr const char* kSpeculation = "engine.speculation";  ///< "lookup" (default) or "off"
}  // namespace settings

/// The host's settings with defaults for what is not set. A value that cannot be read is logged and its default used: a
/// mistyped setting must not keep the program from starting.
struct HostSettings {
  std::vector<std::filesystem::path> modelFolders;
  std::chrono::seconds keepAlive{-1};
  int threads = 0;
  int contextTokens = 0;
  std::uint64_t memoryBudgetBytes = 0;
  std::optional<kernels::KvType> kvType;  ///< empty = the model's own
  Speculation speculation = Speculation::Lookup;
};
[[nodiscard]] Result<HostSettings> readHostSettings(Store& store);
[[nodiscard]] Result<void> writeModelFolders(Store& store, const std::vector<std::filesystem::path>& folders);

}  // namespace hearth
