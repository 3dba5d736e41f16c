// Decode rates of one model file through the engine, by number of sequences: measure_engine MODEL [threads] [tokens]
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>

#include "core/engine/engine_pool.h"

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("measure_engine MODEL [threads] [tokens]\n", stderr), 2;
  hearth::EnginePoolOptions options;
  options.threads = argc > 2 ? std::atoi(argv[2]) : 0;
  const int tokens = argc > 3 ? std::atoi(argv[3]) : 64;
  const auto pool = hearth::EnginePool::create(options);
  hearth::EngineOptions engine;
  engine.contextTokens = 2048;
  engine.kvTokens = 16384;
  const auto loaded = pool->load("model", argv[1], engine);
  if (!loaded) return std::fputs((loaded.error().describe() + "\n").c_str(), stderr), 1;
  for (const int sequences : {1, 8, 32}) {
    std::vector<std::promise<void>> done(static_cast<std::size_t>(sequences));
    using Clock = std::chrono::steady_clock;
    Clock::time_point lastFirst{}, end{};  // engine thread only, until all promises are kept
    int counted = 0;
    for (int i = 0; i < sequences; ++i) {
      hearth::EngineRequest request;
      request.prompt = (*loaded)->engine->tokenizer().encode(fmt::format("Sequence {}: once upon a time", i));
      request.maxTokens = tokens;
      request.ignoreEnd = true;
      request.sampling.temperature = 0;
      request.sink = [&, i, first = true](const hearth::EngineEvent& event) mutable {
        if (event.kind == hearth::EngineEvent::Kind::Token) {
          if (std::exchange(first, false)) {
            lastFirst = Clock::now();
            counted = 0;
          } else {
            ++counted;
          }
        }
        if (event.kind == hearth::EngineEvent::Kind::Finished) {
          end = Clock::now();
          done[static_cast<std::size_t>(i)].set_value();
        }
        return true;
      };
      if (!(*loaded)->engine->submit(std::move(request))) return 1;
    }
    for (auto& one : done) one.get_future().wait();
    fmt::print("{:2} sequences: {:.1f} tok/s decoded\n", sequences, counted / std::chrono::duration<double>(end - lastFirst).count());
  }
  return 0;
}
