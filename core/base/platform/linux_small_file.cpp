#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/platform/platform.h"
#include "core/base/platform/small_file.h"

namespace hearth::platform {

namespace fs = std::filesystem;

Result<std::string> readSmallFile(const fs::path& path, std::size_t mostBytes) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail(errorFromErrno(errno, "cannot read", path.string()));
  std::string text;
  std::string buffer(16 * 1024, '\0');
  for (;;) {
    const auto count = ::read(file, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int problem = errno;
      ::close(file);
      return fail(errorFromErrno(problem, "cannot read", path.string()));
    }
    if (count == 0) break;
    text.append(buffer, 0, static_cast<std::size_t>(count));
    if (text.size() > mostBytes) break;
  }
  ::close(file);
  if (text.size() > mostBytes)
    return fail(ErrorCode::InvalidArgument, "the file is larger than it may be",
                {{"path", path.string()}, {"limit_bytes", std::to_string(mostBytes)}});
  return text;
}

Result<void> replaceFile(const fs::path& path, std::string_view text, bool secret) {
  const fs::path temporary = path.string() + ".new";
  (void)::unlink(temporary.c_str());
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, secret ? 0600 : 0644);
  if (file < 0) return fail(errorFromErrno(errno, "cannot write", path.string()));
  std::size_t written = 0;
  while (written < text.size()) {
    const auto count = ::write(file, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    written += static_cast<std::size_t>(count);
  }
  const bool good = written == text.size() && ::fsync(file) == 0;
  const int problem = errno;
  ::close(file);
  if (!good || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const Error error = errorFromErrno(good ? errno : problem, "cannot write", path.string());
    (void)::unlink(temporary.c_str());
    return fail(error);
  }
  return syncFolder(path.parent_path());
}

}  // namespace hearth::platform
