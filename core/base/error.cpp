#include "core/base/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace hearth {

std::string_view errorCodeName(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::Internal: return "internal";
    case ErrorCode::InvalidArgument: return "invalid_argument";
    case ErrorCode::NotFound: return "not_found";
    case ErrorCode::AlreadyExists: return "already_exists";
    case ErrorCode::PermissionDenied: return "permission_denied";
    case ErrorCode::ReadOnly: return "read_only";
    case ErrorCode::DiskFull: return "disk_full";
    case ErrorCode::Io: return "io";
    case ErrorCode::Corrupt: return "corrupt";
    case ErrorCode::Truncated: return "truncated";
    case ErrorCode::WrongMagic: return "wrong_magic";
    case ErrorCode::UnsupportedVersion: return "unsupported_version";
    case ErrorCode::UnsupportedArchitecture: return "unsupported_architecture";
    case ErrorCode::UnsupportedFormat: return "unsupported_format";
    case ErrorCode::OutOfMemory: return "out_of_memory";
    case ErrorCode::TemplateFailed: return "template_failed";
    case ErrorCode::ContextOverflow: return "context_overflow";
    case ErrorCode::QueueFull: return "queue_full";
    case ErrorCode::ShuttingDown: return "shutting_down";
    case ErrorCode::Cancelled: return "cancelled";
    case ErrorCode::Timeout: return "timeout";
    case ErrorCode::PortInUse: return "port_in_use";
    case ErrorCode::Network: return "network";
    case ErrorCode::HashMismatch: return "hash_mismatch";
    case ErrorCode::Unauthenticated: return "unauthenticated";
    case ErrorCode::Forbidden: return "forbidden";
    case ErrorCode::QuotaExceeded: return "quota_exceeded";
    case ErrorCode::TooManyAttempts: return "too_many_attempts";
    case ErrorCode::ModelNotLoaded: return "model_not_loaded";
  }
  return "internal";
}

ErrorCode errorCodeFromName(std::string_view name) noexcept {
  for (int i = 0; i <= static_cast<int>(ErrorCode::ModelNotLoaded); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    if (errorCodeName(code) == name) return code;
  }
  return ErrorCode::Internal;
}

Error&& Error::with(std::string key, std::string value) && {
  evidence.push_back({std::move(key), std::move(value)});
  return std::move(*this);
}

Error&& Error::with(std::string key, std::uint64_t value) && {
  return std::move(*this).with(std::move(key), std::to_string(value));
}

std::string_view Error::find(std::string_view key) const noexcept {
  for (const Evidence& fact : evidence) {
    if (fact.key == key) return fact.value;
  }
  return {};
}

std::string Error::describe() const {
  if (evidence.empty()) return message;
  std::string facts;
  for (const Evidence& fact : evidence) {
    if (!facts.empty()) facts += ", ";
    facts += fact.key + ": " + fact.value;
  }
  return fmt::format("{} ({})", message, facts);
}

std::unexpected<Error> fail(ErrorCode code, std::string message, std::vector<Evidence> evidence) {
  return std::unexpected(Error{code, std::move(message), std::move(evidence)});
}

std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

Error errorFromErrno(int errnoValue, std::string_view what, std::string_view path) {
  ErrorCode code = ErrorCode::Io;
  switch (errnoValue) {
    case ENOENT:
    case ENOTDIR: code = ErrorCode::NotFound; break;
    case EACCES:
    case EPERM: code = ErrorCode::PermissionDenied; break;
    case EROFS: code = ErrorCode::ReadOnly; break;
    case ENOSPC:
    case EFBIG:
    case EDQUOT: code = ErrorCode::DiskFull; break;
    case EEXIST: code = ErrorCode::AlreadyExists; break;
    case ENOMEM: code = ErrorCode::OutOfMemory; break;
    case EADDRINUSE: code = ErrorCode::PortInUse; break;
    default: break;
  }
  return Error{code, fmt::format("{}: {}", what, std::strerror(errnoValue)), {{"path", std::string(path)}}};
}

}  // namespace hearth
