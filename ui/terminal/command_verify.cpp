#include <fmt/format.h>

#include <boost/json.hpp>

#include "core/base/paths.h"
#include "core/library/verify.h"
#include "ui/terminal/commands.h"
#include "ui/terminal/rooms.h"

namespace json = boost::json;

namespace hearth::terminal {

int commandVerify(const GlobalOptions& global, const std::string& model, bool asJson) {
  const auto path = modelPath(global, model);
  if (!path) return report(path.error());
  installInterruptFlag();
  ProgressLine line("reading");
  const auto files = verifyModel(chooseDataPaths(global.dataDir).models(), *path, [&](std::uint64_t done, std::uint64_t total) {
    line.at(total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0);
    return !interrupted;
  });
  if (!files) return interrupted ? kExitInterrupted : report(files.error());
  const VerifiedFile* damaged = nullptr;
  json::array all;
  std::string text;
  for (const VerifiedFile& file : *files) {
    if (file.damaged()) damaged = &file;
    const char* state = file.damaged() ? "damaged" : file.expected.empty() ? "no sum known" : "good";
    text += fmt::format("{:<12}  {}  {}\n", state, file.sha256, file.path.string());
    all.push_back(json::object{{"path", file.path.string()}, {"bytes", file.bytes}, {"sha256", file.sha256}, {"expected", file.expected}, {"state", state}});
  }
  if (asJson) {
    writeJson(all);
  } else {
    writeResult(text);
  }
  if (damaged == nullptr) return kExitDone;
  return report(Error{ErrorCode::HashMismatch,
                      "the file on the disk is not the one that was downloaded: remove the model and get it again",
                      {{"path", damaged->path.string()}, {"expected", damaged->expected}, {"found", damaged->sha256}}});
}

}  // namespace hearth::terminal
