#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth {

/// What went wrong, as a stable code: ui turns it into a sentence in the user's language, the server into an HTTP status.
enum class ErrorCode : std::uint16_t {
  Internal,            ///< a bug of ours, or a third party's exception without a better name
  InvalidArgument,     ///< a caller's value is out of range or of the wrong kind
  NotFound,            ///< a file, model, conversation that is not there
  AlreadyExists,
  PermissionDenied,
  ReadOnly,            ///< the medium cannot be written
  DiskFull,
  Io,                  ///< any other failure of reading or writing
  Corrupt,             ///< a file or database contradicts itself
  Truncated,           ///< a file ends before its own header says
  WrongMagic,          ///< not a file of this format
  UnsupportedVersion,
  UnsupportedArchitecture,
  UnsupportedFormat,   ///< tensor type, tokenizer, pre-tokenizer that we lack
  OutOfMemory,         ///< the thing would not fit; evidence has needed and available bytes
  TemplateFailed,      ///< a chat template raised, or ran past its caps
  ContextOverflow,     ///< prompt longer than the context; evidence has both
  QueueFull,
  ShuttingDown,
  Cancelled,
  Timeout,
  PortInUse,
  Network,
  HashMismatch,
  Unauthenticated,     ///< no or wrong name, password, key or session: one message for all causes
  Forbidden,           ///< known, but not allowed to do this
  QuotaExceeded,       ///< evidence: whose limit, of what, and `retry_after_seconds` unless the budget is spent
  TooManyAttempts,     ///< of signing in; evidence `retry_after_seconds`
  ModelNotLoaded,
};

/// The code's stable name in snake_case ("context_overflow"): for logs, JSON and tests.
[[nodiscard]] std::string_view errorCodeName(ErrorCode code) noexcept;
/// The code of that name; Internal for a name that this build does not know (written by a newer one).
[[nodiscard]] ErrorCode errorCodeFromName(std::string_view name) noexcept;

/// One fact that proves the error: {"path", "/x.gguf"}, {"needed_bytes", "9000"}.
struct Evidence {
  std::string key;
  std::string value;
};

/// An error: code for programs, English message for people and logs, facts as evidence.
struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;
  std::vector<Evidence> evidence;

  /// Adds one fact and returns the error, so that it can be built in one expression.
  Error&& with(std::string key, std::string value) &&;
  Error&& with(std::string key, std::uint64_t value) &&;
  /// The value of a fact, or empty.
  [[nodiscard]] std::string_view find(std::string_view key) const noexcept;
  /// "message (key: value, …)": one line for terminals and logs.
  [[nodiscard]] std::string describe() const;
};

template <class T>
using Result = std::expected<T, Error>;

/// Shorthand for `return fail(ErrorCode::Io, "…")`.
[[nodiscard]] std::unexpected<Error> fail(ErrorCode code, std::string message, std::vector<Evidence> evidence = {});
[[nodiscard]] std::unexpected<Error> fail(Error error);

/// From errno after a failed system call on `path`: ENOSPC becomes DiskFull, EROFS ReadOnly, and so on.
[[nodiscard]] Error errorFromErrno(int errnoValue, std::string_view what, std::string_view path);

}  // namespace hearth

/// `HEARTH_TRY(auto x, f())`: x = *f(), or return its error from the enclosing function.
#define HEARTH_TRY_CAT2(a, b) a##b
#define HEARTH_TRY_CAT(a, b) HEARTH_TRY_CAT2(a, b)
#define HEARTH_TRY(decl, expr) HEARTH_TRY_IMPL(HEARTH_TRY_CAT(hearthTry_, __LINE__), decl, expr)
#define HEARTH_TRY_IMPL(tmp, decl, expr)                          \
  auto tmp = (expr);                                              \
  if (!tmp) return std::unexpected(std::move(tmp).error());       \
  decl = std::move(*tmp)
/// For Result<void>.
#define HEARTH_CHECK(expr)                                        \
  do {                                                            \
    if (auto hearthCheck_ = (expr); !hearthCheck_)                \
      return std::unexpected(std::move(hearthCheck_).error());    \
  } while (false)
