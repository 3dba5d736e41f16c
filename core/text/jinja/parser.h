#pragma once

#include <string_view>

#include "core/text/jinja/ast.h"

namespace hearth::jinja {

inline constexpr std::size_t kMaxParseDepth = 200;          ///< nested blocks and parentheses, links of one chain
inline constexpr std::size_t kMaxSourceBytes = 4U << 20U;   ///< the largest known template is under 100 KiB

/// Parses a whole template. Throws Failure with line and cause.
[[nodiscard]] Body parseTemplate(std::string_view source);

}  // namespace hearth::jinja
