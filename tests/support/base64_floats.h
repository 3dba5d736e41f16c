#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

/// Little-endian float32 in base64: as the golden files and OpenAI's embeddings have them.
inline std::vector<float> floatsOf(std::string_view base64) {
  std::string bytes;
  unsigned bits = 0;
  int have = 0;
  for (const char c : base64) {
    const char* alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char* at = std::strchr(alphabet, c);
    if (c == '=' || at == nullptr) break;
    bits = bits << 6U | static_cast<unsigned>(at - alphabet);
    if ((have += 6) >= 8) bytes += static_cast<char>(bits >> (have -= 8) & 0xffU);
  }
  std::vector<float> values(bytes.size() / 4);
  std::memcpy(values.data(), bytes.data(), values.size() * 4);
  return values;
}
