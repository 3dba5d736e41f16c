#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hearth::platform {

/// Turns text of the named encoding ("GB18030", "WINDOWS-1252") into UTF-8; nothing when a byte does not belong to it, or
/// this system does not know it. Pure.
[[nodiscard]] std::optional<std::string> toUtf8(std::string_view bytes, const char* encoding);

}  // namespace hearth::platform
