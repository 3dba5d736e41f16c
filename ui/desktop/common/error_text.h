#pragma once

#include <QString>

#include "core/base/error.h"

namespace hearth::ui {

/// An error in the user's language: what happened, the facts that prove it, what to do about it.
struct ErrorText {
  QString cause;
  QString evidence;  ///< one line for each fact; may be empty
  QString fix;       ///< may be empty
  [[nodiscard]] QString oneLine() const;
};

/// The only place where codes of core become sentences.
[[nodiscard]] ErrorText errorText(const Error& error);
/// The facts alone, one line for each.
[[nodiscard]] QString evidenceText(const std::vector<Evidence>& evidence);

}  // namespace hearth::ui
