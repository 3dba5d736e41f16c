#include "ui/terminal/password.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace hearth::terminal {
namespace {

constexpr std::size_t kLongest = 4096;

/// Switches the echo of a terminal off for its lifetime.
class Quiet {
 public:
  explicit Quiet(int descriptor) : m_descriptor(descriptor) {
    m_changed = ::tcgetattr(descriptor, &m_before) == 0;
    termios quiet = m_before;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (m_changed) m_changed = ::tcsetattr(descriptor, TCSAFLUSH, &quiet) == 0;
  }
  ~Quiet() {
    if (m_changed) ::tcsetattr(m_descriptor, TCSAFLUSH, &m_before);
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  int m_descriptor;
  bool m_changed = false;
  termios m_before{};
};

void writeAll(int descriptor, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t written = ::write(descriptor, text.data() + at, text.size() - at);
    if (written <= 0) return;
    at += static_cast<std::size_t>(written);
  }
}

// Byte by byte: what follows the line belongs to somebody else.
Result<std::string> readLine(int descriptor) {
  std::string line;
  for (char c = 0;;) {
    const ssize_t got = ::read(descriptor, &c, 1);
    if (got < 0 && errno == EINTR) return fail(ErrorCode::Cancelled, "interrupted");
    if (got <= 0 || c == '\n') break;
    line += c;
    if (line.size() > kLongest) return fail(ErrorCode::InvalidArgument, "the password is longer than 256 bytes");
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace

Result<std::string> askNewPassword(const std::string& name) {
  const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (terminal < 0) {
    return fail(ErrorCode::InvalidArgument,
                "there is no terminal to ask for the password on: use --password-stdin or --invite");
  }
  const auto ask = [&](const std::string& question) {
    writeAll(terminal, question);
    Result<std::string> answer = [&] {
      const Quiet quiet(terminal);
      return readLine(terminal);
    }();
    writeAll(terminal, "\n");
    return answer;
  };
  auto first = ask("Password for " + name + " (10 characters or more): ");
  auto second = first ? ask("Again: ") : first;
  ::close(terminal);
  if (!first) return first;
  if (!second) return second;
  if (*first != *second) return fail(ErrorCode::InvalidArgument, "the two passwords differ");
  return first;
}

Result<std::string> passwordFromInput() { return readLine(STDIN_FILENO); }

}  // namespace hearth::terminal
