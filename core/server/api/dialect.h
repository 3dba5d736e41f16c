#pragma once

#include <cstdint>
#include <string_view>

namespace hearth::api {

/// Whose client is speaking: decides the shape of errors.
enum class Dialect : std::uint8_t {
  OpenAi,     ///< {"error":{"message","type","param","code"}}; also our own resources
  Ollama,     ///< {"error":"text"}
  Anthropic,  ///< {"type":"error","error":{"type","message"}}
};

/// By the path alone, so that it is known before anything else is.
[[nodiscard]] Dialect dialectOf(std::string_view path) noexcept;

}  // namespace hearth::api
