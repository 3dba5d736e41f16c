#pragma once

#include <span>
#include <string_view>

namespace hearth::api {

/// One file of the browser page, as it lies in the program.
struct PageFile {
  std::string_view path;         ///< "js/main.js"; "index.html" is the page itself
  std::string_view contentType;  ///< "text/javascript; charset=utf-8"
  std::string_view bytes;
  std::string_view zipped;       ///< the same by gzip; empty where that does not pay
};

/// All files of ui/web and resources/web/vendor, ascending by path. Made at build time by embed.py.
[[nodiscard]] std::span<const PageFile> pageFiles() noexcept;
/// Names all of them together: a part of their addresses, so that each address has one content for ever.
[[nodiscard]] std::string_view pageVersion() noexcept;

}  // namespace hearth::api
