#include <zip.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <pugixml.hpp>

#include "core/documents/readers.h"

namespace hearth::documents {
namespace {

constexpr std::uint64_t kMostXml = 48ULL << 20;  // unpacked; a thousand pages have about 10 MB
constexpr std::int64_t kMostEntries = 10'000;

struct Discard {
  void operator()(zip_t* archive) const noexcept { zip_discard(archive); }
  void operator()(zip_file_t* file) const noexcept { zip_fclose(file); }
};

std::string messageOf(zip_error_t& error) {
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

Result<std::string> unpack(zip_t* archive, const char* name) {
  const zip_int64_t index = zip_name_locate(archive, name, 0);
  if (index < 0) return refuse(ErrorCode::UnsupportedFormat, "this archive is no Word document", "format");
  zip_stat_t facts;
  zip_stat_init(&facts);
  if (zip_stat_index(archive, static_cast<zip_uint64_t>(index), 0, &facts) != 0) return refuse(ErrorCode::Corrupt, "the document is damaged", "format");
  if ((facts.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && facts.encryption_method != ZIP_EM_NONE) {
    return refuse(ErrorCode::Forbidden, "the document is encrypted", "encrypted");
  }
  const auto bomb = [&](std::uint64_t bytes) {
    return fail(ErrorCode::OutOfMemory, "the document would unpack to more than it may",
                {{"reason", "bomb"}, {"unpacked_bytes", std::to_string(bytes)}, {"limit_bytes", std::to_string(kMostXml)}});
  };
  if ((facts.valid & ZIP_STAT_SIZE) != 0 && facts.size > kMostXml) return bomb(facts.size);
  const std::unique_ptr<zip_file_t, Discard> file(zip_fopen_index(archive, static_cast<zip_uint64_t>(index), 0));
  if (!file) return refuse(ErrorCode::Corrupt, std::string("the document is damaged: ") + zip_strerror(archive), "format");
  // What the archive says of its size is not believed.
  std::string xml;
  std::string buffer(64 * 1024, '\0');
  for (;;) {
    const zip_int64_t count = zip_fread(file.get(), buffer.data(), buffer.size());
    if (count < 0) return refuse(ErrorCode::Corrupt, "the document is damaged", "format");
    if (count == 0) return xml;
    xml.append(buffer, 0, static_cast<std::size_t>(count));
    if (xml.size() > kMostXml) return bomb(xml.size());
  }
}

bool named(const pugi::xml_node& node, const char* name) { return std::strcmp(node.name(), name) == 0; }

// Walks without recursion: a document may nest as deep as it likes.
std::string textOf(const pugi::xml_node& body) {
  std::string out;
  bool firstCell = true;
  int cells = 0;  // of tables that are open here
  const auto enter = [&](const pugi::xml_node& node) {
    if (named(node, "w:t")) {
      out += node.text().get();
    } else if (named(node, "w:tab")) {
      out += '\t';
    } else if (named(node, "w:br") || named(node, "w:cr")) {
      out += '\n';
    } else if (named(node, "w:noBreakHyphen")) {
      out += '-';
    } else if (named(node, "w:tc")) {
      if (!firstCell) out += '\t';
      firstCell = false;
      ++cells;
    } else if (named(node, "w:tr")) {
      firstCell = true;
    } else if (named(node, "w:p")) {
      const pugi::xml_node properties = node.child("w:pPr");
      const std::string style = properties.child("w:pStyle").attribute("w:val").value();
      if (style.starts_with("Heading") && style.size() == 8 && style[7] >= '1' && style[7] <= '6') {
        out.append(static_cast<std::size_t>(style[7] - '0'), '#').append(" ");
      } else if (style == "Title") {
        out += "# ";
      } else if (properties.child("w:numPr")) {
        out += "- ";
      }
    }
  };
  const auto leave = [&](const pugi::xml_node& node) {
    if (named(node, "w:p")) {
      // Paragraphs of a table's cell stay in its line.
      if (cells == 0) {
        out += '\n';
      } else if (node.next_sibling("w:p")) {
        out += ' ';
      }
    } else if (named(node, "w:tc")) {
      --cells;
    } else if (named(node, "w:tr")) {
      out += '\n';
    }
  };
  // Properties, deleted text and field codes are not what a reader sees.
  const auto skipped = [&](const pugi::xml_node& node) {
    return named(node, "w:pPr") || named(node, "w:rPr") || named(node, "w:del") || named(node, "w:instrText") || named(node, "w:sectPr") ||
           named(node, "mc:Fallback");
  };
  pugi::xml_node at = body.first_child();
  while (at) {
    const bool skip = skipped(at);
    if (!skip) {
      enter(at);
      if (const pugi::xml_node child = at.first_child()) {
        at = child;
        continue;
      }
      leave(at);
    }
    while (at && !at.next_sibling()) {
      at = at.parent();
      if (at == body) return out;
      leave(at);
    }
    at = at.next_sibling();
  }
  return out;
}

}  // namespace

Result<std::string> textOfDocx(std::string_view bytes) {
  zip_error_t problem;
  zip_error_init(&problem);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &problem);
  if (source == nullptr) return refuse(ErrorCode::Corrupt, "the document is damaged: " + messageOf(problem), "format");
  const std::unique_ptr<zip_t, Discard> archive(zip_open_from_source(source, ZIP_RDONLY, &problem));
  if (!archive) {
    zip_source_free(source);
    const bool cut = zip_error_code_zip(&problem) == ZIP_ER_NOZIP || zip_error_code_zip(&problem) == ZIP_ER_INCONS;
    return refuse(cut ? ErrorCode::Truncated : ErrorCode::Corrupt, "the document is damaged: " + messageOf(problem), "format");
  }
  zip_error_fini(&problem);
  if (zip_get_num_entries(archive.get(), 0) > kMostEntries) return refuse(ErrorCode::OutOfMemory, "the archive has too many files", "bomb");
  HEARTH_TRY(std::string xml, unpack(archive.get(), "word/document.xml"));
  pugi::xml_document document;
  const pugi::xml_parse_result parsed =
      document.load_buffer_inplace(xml.data(), xml.size(), pugi::parse_default | pugi::parse_ws_pcdata, pugi::encoding_auto);
  if (!parsed) return refuse(ErrorCode::Corrupt, std::string("the document is damaged: ") + parsed.description(), "format");
  const pugi::xml_node body = document.child("w:document").child("w:body");
  if (!body) return refuse(ErrorCode::Corrupt, "the document has no body", "format");
  return textOf(body);
}

}  // namespace hearth::documents
