#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <condition_variable>
#include <mutex>

#include "ui/terminal/commands.h"
#include "ui/terminal/roof.h"
#include "ui/terminal/rooms.h"

namespace json = boost::json;

namespace hearth::terminal {
namespace {

struct Work {
  int sequences = 1, prompt = 1, generate = 1;
};
struct Rates {
  double prefill = 0, decode = 0;  ///< tok/s over all sequences
};

/// Steps for which early sequences may have to generate beside the others' prefill: as many as the prompts take, and some
/// for the time in which this thread is kept from handing in the rest.
int prefillSteps(const Work& work, int stepTokens) {
  constexpr int kLateSteps = 64;
  const int share = std::max(1, stepTokens - work.sequences);  // of a step in which all others decode already
  return (work.sequences * work.prompt + share - 1) / share + kLateSteps;
}

/// Runs the sequences at once through the engine, as users would. Decode counts from the moment when the last one has its
/// first token to the moment when the first one is done, so that only steps with all sequences in them count: `work.generate`
/// of them, since each may generate that many more than it can beside the prefill; then all are let go.
Result<Rates> measure(Engine& engine, const Work& work, int stepTokens, std::uint32_t salt) {
  using Clock = std::chrono::steady_clock;
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    int started = 0, finished = 0, decoded = 0;
    std::optional<Error> error;
    Clock::time_point begin, allStarted, firstDone;
  };
  auto state = std::make_shared<State>();
  const auto vocabulary = static_cast<std::uint32_t>(engine.config().vocabulary);
  state->begin = Clock::now();
  for (int sequence = 0; sequence < work.sequences; ++sequence) {
    EngineRequest request;
    std::uint32_t random = salt * 7919U + static_cast<std::uint32_t>(sequence) * 104729U + 1;
    for (int i = 0; i < work.prompt; ++i) {
      random = random * 1664525U +
               1013904223U;  // Numerical Recipes' generator: the text does not matter, only that prompts differ
      request.prompt.push_back(static_cast<TokenId>((random >> 8U) % vocabulary));
    }
    request.sampling.temperature = 0;
    request.maxTokens = work.generate + (work.sequences > 1 ? prefillSteps(work, stepTokens) : 0);
    request.ignoreEnd = true;
    request.sink = [state, sequences = work.sequences, enough = work.sequences * work.generate, first = true](const EngineEvent& event) mutable {
      std::lock_guard lock(state->mutex);
      if (event.kind == EngineEvent::Kind::Token) {
        if (first && ++state->started == sequences)
          state->allStarted = Clock::now();
        else if (state->started == sequences && state->finished == 0)
          ++state->decoded;
        first = false;
        if (sequences > 1 && state->decoded >= enough) return false;
      } else if (event.kind == EngineEvent::Kind::Finished) {
        if (event.error) state->error = event.error;
        if (state->finished++ == 0) state->firstDone = Clock::now();
        if (state->finished == sequences) state->changed.notify_all();
      }
      return true;
    };
    if (auto handle = engine.submit(std::move(request)); !handle) return fail(std::move(handle).error());
  }
  std::unique_lock lock(state->mutex);
  state->changed.wait(lock, [&] { return state->finished == work.sequences; });
  if (state->error) return fail(*state->error);
  const auto seconds = [](auto from, auto to) { return std::max(1e-9, std::chrono::duration<double>(to - from).count()); };
  Rates rates;
  rates.prefill = work.sequences * static_cast<double>(work.prompt) / seconds(state->begin, state->allStarted);
  if (state->decoded > 0) rates.decode = state->decoded / seconds(state->allStarted, state->firstDone);
  return rates;
}

}  // namespace

