#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "core/base/platform/run_limited.h"

namespace hearth::platform {
namespace {

constexpr std::size_t kMostErrors = 4096;
constexpr int kPauseMs = 100;

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  ~Pipe() {
    closeEnd(0);
    closeEnd(1);
  }
  bool open() { return ::pipe2(ends.data(), O_CLOEXEC) == 0; }
  void closeEnd(std::size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
};

std::string findProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0 ? name : std::string();
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string candidate = std::string(rest.substr(0, end)) + "/" + name;
    // A folder of the working directory's is no place to take programs from.
    if (rest.starts_with('/') && ::access(candidate.c_str(), X_OK) == 0 && std::filesystem::is_regular_file(candidate)) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

void limit(decltype(RLIMIT_CPU) what, rlim_t most) {
  const rlimit value{most, most};
  (void)::setrlimit(what, &value);
}

// Between fork and exec: nothing but system calls.
[[noreturn]] void become(const char* program, char* const* arguments, char* const* environment, int output, int errors, const RunLimits& limits,
                         pid_t parent) {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  (void)::setpgid(0, 0);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing < 0 || ::dup2(nothing, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(errors, 2) < 0) ::_exit(127);
  for (const int each : {SIGPIPE, SIGINT, SIGTERM, SIGCHLD}) (void)::signal(each, SIG_DFL);
  sigset_t none;
  (void)::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  limit(RLIMIT_CPU, static_cast<rlim_t>(limits.time.count() / 1000 + 1));
  limit(RLIMIT_AS, limits.memoryBytes);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, 64);
  (void)::nice(10);
  ::execve(program, arguments, environment);
  ::_exit(127);
}

// The group, so that what it started ends with it.
void kill(pid_t child) {
  (void)::kill(-child, SIGKILL);
  (void)::kill(child, SIGKILL);
}

}  // namespace

Result<RunOutcome> runLimited(const std::string& program, const std::vector<std::string>& arguments, const RunLimits& limits) {
  const std::string path = findProgram(program);
  if (path.empty()) return fail(ErrorCode::NotFound, "the program is not installed", {{"program", program}});
  Pipe output;
  Pipe errors;
  if (!output.open() || !errors.open()) return fail(errorFromErrno(errno, "cannot start", path));
  std::vector<char*> words{const_cast<char*>(path.c_str())};
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  std::string language = "LC_ALL=C.UTF-8";
  std::string home = "HOME=/nonexistent";
  std::string places = "PATH=/usr/bin:/bin";
  const std::array<char*, 4> environment{language.data(), home.data(), places.data(), nullptr};
  const pid_t self = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return fail(errorFromErrno(errno, "cannot start", path));
  if (child == 0) become(path.c_str(), words.data(), environment.data(), output.ends[1], errors.ends[1], limits, self);
  output.closeEnd(1);
  errors.closeEnd(1);

  RunOutcome outcome;
  const auto deadline = std::chrono::steady_clock::now() + limits.time;
  bool late = false;
  bool cancelled = false;
  std::string buffer(64 * 1024, '\0');
  while (output.ends[0] >= 0 || errors.ends[0] >= 0) {
    std::array<pollfd, 2> waiting{pollfd{output.ends[0], POLLIN, 0}, pollfd{errors.ends[0], POLLIN, 0}};
    const int ready = ::poll(waiting.data(), waiting.size(), kPauseMs);
    late = std::chrono::steady_clock::now() >= deadline;
    cancelled = limits.cancelled && limits.cancelled();
    if (late || cancelled || (ready < 0 && errno != EINTR)) break;
    for (std::size_t i = 0; i < waiting.size() && ready > 0; ++i) {
      if (waiting[i].revents == 0) continue;
      const auto count = ::read(waiting[i].fd, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        (i == 0 ? output : errors).closeEnd(0);
      } else if (i == 0) {
        outcome.output.append(buffer, 0, static_cast<std::size_t>(count));
      } else if (outcome.errors.size() < kMostErrors) {
        outcome.errors.append(buffer, 0, std::min(static_cast<std::size_t>(count), kMostErrors - outcome.errors.size()));
      }
    }
    if (outcome.output.size() > limits.outputBytes) {
      outcome.output.resize(limits.outputBytes);
      outcome.outputCut = true;
      break;
    }
  }
  // Either it has closed its outputs and ends by itself, or it is ended.
  if (late || cancelled || outcome.outputCut) kill(child);
  int status = 0;
  for (;;) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) break;
    if (ended < 0 && errno != EINTR) return fail(errorFromErrno(errno, "cannot wait for", path));
    if (std::chrono::steady_clock::now() >= deadline) {
      late = true;
      kill(child);
    }
    (void)::poll(nullptr, 0, 5);
  }
  if (cancelled) return fail(ErrorCode::Cancelled, "cancelled", {{"program", program}});
  if (late || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)) {
    return fail(ErrorCode::Timeout, "the program took too long", {{"program", program}, {"limit_ms", std::to_string(limits.time.count())}});
  }
  if (WIFEXITED(status)) outcome.exitCode = WEXITSTATUS(status);
  return outcome;
}

}  // namespace hearth::platform
