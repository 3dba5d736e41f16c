#include "core/base/platform/platform.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "core/base/platform/linux_files.h"

namespace hearth::platform {
namespace {

std::uint64_t numberIn(const std::filesystem::path& file, std::uint64_t otherwise) {
  const std::string line = firstLine(file);
  if (line.empty() || line == "max") return otherwise;
  return std::strtoull(line.c_str(), nullptr, 10);
}

Result<void> syncDescriptor(const std::filesystem::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) return fail(errorFromErrno(errno, "cannot open to flush", path.string()));
  const int rc = ::fsync(descriptor);
  const int problem = errno;
  ::close(descriptor);
  if (rc != 0) return fail(errorFromErrno(problem, "cannot flush", path.string()));
  return {};
}

}  // namespace

std::filesystem::path executablePath() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored);
}

Result<void> proveWritable(const std::filesystem::path& folder) {
  std::string name = (folder / ".hearth-write-XXXXXX").string();
  const int descriptor = ::mkstemp(name.data());
  if (descriptor < 0) return fail(errorFromErrno(errno, "the data folder cannot be written", folder.string()));
  const char byte = 'h';
  const bool written = ::write(descriptor, &byte, 1) == 1;
  const int problem = errno;
  ::close(descriptor);
  ::unlink(name.c_str());
  if (!written) return fail(errorFromErrno(problem, "the data folder cannot be written", folder.string()));
  return {};
}

MemoryInfo memoryInfo() {
  MemoryInfo info;
  std::ifstream in("/proc/meminfo");
  std::string key;
  std::uint64_t kib = 0;
  std::string unit;
  while (in >> key >> kib) {
    std::getline(in, unit);
    if (key == "MemTotal:") info.totalBytes = kib * 1024;
    if (key == "MemAvailable:") info.availableBytes = kib * 1024;
  }
  // A container's limit is smaller than the machine's memory.
  const std::uint64_t limit = numberIn("/sys/fs/cgroup/memory.max", 0);
  if (limit != 0 && limit < info.totalBytes) {
    const std::uint64_t used = numberIn("/sys/fs/cgroup/memory.current", 0);
    info.totalBytes = limit;
    info.availableBytes = std::min(info.availableBytes, limit > used ? limit - used : 0);
  }
  return info;
}

std::uint64_t residentBytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  in >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::vector<CpuTimes> cpuTimes() {
  // /proc/stat: "cpu[N] user nice system idle iowait irq softirq steal …" (proc(5)); guest time is inside user.
  std::vector<CpuTimes> times;
  std::ifstream file("/proc/stat");
  std::string line;
  while (std::getline(file, line) && line.starts_with("cpu")) {
    std::istringstream fields(line);
    std::string name;
    fields >> name;
    CpuTimes core;
    std::uint64_t ticks = 0;
    for (int field = 0; field < 8 && fields >> ticks; ++field) {
      core.total += ticks;
      if (field != 3 && field != 4) core.busy += ticks;
    }
    times.push_back(core);
  }
  return times;
}

std::string cpuName() {
  std::ifstream in("/proc/cpuinfo");
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with("model name")) {
      const auto colon = line.find(':');
      if (colon != std::string::npos && colon + 2 <= line.size()) return line.substr(colon + 2);
    }
  }
  return "unknown CPU";
}

std::size_t openFileLimit() noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
  const rlim_t wanted = std::min<rlim_t>(limit.rlim_max, 65536);
  if (limit.rlim_cur < wanted) {
    rlimit raised = limit;
    raised.rlim_cur = wanted;
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return static_cast<std::size_t>(limit.rlim_cur);
}

void nameThisThread(const char* name) noexcept { (void)pthread_setname_np(pthread_self(), name); }

