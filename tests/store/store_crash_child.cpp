// Writes messages for ever (or until a disk is full) and says on stdout what was acknowledged; store_crash_test.cpp kills it.
//   store_crash_child write DATABASE THREADS   lines: "added ID KEY" (a user message), "reply ID KEY",
//                                              "partial ID LENGTH", "final ID LENGTH"
//   store_crash_child full DATABASE            one line: what happened with and without space
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "core/store/store.h"
#include "tests/store/crash_text.h"

using namespace hearth;

namespace {

// One write() a line: whole or not at all in the pipe.
void say(const std::string& line) {
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::_Exit(4);
}

[[noreturn]] void give(const Error& error) {
  say("error " + error.describe() + "\n");
  std::_Exit(3);
}

void writeForEver(Store& store, int thread) {
  const auto conversation = store.createConversation(fmt::format("thread {}", thread), "m");
  if (!conversation) give(conversation.error());
  MessageId parent = 0;
  for (int n = 0;; ++n) {
    const int key = n * 100 + thread;
    Message user;
    user.conversation = conversation->id;
    user.parent = parent;
    user.text = crashText(key, 40 + static_cast<std::size_t>(key) % 4000);
    const auto added = store.addMessage(user);
    if (!added) give(added.error());
    say(fmt::format("added {} {}\n", added->id, key));
    Message reply;
    reply.conversation = conversation->id;
    reply.parent = added->id;
    reply.role = Role::Assistant;
    reply.state = MessageState::Streaming;
    auto streaming = store.addMessage(reply);
    if (!streaming) give(streaming.error());
    say(fmt::format("reply {} {}\n", streaming->id, key));
    for (std::size_t length = 0; length < 2000; length += 300) {
      streaming->text = crashText(key, length);
      if (const auto saved = store.updateMessage(*streaming); !saved) give(saved.error());
      say(fmt::format("partial {} {}\n", streaming->id, length));
    }
    streaming->state = MessageState::Complete;
    streaming->text = crashText(key, 2000);
    if (const auto saved = store.updateMessage(*streaming); !saved) give(saved.error());
    say(fmt::format("final {} 2000\n", streaming->id));
    parent = streaming->id;
  }
}

// A limit on file size stands for a full disk: writes beyond it fail.
int runFull(const std::filesystem::path& path) {
  std::signal(SIGXFSZ, SIG_IGN);
  auto store = Store::open(path);
  if (!store) give(store.error());
  const auto conversation = (*store)->createConversation("c", "m");
  if (!conversation) give(conversation.error());
  Message message;
  message.conversation = conversation->id;
  message.text = std::string(20'000, 'x');
  int stored = 0;
  const auto addUntilRefused = [&]() -> std::string {
    for (int i = 0; i < 2000; ++i) {
      const auto added = (*store)->addMessage(message);
      if (!added) return std::string(errorCodeName(added.error().code));
      ++stored;
    }
    return "none";
  };
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlim_t unlimited = limit.rlim_cur;
  limit.rlim_cur = 1'000'000;
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const std::string first = addUntilRefused();
  const int before = stored;
  const std::string again = addUntilRefused();
  const auto readable = (*store)->children(conversation->id, 0);
  limit.rlim_cur = unlimited;
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const auto after = (*store)->addMessage(message);
  if (after) ++stored;
  const auto all = (*store)->children(conversation->id, 0);
  say(fmt::format("full {} {} readable {} continued {} kept {} expected {} {}\n", first, again, readable ? static_cast<int>(readable->size()) - before : -999,
                  after.has_value(), all ? all->size() : 0, stored, before));
  store->reset();
  const auto reopened = Store::open(path);
  if (!reopened) give(reopened.error());
  return (*reopened)->children(conversation->id, 0)->size() == static_cast<std::size_t>(stored) ? 0 : 5;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string mode = argv[1];
  if (mode == "full") return runFull(argv[2]);
  auto store = Store::open(argv[2]);
  if (!store) give(store.error());
  say("open 0 0\n");
  std::vector<std::thread> threads;
  for (int t = 0; t < std::atoi(argv[3]); ++t) threads.emplace_back([&store, t] { writeForEver(**store, t); });
  for (auto& thread : threads) thread.join();
}
