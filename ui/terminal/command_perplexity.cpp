#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <span>

#include "ui/terminal/commands.h"
#include "ui/terminal/rooms.h"

namespace hearth::terminal {
namespace {

/// −log p(token) under softmax(logits), in double: thousands of them are added up.
double negativeLogLikelihood(std::span<const float> logits, TokenId token) {
  const float top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - static_cast<double>(top));
  return std::log(sum) + static_cast<double>(top) - static_cast<double>(logits[static_cast<std::size_t>(token)]);
}

}  // namespace

int commandPerplexity(const GlobalOptions& global, const PerplexityOptions& options) {
  auto text = readAll(options.file);
  if (!text) return report(text.error());
  installInterruptFlag();
  EngineOptions engineOptions;
  engineOptions.contextTokens = options.context;
  engineOptions.kvTokens = options.context;
  engineOptions.maxSequences = 1;
  engineOptions.prefixCache = false;
  auto direct = loadDirectly(global, options.model, engineOptions);
  if (!direct) return report(direct.error());
  Engine& engine = *direct->model->engine;
  const Tokenizer& tokenizer = engine.tokenizer();

  const auto tokens = tokenizer.encode(*text, {.addSpecial = false, .parseSpecial = false});
  // A model that wants BOS gets it in each window, as its first token: without it some families predict nonsense.
  const bool bos = tokenizer.addsBos() && tokenizer.bos() >= 0;
  const std::size_t share = static_cast<std::size_t>(options.context) - (bos ? 1 : 0);
  const auto vocabulary = static_cast<std::size_t>(engine.config().vocabulary);
  if (tokens.size() + (bos ? 1 : 0) < 2) {
    return report(Error{ErrorCode::InvalidArgument, "the text is too short to measure", {{"tokens", std::to_string(tokens.size())}}});
  }
  double sum = 0;
  std::size_t counted = 0;
  ProgressLine progress("measuring");
  for (std::size_t begin = 0; begin < tokens.size(); begin += share) {
    if (interrupted.load()) return kExitInterrupted;
    const std::size_t end = std::min(tokens.size(), begin + share);
    std::vector<TokenId> window;
    if (bos) window.push_back(tokenizer.bos());
    window.insert(window.end(), tokens.begin() + static_cast<std::ptrdiff_t>(begin), tokens.begin() + static_cast<std::ptrdiff_t>(end));
    if (window.size() < 2) break;
    auto logits = engine.logits(window);
    if (!logits) return report(logits.error());
    for (std::size_t i = 1; i < window.size(); ++i) {
      sum += negativeLogLikelihood(std::span(*logits).subspan((i - 1) * vocabulary, vocabulary), window[i]);
    }
    counted += window.size() - 1;
    progress.at(static_cast<double>(end) / static_cast<double>(tokens.size()));
  }
  progress.clear();
  const double perplexity = std::exp(sum / static_cast<double>(counted));
  if (options.json) {
    writeJson(boost::json::object{{"perplexity", perplexity}, {"tokens", counted}});
  } else {
    writeResult(fmt::format("perplexity {:.4f} over {} tokens, windows of {}\n", perplexity, counted, options.context));
  }
  return kExitDone;
}

}  // namespace hearth::terminal
