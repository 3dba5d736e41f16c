#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace hearth::team {

/// A user's or group's name in the form that is stored, and in the one that is compared.
struct Name {
  std::string shown;   ///< NFC
  std::string folded;  ///< case-folded
};
/// 1 to 64 characters: letters and digits of any script with their marks, and . _ - (not as the first). Pure. Error:
/// InvalidArgument with `field`.
[[nodiscard]] Result<Name> checkName(std::string_view name, std::string_view field = "name");

/// 10 characters to 256 bytes of UTF-8 without control characters; nothing is demanded of their kind, but it must not be
/// the name. Error: InvalidArgument (field "password").
[[nodiscard]] Result<void> checkPassword(std::string_view password, std::string_view name = {});

/// A label or a model's name: at most `most` bytes of UTF-8 without control characters. Error: InvalidArgument.
[[nodiscard]] Result<void> checkText(std::string_view text, std::size_t most, std::string_view field);

}  // namespace hearth::team
