#pragma once

#include <cstddef>
#include <string>

/// Text that both sides of the crash test can compute: the first `length` bytes of message `key`.
inline std::string crashText(int key, std::size_t length) {
  std::string text;
  text.reserve(length);
  auto state = static_cast<unsigned>(key) * 2654435761U + 12345U;
  for (std::size_t i = 0; i < length; ++i) {
    state = state * 1664525U + 1013904223U;
    text += static_cast<char>('a' + (state >> 24U) % 26U);
  }
  return text;
}
