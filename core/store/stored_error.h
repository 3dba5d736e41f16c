#pragma once

#include <optional>
#include <string>

#include "core/base/error.h"

namespace hearth::store {

/// Evidence as the database keeps it: a JSON array of [key, value] pairs, "" when there is none.
[[nodiscard]] std::string evidenceText(const Error& error);

/// The error of a row from its three columns; nothing when all are empty. A row from before codes were kept becomes
/// Internal with the text of then; evidence that cannot be read is left out (the code still says what happened).
[[nodiscard]] std::optional<Error> readError(const std::string& code, std::string message, const std::string& evidence);

}  // namespace hearth::store
