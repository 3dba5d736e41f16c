#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/error.h"

/// Small files that must be whole: certificates, keys, state.
namespace hearth::platform {

/// Errors: NotFound, PermissionDenied, Io, InvalidArgument (larger than `mostBytes`), each with the path.
[[nodiscard]] Result<std::string> readSmallFile(const std::filesystem::path& file, std::size_t mostBytes);

/// Writes the whole file or leaves the old one: beside it, to the disk, then in its place. With `secret` nobody but the
/// owner can read it, not for a moment. Errors as errorFromErrno.
[[nodiscard]] Result<void> replaceFile(const std::filesystem::path& file, std::string_view text, bool secret);

}  // namespace hearth::platform
