// measure_decode MODEL.gguf [--threads N] [--context N] [--seconds S] [--pin] WIDTH...
// Decode rates of the bare forward pass for so many sequences at once, each `context` tokens long, on KV pages that were
// touched before: median and best step. Without --seconds, half a second for each width.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>
#include <string>

#include "core/models/model.h"

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kPageTokens = 16;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

int report(const hearth::Error& error) {
  fmt::print(stderr, "{}\n", error.describe());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string path;
  std::vector<int> widths;
  int context = 64;
  double seconds = 0.5;
  hearth::ThreadPoolOptions poolOptions;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--threads" && i + 1 < argc)
      poolOptions.threads = std::stoi(argv[++i]);
    else if (argument == "--context" && i + 1 < argc)
      context = std::stoi(argv[++i]);
    else if (argument == "--seconds" && i + 1 < argc)
      seconds = std::stod(argv[++i]);
    else if (argument == "--pin")
      poolOptions.affinity = hearth::Affinity::Core;
    else if (path.empty())
      path = argument;
    else
      widths.push_back(std::stoi(argv[i]));
  }
  if (widths.empty()) widths = {1, 8, 32};
  auto opened = hearth::GgufFile::open(path);
  if (!opened) return report(opened.error());
  const auto file = std::make_shared<const hearth::GgufFile>(std::move(*opened));
  const auto pool = std::make_shared<hearth::ThreadPool>(poolOptions);
  auto model = hearth::loadModel(file, pool);
  if (!model) return report(model.error());
  const auto vocabulary = static_cast<std::size_t>((*model)->config().vocabulary);

  for (const int width : widths) {
    const int pagesEach = context / kPageTokens + 1;
    auto kv = std::move(*hearth::KvStorage::create((*model)->kvShape(), kPageTokens, width * pagesEach));
    std::vector<hearth::PageId> pages(static_cast<std::size_t>(width) * static_cast<std::size_t>(pagesEach));
    std::iota(pages.begin(), pages.end(), 0);
    for (const hearth::PageId page : pages) std::memset(kv->keys(page, 0, 0), 0, kv->pageBytes());
    std::vector<hearth::SequenceSlice> slices;
    std::vector<std::int32_t> rows;
    std::vector<hearth::TokenId> tokens;
    for (int i = 0; i < width; ++i) {
      slices.push_back(
          {i, 1, context,
           std::span(pages).subspan(static_cast<std::size_t>(i * pagesEach), static_cast<std::size_t>(pagesEach))});
      rows.push_back(i);
      tokens.push_back(static_cast<hearth::TokenId>(100 + 37 * i));
    }
    std::vector<float> logits(static_cast<std::size_t>(width) * vocabulary);
    std::vector<double> times;
    const auto begin = Clock::now();
    while (times.size() < 4 || since(begin) < seconds) {
      const auto start = Clock::now();
      if (auto ran = (*model)->forward({tokens, slices, rows}, *kv, logits); !ran) return report(ran.error());
      times.push_back(since(start));
    }
    std::sort(times.begin(), times.end());
    fmt::print("decode x{:<3} at {:>5}: {:8.1f} tok/s median, {:8.1f} best, {:8.2f} ms a step\n", width, context,
               width / times[times.size() / 2], width / times.front(), 1e3 * times[times.size() / 2]);
  }
  return 0;
}
