// What speculation gives on text that repeats and on text that does not: measure_speculation MODEL [threads] [tokens]
// [rounds] [sequences] Each round answers every prompt without and with it, in turns, in one engine.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <sstream>

#include "core/engine/engine_pool.h"

namespace {

const char* const kCode = R"(class Account:
    def __init__(self, owner, balance):
        self.owner = owner
        self.balance = balance
        self.history = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance = self.balance + amount
        self.history.append(("deposit", amount))
        return self.balance

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount > self.balance:
            raise ValueError("insufficient funds")
        self.balance = self.balance - amount
        self.history.append(("withdraw", amount))
        return self.balance

    def transfer(self, other, amount):
        self.withdraw(amount)
        other.deposit(amount)
        return self.balance

    def summary(self):
        lines = []
        for kind, amount in self.history:
            lines.append(kind + ": " + str(amount))
        return "\n".join(lines)
)";

struct Outcome {
  double seconds = 0;  // decoding, the slowest sequence
  int tokens = 0, drafted = 0, accepted = 0;
  std::vector<std::vector<hearth::TokenId>> text;
};

Outcome answer(hearth::Engine& engine, const std::vector<hearth::TokenId>& prompt, int tokens, double temperature,
               bool speculate, int sequences) {
  Outcome outcome;
  outcome.text.resize(static_cast<std::size_t>(sequences));
  std::vector<std::promise<void>> done(static_cast<std::size_t>(sequences));
  for (int i = 0; i < sequences; ++i) {
    hearth::EngineRequest request;
    request.prompt = prompt;
    request.maxTokens = tokens;
    request.ignoreEnd = true;
    request.speculate = speculate;
    request.sampling.temperature = temperature;
    request.sampling.seed = 5 + static_cast<std::uint64_t>(i);
    request.sink = [&, i](const hearth::EngineEvent& event) {
      const auto at = static_cast<std::size_t>(i);
      if (event.kind == hearth::EngineEvent::Kind::Token) outcome.text[at].push_back(event.token);
      if (event.kind == hearth::EngineEvent::Kind::Finished) {
        outcome.seconds = std::max(outcome.seconds, event.decodeSeconds);
        outcome.tokens += event.generatedTokens - 1;
        outcome.drafted += event.draftedTokens;
        outcome.accepted += event.acceptedTokens;
        done[at].set_value();
      }
      return true;
    };
    if (!engine.submit(std::move(request))) std::exit(1);
  }
  for (auto& one : done) one.get_future().wait();
  return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("measure_speculation MODEL [threads] [tokens] [rounds] [sequences] [DRAFT]\n", stderr), 2;
  hearth::EnginePoolOptions options;
  options.threads = argc > 2 ? std::atoi(argv[2]) : 0;
  const int tokens = argc > 3 ? std::atoi(argv[3]) : 200;
  const int rounds = argc > 4 ? std::atoi(argv[4]) : 3;
  const int sequences = argc > 5 ? std::atoi(argv[5]) : 1;
  const auto pool = hearth::EnginePool::create(options);
  hearth::EngineOptions engineOptions;
  engineOptions.contextTokens = 2048;
  engineOptions.kvTokens = 2048 + 1024 * sequences;
  const auto loaded = pool->load("model", argv[1], engineOptions);
  if (!loaded) return std::fputs((loaded.error().describe() + "\n").c_str(), stderr), 1;
  hearth::Engine& engine = *(*loaded)->engine;
  const std::string code = fmt::format("```python\n{}```\n", kCode);
  const std::vector<std::pair<std::string, std::string>> questions{
      {"repeat", "Repeat this code exactly:\n" + code},
      {"edit", "Rename the method summary to report in this code and print the whole code:\n" + code},
      {"prose", "Write a long story about a lighthouse keeper and the sea, in plain words."},
  };
  for (const auto& [name, question] : questions) {
    hearth::EncodeOptions encode;
    encode.parseSpecial = true;
    const auto prompt =
        engine.tokenizer().encode("<|im_start|>user\n" + question + "<|im_end|>\n<|im_start|>assistant\n", encode);
    for (const double temperature : {0.0, 0.8}) {
      std::vector<double> ratios;
      Outcome on, off;
      for (int round = 0; round < rounds; ++round) {
        off = answer(engine, prompt, tokens, temperature, false, sequences);
        on = answer(engine, prompt, tokens, temperature, true, sequences);
        ratios.push_back(off.seconds / on.seconds);
      }
      std::sort(ratios.begin(), ratios.end());
      fmt::print(
          "{:<7} temperature {:.1f}: {:6.1f} tok/s without, {:6.1f} with; median ratio {:.3f} ({:.3f}…{:.3f}); {} of {} "
          "guesses right; {}\n",
          name, temperature, off.tokens / off.seconds, on.tokens / on.seconds, ratios[ratios.size() / 2], ratios.front(),
          ratios.back(), on.accepted, on.drafted, on.text == off.text ? "same text" : "ANOTHER TEXT");
      std::fflush(stdout);
    }
  }
  return 0;
}
