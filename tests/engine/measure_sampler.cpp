// What choosing a token takes over a large vocabulary, by settings: measure_sampler [vocabulary] [rows]
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "core/engine/sampler.h"

int main(int argc, char** argv) {
  const auto vocabulary = static_cast<std::size_t>(argc > 1 ? std::atoi(argv[1]) : 151'936);
  const int rows = argc > 2 ? std::atoi(argv[2]) : 32;
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> logits(vocabulary), copy;
  for (float& logit : logits) logit = normal(random);
  for (int i = 0; i < 40; ++i) logits[random() % vocabulary] += 12;
  std::vector<hearth::TokenId> history(500);
  for (auto& token : history) token = static_cast<hearth::TokenId>(random() % vocabulary);
  const auto measure = [&](const char* name, auto change) {
    hearth::SamplingParams params;
    change(params);
    hearth::Sampler sampler(params, 1);
    hearth::SamplerScratch scratch;
    double best = 1e9;
    for (int i = 0; i < rows; ++i) {
      copy = logits;
      const auto begin = std::chrono::steady_clock::now();
      if (!sampler.sample(copy, history, static_cast<std::uint64_t>(i), scratch)) std::abort();
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    fmt::print("{:<34} {:8.3f} ms a row, {:8.2f} ms for {} rows on one thread\n", name, best * 1e3, best * 1e3 * rows, rows);
  };
  measure("greedy", [](auto& p) { p.temperature = 0; });
  measure("defaults (top-k 40)", [](auto&) {});
  measure("top-p 0.95, no top-k", [](auto& p) { p.topK = 0; });
  measure("top-p 0.95, no top-k, no min-p", [](auto& p) { p.topK = 0; p.minP = 0; });
  measure("min-p 0.05 alone", [](auto& p) { p.topK = 0; p.topP = 1; });
  measure("typical 0.9", [](auto& p) { p.topK = 0; p.typicalP = 0.9; });
  measure("nothing but temperature", [](auto& p) { p.topK = 0; p.topP = 1; p.minP = 0; });
  measure("defaults and penalties", [](auto& p) { p.repetitionPenalty = 1.1; p.frequencyPenalty = 0.1; });
  measure("defaults and 5 logprobs", [](auto& p) { p.logprobs = 5; });
  return 0;
}
