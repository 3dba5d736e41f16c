// What a model takes against what was planned: measure_memory MODEL CONTEXT [f16|q8_0] [tokens of a conversation]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "core/base/platform/platform.h"
#include "core/engine/engine_pool.h"
#include "core/engine/model_memory.h"

namespace {

std::map<std::string, double> rollup() {
  std::map<std::string, double> megabytes;
  std::ifstream in("/proc/self/smaps_rollup");
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(':');
    if (colon != std::string::npos) megabytes[line.substr(0, colon)] = std::atof(line.c_str() + colon + 1) / 1024;
  }
  return megabytes;
}

void tell(const char* when) {
  auto now = rollup();
  fmt::print("  {:<8} rss {:8.1f} MiB: anonymous {:8.1f}, file {:8.1f}\n", when, now["Rss"], now["Anonymous"], now["Rss"] - now["Anonymous"]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fputs("measure_memory MODEL CONTEXT [f16|q8_0] [tokens of a conversation]\n", stderr), 2;
  using namespace hearth;
  EngineOptions options;
  options.contextTokens = std::atoi(argv[2]);
  options.kvTokens = options.contextTokens;
  if (argc > 3) options.kvType = kvTypeNamed(argv[3]);
  const auto pool = EnginePool::create({});
  ModelMemory plan;
  {
    auto file = GgufFile::open(argv[1]);
    auto config = readModelConfig(*file);
    auto made = planModelMemory(*file, *config, options, pool->threads(), platform::memoryInfo().availableBytes);
    if (!made) return std::fputs((made.error().describe() + "\n").c_str(), stderr), 1;
    plan = *made;
  }
  const double mib = 1 << 20;
  fmt::print("plan: weights {:.1f} kv {:.1f} compute {:.1f} tables {:.1f} mapped {:.1f} MiB; loaded {:.1f} filled {:.1f}\n", plan.cpu.weights / mib, plan.cpu.kv / mib, plan.cpu.compute / mib,
             plan.cpu.tables / mib, plan.cpu.mapped / mib, plan.loaded() / mib, plan.filled() / mib);
  tell("before");
  const double before = static_cast<double>(platform::residentBytes());
  const auto loaded = pool->load("model", argv[1], options);
  if (!loaded) return std::fputs((loaded.error().describe() + "\n").c_str(), stderr), 1;
  tell("loaded");
  const auto compare = [&](const char* what, double predicted) {
    const double actual = static_cast<double>(platform::residentBytes()) - before;
    fmt::print("{} {}: predicted {:.1f} actual {:.1f} MiB ({:+.2f}%)\n", what, options.contextTokens, predicted / mib, actual / mib, 100 * (predicted / actual - 1));
  };
  compare("loaded", static_cast<double>(plan.loaded()));
  // Conversations of at most 2,048 tokens, one after the other: what they leave in the prefix cache fills every page, and
  // attention over the whole context would take hours where nothing depends on it.
  std::mt19937 random(1);
  const auto& tokenizer = (*loaded)->engine->tokenizer();
  const auto start = std::chrono::steady_clock::now();
  for (int left = options.contextTokens - options.pageTokens; left > options.pageTokens;) {
    EngineRequest request;
    const int length = std::min(left, argc > 4 ? std::atoi(argv[4]) : 2048) - 8;
    left -= length + 8;
    while (static_cast<int>(request.prompt.size()) < length) {
      const auto token = static_cast<TokenId>(random() % static_cast<unsigned>(tokenizer.vocabularySize()));
      if (!tokenizer.isControl(token)) request.prompt.push_back(token);
    }
    request.maxTokens = 4;
    request.ignoreEnd = true;
    std::promise<void> done;
    request.sink = [&](const EngineEvent& event) {
      if (event.kind == EngineEvent::Kind::Finished) done.set_value();
      return true;
    };
    if (!(*loaded)->engine->submit(std::move(request))) return 1;
    done.get_future().wait();
  }
  tell("filled");
  compare("filled", static_cast<double>(plan.filled()));
  fmt::print("took {:.1f} s\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return 0;
}
