// Kernels against the roofs that the machine shows in the same minute: one thread, best of several runs.
//   kernel_bench [isa…]      (default: every table that this CPU can run, but scalar)
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/cpu/kernel_table.h"

namespace {

using namespace hearth::kernels;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Seconds of one call: the fastest of the calls made in about `budget` seconds, since neighbours only ever slow us down.
template <class Body>
double fastest(double budget, Body body) {
  double best = 1e300;
  const double end = now() + budget;
  do {
    const double begin = now();
    body();
    const double took = now() - begin;
    best = took < best ? took : best;
  } while (now() < end);
  return best;
}

struct Buffer {
  std::byte* data;
  explicit Buffer(std::size_t size) : data(static_cast<std::byte*>(std::aligned_alloc(4096, (size + 4095) / 4096 * 4096))) { std::memset(data, 1, size); }
  ~Buffer() { std::free(data); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
};

void benchMatmul(const KernelTable& table, FormatId id, double bytesRoof, double macRoof) {
  constexpr std::int64_t kRows = 8960, kCols = 1536, kCopies = 40;
  const FormatInfo& format = *findFormat(id);
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  std::vector<float> row(static_cast<std::size_t>(kCols));
  for (float& x : row) x = normal(random);
  const PackPlan plan = table.planPack(id, kRows, kCols);
  std::vector<std::byte> file(static_cast<std::size_t>(kRows * plan.sourceRowBytes));
  format.quantize(row.data(), file.data(), kCols);
  for (std::int64_t r = 1; r < kRows; ++r) std::memcpy(file.data() + r * plan.sourceRowBytes, file.data(), static_cast<std::size_t>(plan.sourceRowBytes));
  const auto packedBytes = static_cast<std::size_t>(plan.tiles * plan.tileBytes);
  // As many copies as a model has layers, so that M = 1 reads memory and not a cache.
  Buffer packed(packedBytes * kCopies);
  const double packSeconds = fastest(0.1, [&] { table.pack(plan, file.data(), packed.data, 0, plan.tiles); });
  for (std::size_t i = 1; i < kCopies; ++i) std::memcpy(packed.data + i * packedBytes, packed.data, packedBytes);
  std::printf("%-10s %-5s pack %.2f GB/s\n", table.isa, format.name, static_cast<double>(file.size()) / packSeconds / 1e9);
  for (const std::int64_t m : {1, 2, 4, 6, 8, 12, 16, 32, 512}) {
    const std::int64_t stride = table.activationBytes(static_cast<ActivationKind>(plan.activation), kCols);
    Buffer activations(static_cast<std::size_t>(stride * m));
    for (std::int64_t i = 0; i < m; ++i) {
      for (float& x : row) x = normal(random);
      table.prepareActivation(static_cast<ActivationKind>(plan.activation), row.data(), kCols, activations.data + i * stride);
    }
    std::vector<float> y(static_cast<std::size_t>(m * kRows));
    std::size_t copy = 0;
    // A first round pushes what was just written out of the caches.
    for (std::size_t i = 0; i < kCopies && m == 1; ++i) static_cast<void>(table.readBytes(packed.data + i * packedBytes, packedBytes));
    // Long products are timed in parts, each shorter than a time slice: neighbours would be in every whole one.
    const std::int64_t parts = m > 2 ? m / 2 : 1;
    std::int64_t part = 0;
    const double seconds = static_cast<double>(parts) * fastest(0.2, [&] {
      table.matmul(plan, packed.data + copy * packedBytes, activations.data, stride, m, y.data(), kRows, part * plan.tiles / parts,
                   (part + 1) * plan.tiles / parts, false);
      part = (part + 1) % parts;
      copy = (copy + 1) % kCopies;
    });
    const double bytes = static_cast<double>(packedBytes) / seconds, macs = static_cast<double>(kRows * kCols * m) / seconds;
    std::printf("%-10s %-5s M %3d  %7.2f GB/s (%3.0f%% of reading)  %7.1f GMAC/s (%3.0f%% of the roof)\n", table.isa, format.name,
                static_cast<int>(m), bytes / 1e9, 100 * bytes / bytesRoof, macs / 1e9, 100 * macs / macRoof);
    std::fflush(stdout);
  }
}

void benchAttention(const KernelTable& table, int rows, int context, int group, int headDim) {
  constexpr int kPageTokens = 16;
  const auto pages = static_cast<std::size_t>((context + kPageTokens - 1) / kPageTokens);
  const auto pageBytes = static_cast<std::size_t>(kPageTokens * headDim * 2);
  Buffer keys(pages * pageBytes), values(pages * pageBytes);
  std::memset(keys.data, 0x2E, pages * pageBytes);
  std::vector<const std::byte*> k, v;
  for (std::size_t i = 0; i < pages; ++i) {
    k.push_back(keys.data + i * pageBytes);
    v.push_back(values.data + i * pageBytes);
  }
  const auto width = static_cast<std::size_t>(group * headDim);
  std::vector<float> query(static_cast<std::size_t>(rows) * width, 0.1F), output(query.size());
  AttentionTask task;
  task.query = query.data();
  task.output = output.data();
  task.queryStride = task.outputStride = static_cast<std::int64_t>(width);
  task.rows = rows;
  task.firstPosition = context - rows;
  task.group = group;
  task.headDim = headDim;
  task.pageTokens = kPageTokens;
  task.keyPages = k.data();
  task.valuePages = v.data();
  std::vector<float> scratch(static_cast<std::size_t>(table.attentionScratchFloats(task)));
  task.scratch = scratch.data();
  const double seconds = fastest(0.2, [&] { table.attention(task); });
  const double keysSeen = rows * (context - rows / 2.0);
  std::printf("%-10s attention rows %3d context %4d group %d dim %3d: %8.1f us  %6.1f GFLOP/s  %6.2f GB/s of cache\n", table.isa, rows, context, group,
              headDim, seconds * 1e6, keysSeen * group * headDim * 4 / seconds / 1e9, static_cast<double>(pages * pageBytes * 2) / seconds / 1e9);
}

void benchVectors(const KernelTable& table) {
  constexpr std::int64_t kCols = 1536;
  std::vector<float> x(static_cast<std::size_t>(kCols), 0.7F), y(x.size(), 0.3F);
  Buffer row(static_cast<std::size_t>(table.activationBytes(kActivationInt8, kCols)));
  const auto report = [&](const char* name, auto body) {
    const double seconds = fastest(0.05, [&] { for (int i = 0; i < 100; ++i) body(); }) / 100;
    std::printf("%-10s %-18s %6.2f ns per 16 elements\n", table.isa, name, seconds / kCols * 16 * 1e9);
  };
  report("prepareActivation", [&] { table.prepareActivation(kActivationInt8, x.data(), kCols, row.data); });
  report("rmsNorm", [&] { table.rmsNorm(x.data(), x.data(), 1e-6F, kCols, y.data()); });
  report("siluMul", [&] { table.siluMul(x.data(), x.data(), kCols, y.data()); });
  report("geluMul", [&] { table.geluMul(x.data(), x.data(), kCols, y.data()); });
}

}  // namespace

int main(int argc, char** argv) {
  for (const KernelTable* table : availableKernels()) {
    bool wanted = argc < 2 && std::strcmp(table->isa, "scalar") != 0;
    for (int i = 1; i < argc; ++i) wanted = wanted || std::strcmp(argv[i], table->isa) == 0;
    if (!wanted) continue;
    // As the matrices are read: eight megabytes a call, from memory that no cache holds.
    const std::size_t part = std::size_t{8} << 20, parts = 40;
    const Buffer memory(part * parts);
    volatile std::uint64_t sink = 0;
    std::size_t turn = 0;
    const double bytesRoof = static_cast<double>(part) / fastest(0.5, [&] { sink = sink + table->readBytes(memory.data + turn++ % parts * part, part); });
    std::uint64_t macs = 0;
    const double macSeconds = fastest(0.2, [&] { macs = table->int8MacLoop(100000); });
    const double macRoof = static_cast<double>(macs) / macSeconds;
    std::printf("%-10s roofs: reads %.1f GB/s, %.1f GMAC/s (int8)\n", table->isa, bytesRoof / 1e9, macRoof / 1e9);
    for (const FormatId id : {FormatId::Q4_K, FormatId::Q6_K, FormatId::Q4_1, FormatId::Q8_0, FormatId::F16}) benchMatmul(*table, id, bytesRoof, macRoof);
    benchAttention(*table, 1, 2048, 6, 128);
    benchAttention(*table, 1, 2048, 3, 64);
    benchAttention(*table, 32, 2048, 6, 128);
    benchAttention(*table, 512, 512, 3, 64);
    benchVectors(*table);
  }
  return 0;
}
