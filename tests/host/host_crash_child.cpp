// A host with a real model that chats for ever in several conversations; host_crash_test.cpp kills it.
//   host_crash_child DATA MODELS MODEL CONVERSATIONS
// Lines: "ready", "sent USER REPLY KEY", "seen REPLY BYTES MILLISECONDS" (text shown so far; the system's monotonic clock),
// "done REPLY BYTES" (the Finished event came).
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/host/host.h"

using namespace hearth;

namespace {

void say(const std::string& line) {
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::_Exit(4);
}

[[noreturn]] void give(const Error& error) {
  say("error " + error.describe() + "\n");
  std::_Exit(3);
}

std::int64_t milliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void chatForEver(Host& host, const std::string& model, int number) {
  const auto conversation = host.store().createConversation("", model);
  if (!conversation) give(conversation.error());
  for (int n = 0;; ++n) {
    const int key = n * 100 + number;
    std::mutex mutex;
    std::condition_variable changed;
    bool ended = false;
    MessageId reply = 0;
    std::size_t bytes = 0;
    SendOptions options;
    options.sampling.seed = static_cast<std::uint64_t>(key);
    options.maxTokens = n % 3 == 0 ? 24 : 600;
    const auto sent = host.chat().send(conversation->id, 0, fmt::format("Tell me a long story, number {}.", key), options, [&](const ChatEvent& event) {
      const std::lock_guard lock(mutex);
      bytes += event.text.size();
      if (event.kind == ChatEvent::Kind::Failed) give(*event.error);
      if (event.kind == ChatEvent::Kind::Text && reply != 0) say(fmt::format("seen {} {} {}\n", reply, bytes, milliseconds()));
      if (event.kind == ChatEvent::Kind::Finished) {
        if (reply != 0) say(fmt::format("done {} {}\n", reply, bytes));
        ended = true;
        changed.notify_all();
      }
      return true;
    });
    if (!sent) give(sent.error());
    std::unique_lock lock(mutex);
    reply = sent->assistant.id;
    say(fmt::format("sent {} {} {}\n", sent->user.id, reply, key));
    changed.wait(lock, [&] { return ended; });
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  HostOptions options;
  options.dataDir = argv[1];
  auto host = Host::create(options);
  if (!host) give(host.error());
  if (const auto added = (*host)->library().addFolder(argv[2]); !added && added.error().code != ErrorCode::AlreadyExists) give(added.error());
  const auto model = (*host)->library().resolve(argv[3]);
  if (!model) give(model.error());
  if (const auto loaded = (*host)->pool().load(model->id, model->path, {}); !loaded) give(loaded.error());
  say("ready\n");
  std::vector<std::thread> threads;
  for (int i = 0; i < std::atoi(argv[4]); ++i) threads.emplace_back([&, i] { chatForEver(**host, model->id, i); });
  for (auto& thread : threads) thread.join();
}
