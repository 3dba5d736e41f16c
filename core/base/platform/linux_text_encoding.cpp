#include <iconv.h>

#include <cerrno>

#include "core/base/platform/text_encoding.h"

namespace hearth::platform {

std::optional<std::string> toUtf8(std::string_view bytes, const char* encoding) {
  const iconv_t converter = ::iconv_open("UTF-8", encoding);
  if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
  std::string out;
  std::string buffer(16 * 1024, '\0');
  char* from = const_cast<char*>(bytes.data());
  std::size_t left = bytes.size();
  bool good = true;
  while (left > 0 && good) {
    char* to = buffer.data();
    std::size_t room = buffer.size();
    const std::size_t done = ::iconv(converter, &from, &left, &to, &room);
    good = done != static_cast<std::size_t>(-1) || errno == E2BIG;
    out.append(buffer, 0, buffer.size() - room);
  }
  ::iconv_close(converter);
  if (!good) return std::nullopt;
  return out;
}

}  // namespace hearth::platform
