#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "core/base/platform/file_lock.h"

namespace hearth::platform {

Result<FileLock> FileLock::take(const std::filesystem::path& file) {
  FileLock lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.m_descriptor < 0) return fail(errorFromErrno(errno, "cannot open the lock file", file.string()));
  if (::flock(lock.m_descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int problem = errno;
    if (problem != EWOULDBLOCK) return fail(errorFromErrno(problem, "cannot lock the data folder", file.string()));
    std::array<char, 32> owner{};
    const ssize_t length = ::pread(lock.m_descriptor, owner.data(), owner.size(), 0);
    std::string pid(owner.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    pid.erase(pid.find_last_not_of(" \n") + 1);
    return fail(ErrorCode::AlreadyExists, "Hearth is already running on this data folder", {{"pid", pid}, {"path", file.string()}});
  }
  // The id is a help for people: a full disk must not keep the program from starting here.
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.m_descriptor, 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(lock.m_descriptor, pid.data(), pid.size(), 0);
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : m_descriptor(std::exchange(other.m_descriptor, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(m_descriptor, other.m_descriptor);
  return *this;
}

FileLock::~FileLock() {
  if (m_descriptor >= 0) ::close(m_descriptor);
}

}  // namespace hearth::platform
