#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

#include "core/base/error.h"

namespace hearth::http {

/// A request's body on disk. Owns the file and removes it, unless whoever took the request has moved it elsewhere. One
/// thread at a time.
class SpooledBody {
 public:
  /// A new, empty file in `folder`, which is made when it is missing. Errors as errorFromErrno.
  [[nodiscard]] static Result<std::shared_ptr<SpooledBody>> create(const std::filesystem::path& folder);
  ~SpooledBody();
  SpooledBody(const SpooledBody&) = delete;
  SpooledBody& operator=(const SpooledBody&) = delete;

  /// False = it could not be written (the disk is full, mostly); the file is useless then.
  [[nodiscard]] bool append(std::string_view bytes);
  /// Everything is with the system; nothing can be appended after it. False = not.
  [[nodiscard]] bool finish();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return m_path; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return m_bytes; }

 private:
  SpooledBody(std::filesystem::path path, std::FILE* file) : m_path(std::move(path)), m_file(file) {}
  const std::filesystem::path m_path;
  std::FILE* m_file;
  std::uint64_t m_bytes = 0;
};

}  // namespace hearth::http
