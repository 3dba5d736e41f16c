#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace hearth {

/// A program started beside the test; its standard output comes through `out`, which the test closes. pid −1: not started.
struct ChildProcess {
  pid_t pid = -1;
  int out = -1;
};

/// words[0] is the program's path, the rest its arguments.
[[nodiscard]] inline ChildProcess startChild(std::vector<std::string> words) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execv(argv[0], argv.data());
    std::_Exit(127);
  }
  ::close(ends[1]);
  return {pid, ends[0]};
}

}  // namespace hearth