Result<void> syncFile(const std::filesystem::path& file) { return syncDescriptor(file, O_RDONLY); }
Result<void> syncFolder(const std::filesystem::path& folder) { return syncDescriptor(folder, O_RDONLY | O_DIRECTORY); }

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(errorFromErrno(errno, "cannot open", path.string()));
  MappedFile file;
  file.m_descriptor = descriptor;
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return fail(errorFromErrno(errno, "cannot read", path.string()));
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::InvalidArgument, "not a regular file", {{"path", path.string()}});
  }
  if (status.st_size == 0) return fail(ErrorCode::Truncated, "the file is empty", {{"path", path.string()}});
  const auto size = static_cast<std::size_t>(status.st_size);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
  if (data == MAP_FAILED) return fail(errorFromErrno(errno, "cannot map into memory", path.string()));
  file.m_data = static_cast<const std::byte*>(data);
  file.m_size = size;
  file.m_modifiedNanoseconds = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec;
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(m_data, other.m_data);
  std::swap(m_size, other.m_size);
  std::swap(m_descriptor, other.m_descriptor);
  std::swap(m_modifiedNanoseconds, other.m_modifiedNanoseconds);
  return *this;
}

MappedFile::~MappedFile() {
  if (m_data != nullptr) ::munmap(const_cast<std::byte*>(m_data), m_size);
  if (m_descriptor >= 0) ::close(m_descriptor);
}

namespace {
void advise(const std::byte* data, std::size_t total, std::size_t offset, std::size_t size, int advice) noexcept {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (data == nullptr || offset >= total) return;
  const std::size_t begin = offset / page * page;
  const std::size_t end = std::min(total, offset + std::min(size, total - offset));
  (void)::madvise(const_cast<std::byte*>(data + begin), end - begin, advice);
}
}  // namespace

void MappedFile::willNeed(std::size_t offset, std::size_t size) const noexcept {
  advise(m_data, m_size, offset, size, MADV_WILLNEED);
}
void MappedFile::dontNeed(std::size_t offset, std::size_t size) const noexcept {
  // Since 6.18 a fault maps the whole folio of the page cache that holds the page, and a folio may be as big as a huge page
  // (mm/filemap.c, "map entire large folio faultaround"): the next piece that is read maps this one again.
  constexpr std::size_t kLargestFolio = 2U << 20U;
  const std::size_t before = std::min(offset, kLargestFolio);
  advise(m_data, m_size, offset - before, before + std::min(size, m_size) + kLargestFolio, MADV_DONTNEED);
}

bool MappedFile::unchanged() const noexcept {
  struct stat status{};
  if (m_descriptor < 0 || ::fstat(m_descriptor, &status) != 0) return false;
  return static_cast<std::size_t>(status.st_size) == m_size &&
         status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec == m_modifiedNanoseconds;
}

Result<BigMemory> BigMemory::reserve(std::uint64_t bytes) {
  constexpr std::uint64_t kHugePage = 2U << 20U;
  const auto refuse = [&] {
    return fail(Error{ErrorCode::OutOfMemory, "the system refused to reserve memory", {}}.with("needed_bytes", bytes));
  };
  if (bytes == 0 || bytes > (1ULL << 47U) - kHugePage) return refuse();
  BigMemory memory;
  memory.m_mappedBytes = bytes + kHugePage;
  void* mapping =
      ::mmap(nullptr, memory.m_mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) {
    memory.m_mappedBytes = 0;
    return refuse();
  }
  memory.m_mapping = static_cast<std::byte*>(mapping);
  const auto misalignment = reinterpret_cast<std::uintptr_t>(mapping) % kHugePage;
  memory.m_data = memory.m_mapping + (misalignment == 0 ? 0 : kHugePage - misalignment);
  memory.m_size = bytes;
  ::madvise(memory.m_data, bytes, MADV_HUGEPAGE);
  return memory;
}

BigMemory::BigMemory(BigMemory&& other) noexcept { *this = std::move(other); }

BigMemory& BigMemory::operator=(BigMemory&& other) noexcept {
  std::swap(m_data, other.m_data);
  std::swap(m_size, other.m_size);
  std::swap(m_mapping, other.m_mapping);
  std::swap(m_mappedBytes, other.m_mappedBytes);
  return *this;
}

BigMemory::~BigMemory() {
  if (m_mapping != nullptr) ::munmap(m_mapping, m_mappedBytes);
}

}  // namespace hearth::platform
