#include "core/documents/document.h"

#include <algorithm>

#include "core/base/platform/small_file.h"
#include "core/documents/readers.h"

namespace hearth::documents {
namespace {

std::string extensionOf(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return {};
  std::string extension(name.substr(dot + 1));
  std::ranges::transform(extension, extension.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return extension;
}

bool isPdf(std::string_view bytes) { return bytes.substr(0, 1024).find("%PDF-") != std::string_view::npos; }

Result<Document> read(std::string_view name, std::string_view bytes, const std::filesystem::path& file, const Limits& limits) {
  Document document;
  document.name = name;
  const std::string extension = extensionOf(name);
  if (bytes.starts_with("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")) {
    // Word's encrypted documents lie in the container of its old ones.
    if (extension == "docx") return refuse(ErrorCode::Forbidden, "the document is encrypted, or of an old version of Word", "encrypted");
    return refuse(ErrorCode::UnsupportedFormat, "documents of old Office versions cannot be read: save it as .docx or PDF", "format");
  }
  if (isPdf(bytes)) {
    document.kind = Kind::Pdf;
    if (file.empty()) return refuse(ErrorCode::UnsupportedFormat, "a PDF is read from a file only", "needs_file");
    bool cut = false;
    HEARTH_TRY(std::string text, textOfPdf(file, limits, cut));
    setText(document, std::move(text), limits);
    document.cut = document.cut || cut;
  } else if (bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06")) {
    document.kind = Kind::Docx;
    HEARTH_TRY(std::string text, textOfDocx(bytes));
    setText(document, std::move(text), limits);
  } else if (extension == "docx" || extension == "pdf") {
    return refuse(ErrorCode::Corrupt, "the file is not what its name says", "format");
  } else if (looksLikeHtml(bytes) || extension == "html" || extension == "htm" || extension == "xhtml") {
    document.kind = Kind::Html;
    HEARTH_TRY(Decoded decoded, textOfHtml(bytes));
    document.encoding = std::move(decoded.encoding);
    setText(document, std::move(decoded.text), limits);
  } else {
    HEARTH_TRY(Decoded decoded, decodeText(bytes));
    document.encoding = std::move(decoded.encoding);
    setText(document, std::move(decoded.text), limits);
  }
  if (document.text.find_first_not_of(" \n\t") == std::string::npos) {
    return refuse(ErrorCode::UnsupportedFormat,
                  document.kind == Kind::Pdf ? "there is no text in this PDF: its pages are pictures" : "there is no text in this file", "no_text");
  }
  return document;
}

Result<Document> guarded(std::string_view name, std::string_view bytes, const std::filesystem::path& file, const Limits& limits) {
  try {
    return read(name, bytes, file, limits);
  } catch (const std::bad_alloc&) {
    return refuse(ErrorCode::OutOfMemory, "no memory to read the file", "memory");
  } catch (const std::exception& problem) {
    return fail(ErrorCode::Internal, std::string("the file cannot be read: ") + problem.what());
  }
}

}  // namespace

std::string_view kindName(Kind kind) noexcept {
  switch (kind) {
    case Kind::Text: return "text";
    case Kind::Html: return "html";
    case Kind::Docx: return "docx";
    case Kind::Pdf: return "pdf";
  }
  return "";
}

Result<Document> readDocument(std::string_view name, std::string_view bytes, const Limits& limits) {
  if (bytes.size() > limits.fileBytes) {
    return fail(ErrorCode::InvalidArgument, "the file is larger than it may be",
                {{"bytes", std::to_string(bytes.size())}, {"limit_bytes", std::to_string(limits.fileBytes)}});
  }
  return guarded(name, bytes, {}, limits);
}

Result<Document> readDocument(const std::filesystem::path& file, const Limits& limits) {
  std::error_code code;
  const auto status = std::filesystem::status(file, code);
  if (!std::filesystem::exists(status)) return fail(ErrorCode::NotFound, "there is no such file", {{"path", file.string()}});
  if (!std::filesystem::is_regular_file(status)) return fail(ErrorCode::InvalidArgument, "this is not a file", {{"path", file.string()}});
  HEARTH_TRY(const std::string bytes, platform::readSmallFile(file, limits.fileBytes));
  auto document = guarded(file.filename().string(), bytes, file, limits);
  if (!document) return fail(std::move(document.error()).with("path", file.string()));
  return document;
}

}  // namespace hearth::documents