int commandBench(const GlobalOptions& global, const BenchOptions& options) {
  const auto longest = [](const std::vector<int>& list) {
    return list.empty() ? 0 : *std::max_element(list.begin(), list.end());
  };
  const auto part = [&](std::string_view name, const std::vector<int>& list) {
    return std::find(options.parts.begin(), options.parts.end(), name) == options.parts.end() ? std::vector<int>{} : list;
  };
  const std::vector<int> prefillParts = part("prefill", options.prefill), contextParts = part("decode", options.context),
                         batchParts = part("batched", options.batch);
  const int sequences = std::max(1, longest(batchParts));
  EngineOptions engineOptions;
  // The warm-up has as many tokens as the longest prefill, so that no memory is touched for the first time in what is
  // measured (llama-bench does the same), and 4 more.
  const int warmPrompt = std::max(16, longest(prefillParts));
  engineOptions.contextTokens = std::max({warmPrompt + 4, longest(contextParts) + options.decode + 2});
  if (!batchParts.empty()) {
    const int each = options.batchPrompt + options.decode +
                     prefillSteps({sequences, options.batchPrompt, options.decode}, engineOptions.stepTokens) + 2;
    engineOptions.contextTokens = std::max(engineOptions.contextTokens, each);
    engineOptions.kvTokens = sequences * (each + engineOptions.pageTokens);
  }
  engineOptions.kvTokens = std::max(engineOptions.kvTokens, engineOptions.contextTokens);
  engineOptions.targetInterTokenSeconds = 3600;  // whole prefill steps: nobody waits for a token here
  engineOptions.maxSequences = std::max(sequences, 1);
  engineOptions.maxQueued = std::max(256, sequences);
  // Guesses on random tokens say nothing about text: only when asked for.
  engineOptions.speculation = global.speculation.value_or(global.draft.empty() ? Speculation::Off : Speculation::Lookup);
  if (!global.draft.empty()) {
    auto draft = modelPath(global, global.draft);
    if (!draft) return report(draft.error());
    engineOptions.draft = std::move(*draft);
  }
  engineOptions.prefixCache = false;  // what was computed for one round must be computed for the next
  auto direct = loadDirectly(global, options.model, engineOptions);
  if (!direct) return report(direct.error());
  Engine& engine = *direct->model->engine;
  ThreadPool pool({.threads = direct->pool->threads()});
  const Roof roof = measureRoof(pool);

  std::uint32_t salt = 1;
  const auto best = [&](const Work& work) -> Result<Rates> {
    Rates top;
    for (int round = 0; round < options.rounds; ++round) {
      HEARTH_TRY(const Rates rates, measure(engine, work, engineOptions.stepTokens, ++salt));
      top.prefill = std::max(top.prefill, rates.prefill);
      top.decode = std::max(top.decode, rates.decode);
    }
    return top;
  };
  if (auto warm = measure(engine, {1, warmPrompt, 4}, engineOptions.stepTokens, 0); !warm) return report(warm.error());

  const ModelConfig& config = engine.config();
  // Of a mixture's experts a token reads those that it goes to.
  const double activeBytes = static_cast<double>(engine.weightBytes()) * static_cast<double>(config.activeParameters) /
                             static_cast<double>(config.parameters - config.lookupParameters);
  json::array prefill, decode, batched;
  std::string table = fmt::format("{} · {} threads · reads {:.1f} GB/s · {:.0f} G int8 MAC/s\n", engine.config().name,
                                  direct->pool->threads(), roof.readGigabytesPerSecond, roof.int8GigaMacsPerSecond);
  for (const int tokens : prefillParts) {
    auto rates = best({1, tokens, 1});
    if (!rates) return report(rates.error());
    prefill.push_back({{"tokens", tokens}, {"tok_s", rates->prefill}});
    // The head is needed for the last token only.
    const std::int64_t head = std::int64_t{config.vocabulary} * config.embedding;
    const double macs = rates->prefill * static_cast<double>(config.activeParameters - head) * 1e-9;
    table += fmt::format("prefill {:>5} tokens      {:>9.1f} tok/s   {:.0f}% of the int8 roof\n", tokens, rates->prefill,
                         100 * macs / roof.int8GigaMacsPerSecond);
  }
  for (const int context : contextParts) {
    auto rates = best({1, std::max(1, context), options.decode});
    if (!rates) return report(rates.error());
    decode.push_back({{"context", context}, {"tok_s", rates->decode}});
    const double bytes = rates->decode * activeBytes * 1e-9;
    table += fmt::format("decode at context {:>5}    {:>9.1f} tok/s   {:.0f}% of the read bandwidth\n", context,
                         rates->decode, 100 * bytes / roof.readGigabytesPerSecond);
  }
  for (const int count : batchParts) {
    if (count == 0) continue;
    auto rates = best({count, options.batchPrompt, options.decode});
    if (!rates) return report(rates.error());
    batched.push_back({{"sequences", count}, {"prefill_tok_s", rates->prefill}, {"decode_tok_s", rates->decode}});
    table += fmt::format("{:>4} sequences            {:>9.1f} tok/s   prefill {:.1f} tok/s\n", count, rates->decode,
                         rates->prefill);
  }
  if (options.json) {
    writeJson(
        json::object{{"prefill", std::move(prefill)},
                     {"decode", std::move(decode)},
                     {"batched", std::move(batched)},
                     {"roof", {{"read_gb_s", roof.readGigabytesPerSecond}, {"int8_gmac_s", roof.int8GigaMacsPerSecond}}},
                     {"threads", direct->pool->threads()},
                     {"weight_bytes", engine.weightBytes()}});
  } else {
    writeResult(table);
  }
  return kExitDone;
}

}  // namespace hearth::terminal
