#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/error.h"

/// The text of people's files. Everything here reads what strangers may have made: each reader has limits, and what it
/// cannot read it refuses by name.
namespace hearth::documents {

enum class Kind : std::uint8_t { Text, Html, Docx, Pdf };
[[nodiscard]] std::string_view kindName(Kind kind) noexcept;  ///< "text", "html", "docx", "pdf"

struct Limits {
  std::uint64_t fileBytes = 64ULL << 20;
  std::int64_t characters = 400'000;  ///< that are kept; what is longer is cut, and says so
  std::chrono::milliseconds pdfTime{30'000};
  std::uint64_t pdfMemoryBytes = 1ULL << 30;
  std::function<bool()> cancelled;  ///< may be empty; any thread
};

struct Document {
  std::string name;  ///< of the file, without its folder
  Kind kind = Kind::Text;
  std::string encoding;         ///< of a text: "UTF-8", "UTF-16LE", "UTF-16BE", "GB18030", "windows-1252"
  std::string text;             ///< UTF-8, lines end with \n, no control characters but \n and \t
  std::int64_t characters = 0;  ///< of the whole text, also of what was cut
  bool cut = false;
};

/// Reads a file. What it is, its content says, not its name. Blocks for the disk, for a PDF up to `pdfTime`. Any thread.
/// Errors: NotFound, PermissionDenied, Io; InvalidArgument (not a file, larger than fileBytes); UnsupportedFormat (evidence
/// `reason`: binary, format, no_text, missing_program with `program`); Corrupt; Truncated; Forbidden (reason: encrypted);
/// OutOfMemory (reason: bomb: it would unpack to more than it may); Timeout; Cancelled. All with the path.
[[nodiscard]] Result<Document> readDocument(const std::filesystem::path& file, const Limits& limits = {});
/// The same of bytes in memory, but for PDF, which needs a file (UnsupportedFormat, reason: needs_file).
[[nodiscard]] Result<Document> readDocument(std::string_view name, std::string_view bytes, const Limits& limits = {});

}  // namespace hearth::documents
