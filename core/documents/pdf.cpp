#include "core/base/platform/run_limited.h"
#include "core/documents/readers.h"

namespace hearth::documents {
namespace {

constexpr const char* kProgram = "pdftotext";
constexpr std::uint64_t kMostOutput = 32ULL << 20;

}  // namespace

Result<std::string> textOfPdf(const std::filesystem::path& file, const Limits& limits, bool& cut) {
  platform::RunLimits bounds;
  bounds.time = limits.pdfTime;
  bounds.memoryBytes = limits.pdfMemoryBytes;
  bounds.outputBytes = kMostOutput;
  bounds.cancelled = limits.cancelled;
  // An absolute path never looks like an option.
  auto run = platform::runLimited(kProgram, {"-enc", "UTF-8", "-eol", "unix", std::filesystem::absolute(file).string(), "-"}, bounds);
  if (!run) {
    if (run.error().code == ErrorCode::NotFound) {
      return fail(ErrorCode::UnsupportedFormat, "PDF files are read with pdftotext, which is not installed (package poppler-utils)",
                  {{"reason", "missing_program"}, {"program", kProgram}});
    }
    return fail(std::move(run.error()));
  }
  cut = run->outputCut;
  if (run->exitCode == 0 || cut) return std::move(run->output);
  const std::string& said = run->errors;
  if (run->exitCode == 3 || said.find("ncorrect password") != std::string::npos || said.find("ncrypted") != std::string::npos) {
    return refuse(ErrorCode::Forbidden, "the document is encrypted", "encrypted");
  }
  if (run->exitCode < 0) return refuse(ErrorCode::OutOfMemory, "pdftotext needed more than it may use", "bomb");
  return refuse(ErrorCode::Corrupt, "the PDF cannot be read: " + said.substr(0, said.find('\n')), "format");
}

}  // namespace hearth::documents
