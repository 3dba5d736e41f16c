// measure_forward MODEL.gguf [--tokens FILE.bin] [--reference LOGITS.bin] [--count N] [--threads N] [--exact-too]
// Prints load time, prefill and decode rates of the bare forward pass, and how quantised arithmetic compares with exact
// arithmetic and with a reference's logits (raw float32 [count][vocabulary]; tokens are raw int32).
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "tests/models/forward_support.h"

namespace {

using hearth::TokenId;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

template <class T>
std::vector<T> readRaw(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

int report(const hearth::Error& error) {
  fmt::print(stderr, "{}\n", error.describe());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string model, tokensFile, referenceFile;
  std::size_t count = 256;
  int threads = 0;
  bool exactToo = false, speed = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--exact-too")
      exactToo = true;
    else if (argument == "--speed")
      speed = true;
    else if (argument == "--tokens" && i + 1 < argc)
      tokensFile = argv[++i];
    else if (argument == "--reference" && i + 1 < argc)
      referenceFile = argv[++i];
    else if (argument == "--count" && i + 1 < argc)
      count = std::stoul(argv[++i]);
    else if (argument == "--threads" && i + 1 < argc)
      threads = std::stoi(argv[++i]);
    else
      model = argument;
  }
  auto opened = hearth::GgufFile::open(model);
  if (!opened) return report(opened.error());
  const auto file = std::make_shared<const hearth::GgufFile>(std::move(*opened));
  const auto pool = std::make_shared<hearth::ThreadPool>(hearth::ThreadPoolOptions{.threads = threads});
  auto start = Clock::now();
  auto loaded = hearth::loadModel(file, pool);
  if (!loaded) return report(loaded.error());
  const auto vocabulary = static_cast<std::size_t>((*loaded)->config().vocabulary);
  fmt::print("{}: {:.1f} M parameters, {} · kernels {} · {} threads · loaded in {:.2f} s, {:.0f} MiB packed\n",
             (*loaded)->config().name, static_cast<double>((*loaded)->config().parameters) / 1e6,
             (*loaded)->config().quantisation, hearth::kernels::chooseKernels().isa, pool->threadCount(), since(start),
             static_cast<double>((*loaded)->weightBytes()) / (1 << 20));
  std::vector<TokenId> tokens = readRaw<TokenId>(tokensFile);
  if (tokens.empty()) {
    std::mt19937 random(1);
    while (tokens.size() < count) tokens.push_back(static_cast<TokenId>(random() % vocabulary));
  }
  tokens.resize(std::min(tokens.size(), count));

  if (speed) {
    for (const std::size_t prompt : {std::size_t{512}, std::size_t{64}, std::size_t{8}}) {
      hearth::testing::Runner runner(**loaded, 16, 64);
      std::vector<TokenId> text(prompt);
      for (std::size_t i = 0; i < prompt; ++i) text[i] = tokens[i % tokens.size()];
      double best = 1e9;
      std::vector<float> logits;
      for (int run = 0; run < 3; ++run) {
        runner.restart();
        logits.clear();
        start = Clock::now();
        if (auto fed = runner.feed(text, &logits, true); !fed) return report(fed.error());
        best = std::min(best, since(start));
      }
      fmt::print("prefill {:>4}: {:8.1f} tok/s (best of 3)\n", prompt, static_cast<double>(prompt) / best);
    }
    hearth::testing::Runner runner(**loaded, 16, 64);
    std::vector<double> times;
    std::vector<float> logits;
    for (int i = 0; i < 64; ++i) {
      logits.clear();
      start = Clock::now();
      if (auto fed = runner.feed(std::span(tokens).subspan(static_cast<std::size_t>(i) % tokens.size(), 1), &logits); !fed)
        return report(fed.error());
      times.push_back(since(start));
    }
    std::sort(times.begin(), times.end());
    fmt::print("decode      : {:8.1f} tok/s median, {:.1f} best\n", 1 / times[times.size() / 2], 1 / times.front());
    for (const int width : {8, 32}) {
      // `width` sequences of one token each, every one on its own pages.
      auto kv = std::move(*hearth::KvStorage::create((*loaded)->kvShape(), 16, width * 4));
      std::vector<hearth::PageId> pages(static_cast<std::size_t>(width) * 4);
      std::iota(pages.begin(), pages.end(), 0);
      std::vector<hearth::SequenceSlice> slices;
      std::vector<std::int32_t> rows;
      std::vector<TokenId> batchTokens;
      for (int i = 0; i < width; ++i) {
        slices.push_back({i, 1, 0, std::span(pages).subspan(static_cast<std::size_t>(i) * 4, 4)});
        rows.push_back(i);
        batchTokens.push_back(tokens[static_cast<std::size_t>(i) % tokens.size()]);
      }
      logits.resize(static_cast<std::size_t>(width) * vocabulary);
      times.clear();
      for (int step = 0; step < 24; ++step) {
        start = Clock::now();
        if (auto ran = (*loaded)->forward({batchTokens, slices, rows}, *kv, logits); !ran) return report(ran.error());
        times.push_back(since(start));
        for (auto& slice : slices) ++slice.pastLength;
      }
      std::sort(times.begin(), times.end());
      fmt::print("decode x{:<4}: {:8.1f} tok/s median, {:.1f} best\n", width, width / times[times.size() / 2],
                 width / times.front());
    }
    return 0;
  }

  const int pages = static_cast<int>(tokens.size() / 16 + 1);
  hearth::testing::Runner runner(**loaded, 16, pages);
  auto logits = runner.all(tokens, 256);
  if (!logits) return report(logits.error());
  fmt::print("perplexity quantised {:.4f} over {} tokens\n",
             std::exp(hearth::testing::meanLoss(*logits, tokens, vocabulary)), tokens.size());
  std::vector<float> reference = referenceFile.empty() ? std::vector<float>{} : readRaw<float>(referenceFile);
  const std::size_t compared = std::min(reference.size(), logits->size());
  const auto compare = [&](const char* what, std::span<const float> ours, std::span<const float> theirs) {
    fmt::print("{}: relative error {:.3e}, top-1 agreement {:.2f}%\n", what,
               hearth::testing::relativeError(ours.first(theirs.size()), theirs),
               100 * hearth::testing::topAgreement(ours, theirs, vocabulary));
  };
  if (compared > 0) compare("quantised against reference", *logits, std::span(reference).first(compared));
  if (exactToo) {
    loaded->reset();
    auto exact = hearth::loadModel(file, pool, {.exact = true});
    if (!exact) return report(exact.error());
    hearth::testing::Runner exactRunner(**exact, 16, pages);
    start = Clock::now();
    auto exactLogits = exactRunner.all(tokens, 256);
    if (!exactLogits) return report(exactLogits.error());
    fmt::print("perplexity exact     {:.4f} ({:.1f} s)\n",
               std::exp(hearth::testing::meanLoss(*exactLogits, tokens, vocabulary)), since(start));
    compare("quantised against exact", *logits, *exactLogits);
    if (compared > 0) compare("exact against reference", *exactLogits, std::span(reference).first(compared));
  }
  return 0;
}
