#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <iostream>
#include <mutex>

#include "ui/terminal/commands.h"
#include "ui/terminal/rooms.h"

namespace hearth::terminal {
namespace {

/// Follows one reply. The sink runs on other threads and only takes notes; the main thread prints in wait(), so that a slow
/// terminal or pipe never holds up the engine.
class Reply {
 public:
  bool take(const ChatEvent& event) {
    {
      std::lock_guard lock(m_mutex);
      switch (event.kind) {
        case ChatEvent::Kind::Loading: m_loading = event.loadProgress; break;
        case ChatEvent::Kind::Started: m_loading = -1; break;
        case ChatEvent::Kind::Text: m_unprinted += event.text; break;
        case ChatEvent::Kind::Finished:
        case ChatEvent::Kind::Failed:
          m_last = event;
          m_done = true;
          break;
        case ChatEvent::Kind::Queued:
        case ChatEvent::Kind::Reasoning:
        case ChatEvent::Kind::ToolCall: break;
      }
    }
    m_changed.notify_all();
    return true;
  }

  /// Prints until the end and gives the last event; Ctrl-C cancels the reply, not the program.
  ChatEvent wait(ChatTask& task) {
    ProgressLine progress("loading");
    for (;;) {
      std::string fresh;
      double loading = -1;
      bool done = false;
      {
        std::unique_lock lock(m_mutex);
        m_changed.wait_for(lock, std::chrono::milliseconds(50), [this] { return m_done || !m_unprinted.empty(); });
        fresh.swap(m_unprinted);
        loading = m_loading;
        done = m_done;
      }
      if (interrupted.load()) task.cancel();
      if (loading >= 0 && !done) progress.at(loading);
      if (!fresh.empty() || done) progress.clear();
      writeResult(fresh);
      text += fresh;
      if (done) return m_last;  // nothing comes after it
    }
  }

  std::string text;  ///< what was printed; of the main thread

 private:
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::string m_unprinted;
  double m_loading = -1;
  ChatEvent m_last;
  bool m_done = false;
};

std::string statistics(const ChatEvent& end) {
  std::string line = fmt::format("{:.1f} tok/s · first token {:.2f} s · {} tokens", end.tokensPerSecond, end.firstTokenSeconds, end.generatedTokens);
  if (end.promptTokens > 0) line += fmt::format(" · prompt {} tokens", end.promptTokens);
  if (end.draftedTokens > 0) line += fmt::format(" · {} of {} guesses right", end.acceptedTokens, end.draftedTokens);
  if (end.reason == FinishReason::Length) line += " · cut off at the length limit";
  return line;
}

}  // namespace

int commandRun(const GlobalOptions& global, const RunOptions& options) {
  std::string prompt = options.prompt;
  if (options.hasPrompt && prompt == "-") {
    auto text = readAll("-");
    if (!text) return report(text.error());
    prompt = std::move(*text);
    // The newline that echo and editors put at the end is not part of the question.
    if (prompt.ends_with('\n')) prompt.pop_back();
    if (prompt.ends_with('\r')) prompt.pop_back();
  }
  if (options.hasPrompt && prompt.empty()) {
    return report(Error{ErrorCode::InvalidArgument, "the prompt is empty", {}});
  }
  auto rooms = Rooms::open(global);
  if (!rooms) return report(rooms.error());
  installInterruptFlag();

  if (!global.draft.empty()) {
    if (const auto loaded = loadWithDraft(**rooms, global, options.model); !loaded) return report(loaded.error());
  }
  ChatRequest request;
  request.model = options.model;
  request.sampling = options.sampling;
  if (options.seed >= 0) request.sampling.seed = static_cast<std::uint64_t>(options.seed);
  request.maxTokens = options.maxTokens;
  request.stop = options.stop;
  if (!options.system.empty()) request.messages.push_back({.role = Role::System, .text = options.system});

  const auto answer = [&](const std::string& question) -> int {
    request.messages.push_back({.role = Role::User, .text = question});
    auto reply = std::make_shared<Reply>();
    auto task = (*rooms)->chat().complete(request, [reply](const ChatEvent& event) { return reply->take(event); });
    if (!task) return report(task.error());
    const ChatEvent last = reply->wait(**task);
    if (last.kind == ChatEvent::Kind::Failed) {
      if (!reply->text.empty()) writeResult("\n");
      return report(last.error.value_or(Error{ErrorCode::Internal, "the reply failed", {}}));
    }
    writeResult("\n");
    if (!options.quiet) say(statistics(last));
    request.messages.push_back({.role = Role::Assistant, .text = reply->text});
    return last.reason == FinishReason::Cancelled ? kExitInterrupted : kExitDone;
  };

  if (options.hasPrompt) return answer(prompt);

  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  if (terminal) say("/clear forgets the conversation, /exit or Ctrl-D ends it, Ctrl-C stops a reply.");
  const std::size_t kept = request.messages.size();
  std::string line;
  for (;;) {
    if (terminal) std::cerr << "> " << std::flush;
    if (!std::getline(std::cin, line)) break;
    interrupted.store(false);
    if (line == "/exit" || line == "/bye") break;
    if (line == "/clear") {
      request.messages.resize(kept);
      continue;
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::size_t before = request.messages.size();
    const int status = answer(line);
    if (status == kExitInterrupted) continue;
    if (status != kExitDone) {
      // A wrong name stays wrong; an overflow can be mended by /clear.
      if (request.messages.size() <= kept + 1) return status;
      request.messages.resize(before);
    }
  }
  if (terminal) std::cerr << '\n';
  return kExitDone;
}

}  // namespace hearth::terminal
