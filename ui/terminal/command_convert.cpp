#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/library/convert.h"
#include "ui/terminal/commands.h"

namespace hearth::terminal {

int commandConvert(const ConvertCommandOptions& options) {
  installInterruptFlag();
  ProgressLine progress("converting");
  ConvertOptions how;
  how.type = options.type;
  how.progress = [&](std::uint64_t done, std::uint64_t total) {
    progress.at(total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0);
    return !interrupted.load();
  };
  auto converted = convertModel(options.source, options.target, how);
  progress.clear();
  if (!converted) return report(converted.error());
  say(fmt::format("{} ({}): {} tensors, {}", converted->name, converted->architecture, converted->tensors,
                  humanBytes(converted->fileBytes)));
  if (!converted->ignored.empty())
    say(fmt::format("not used by this architecture: {}", fmt::join(converted->ignored, ", ")));
  writeResult(options.target + "\n");
  return kExitDone;
}

}  // namespace hearth::terminal
