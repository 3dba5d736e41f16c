#pragma once

#include <string>
#include <string_view>

#include "core/documents/document.h"

/// One reader a kind, and what they share. Any thread.
namespace hearth::documents {

[[nodiscard]] std::unexpected<Error> refuse(ErrorCode code, std::string message, std::string reason);

struct Decoded {
  std::string text;
  std::string encoding;
};
/// By byte order mark, else by what the bytes can be; `hint` is an encoding that the content names of itself, or empty.
/// Error: UnsupportedFormat (binary).
[[nodiscard]] Result<Decoded> decodeText(std::string_view bytes, std::string_view hint = {});

/// Gives a document its text: line ends, control characters, the limit.
void setText(Document& document, std::string text, const Limits& limits);

[[nodiscard]] bool looksLikeHtml(std::string_view bytes);
[[nodiscard]] Result<Decoded> textOfHtml(std::string_view bytes);
[[nodiscard]] Result<std::string> textOfDocx(std::string_view bytes);
[[nodiscard]] Result<std::string> textOfPdf(const std::filesystem::path& file, const Limits& limits, bool& cut);

}  // namespace hearth::documents
