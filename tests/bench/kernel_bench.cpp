// Kernels against the roofs that the machine shows in the same minute: one thread, best of several runs.
//   kernel_bench [isa…] [matmul] [attention] [vectors] [format…]      (default: every table that this CPU can run, but
//   scalar; all parts; all formats)
#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
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
  explicit Buffer(std::size_t size) : data(static_cast<std::byte*>(std::aligned_alloc(4096, (size + 4095) / 4096 * 4096))) {
    std::memset(data, 1, size);
  }
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
  for (std::int64_t r = 1; r < kRows; ++r)
    std::memcpy(file.data() + r * plan.sourceRowBytes, file.data(), static_cast<std::size_t>(plan.sourceRowBytes));
  const auto packedBytes = static_cast<std::size_t>(plan.tiles * plan.tileBytes);
  // As many copies as a model has layers, so that M = 1 reads memory and not a cache.
  Buffer packed(packedBytes * kCopies);
  const double packSeconds = fastest(0.1, [&] { table.pack(plan, file.data(), packed.data, 0, plan.tiles); });
  for (std::size_t i = 1; i < kCopies; ++i) std::memcpy(packed.data + i * packedBytes, packed.data, packedBytes);
  std::printf("%-10s %-5s pack %.2f GB/s\n", table.isa, format.name, static_cast<double>(file.size()) / packSeconds / 1e9);
  for (const std::int64_t m : {1, 2, 4, 8, 32, 128, 512}) {
    const std::int64_t stride = table.activationBytes(static_cast<ActivationKind>(plan.activation), kCols);
    Buffer activations(static_cast<std::size_t>(stride * m));
    for (std::int64_t i = 0; i < m; ++i) {
      for (float& x : row) x = normal(random);
      table.prepareActivation(static_cast<ActivationKind>(plan.activation), row.data(), kCols,
                              activations.data + i * stride);
    }
    std::vector<float> y(static_cast<std::size_t>(m * kRows));
    std::size_t copy = 0;
    // A first round pushes what was just written out of the caches.
    for (std::size_t i = 0; i < kCopies && m == 1; ++i)
      static_cast<void>(table.readBytes(packed.data + i * packedBytes, packedBytes));
    // Long products are timed in parts, each shorter than a time slice: neighbours would be in every whole one.
    const std::int64_t parts = m > 2 ? m / 2 : 1;
    std::int64_t part = 0;
    const double seconds = static_cast<double>(parts) * fastest(0.2, [&] {
                             table.matmul(plan, packed.data + copy * packedBytes, activations.data, stride, m, y.data(),
                                          kRows, part * plan.tiles / parts, (part + 1) * plan.tiles / parts, false);
                             part = (part + 1) % parts;
                             copy = (copy + 1) % kCopies;
                           });
    const double bytes = static_cast<double>(packedBytes) / seconds, macs = static_cast<double>(kRows * kCols * m) / seconds;
    std::printf("%-10s %-5s M %3d  %7.2f GB/s (%3.0f%% of reading)  %7.1f GMAC/s (%3.0f%% of the roof)\n", table.isa,
                format.name, static_cast<int>(m), bytes / 1e9, 100 * bytes / bytesRoof, macs / 1e9, 100 * macs / macRoof);
    std::fflush(stdout);
  }
}

/// Attention of one sequence over a cache that lies as in a model: page after page, each with the blocks of all layers and
/// heads. The layers go by in turn, as many as make the cache larger than any processor's, so that decode reads memory.
void benchAttention(const KernelTable& table, KvType type, int rows, int context, int group, int kvHeads, int headDim,
                    double bytesRoof, double floatRoof) {
  constexpr int kPageTokens = 16;
  constexpr std::size_t kCacheBytes = std::size_t{160} << 20;
  const auto pages = static_cast<std::size_t>((context + kPageTokens - 1) / kPageTokens);
  const std::size_t blockBytes = static_cast<std::size_t>(kvBlockBytes(type, kPageTokens, headDim));
  const std::size_t layerBytes = 2 * static_cast<std::size_t>(kvHeads) * blockBytes;
  const std::size_t layers = kCacheBytes / (pages * layerBytes) + 1;
  Buffer cache(pages * layers * layerBytes);
  std::memset(cache.data, 0x2E, pages * layers * layerBytes);
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
  task.type = type;
  std::vector<float> scratch(static_cast<std::size_t>(table.attentionScratchFloats(task)));
  task.scratch = scratch.data();
  std::vector<const std::byte*> k(pages), v(pages);
  std::size_t turn = 0;
  const double seconds = fastest(0.3, [&] {
    const std::size_t block = turn++ % (layers * static_cast<std::size_t>(kvHeads));
    for (std::size_t i = 0; i < pages; ++i) {
      k[i] = cache.data + i * layers * layerBytes + block / static_cast<std::size_t>(kvHeads) * layerBytes +
             block % static_cast<std::size_t>(kvHeads) * blockBytes;
      v[i] = k[i] + static_cast<std::size_t>(kvHeads) * blockBytes;
    }
    task.keyPages = k.data();
    task.valuePages = v.data();
    table.attention(task);
  });
  const double macs = 2.0 * rows * (context - rows / 2.0) * group * headDim / seconds;
  const double bytes = static_cast<double>(2 * pages * blockBytes) / seconds;
  std::printf(
      "%-10s attention %-4s rows %3d context %4d group %d dim %3d: %8.1f us  %6.1f GMAC/s (%3.0f%% of the float roof)  "
      "%6.2f GB/s (%3.0f%% of reading)\n",
      table.isa, kvTypeName(type), rows, context, group, headDim, seconds * 1e6, macs / 1e9, 100 * macs / floatRoof,
      bytes / 1e9, 100 * bytes / bytesRoof);
  std::fflush(stdout);
}

/// The roof of float arithmetic: multiply-adds in registers, with this table's width.
__attribute__((target("avx2,fma"))) double floatMacs256(std::uint64_t iterations) {
  __m256 sum[12], x = _mm256_set1_ps(1.0F), y = _mm256_set1_ps(1e-9F);
  for (auto& s : sum) s = _mm256_setzero_ps();
  for (std::uint64_t i = 0; i < iterations; ++i) {
    for (auto& s : sum) s = _mm256_fmadd_ps(x, y, s);
    __asm__ volatile("" : "+x"(x), "+x"(y));
  }
  for (int i = 1; i < 12; ++i) sum[0] = _mm256_add_ps(sum[0], sum[i]);
  volatile float sink = _mm256_cvtss_f32(sum[0]);
  static_cast<void>(sink);
  return static_cast<double>(iterations) * 12 * 8;
}
__attribute__((target("avx512f"))) double floatMacs512(std::uint64_t iterations) {
  __m512 sum[12], x = _mm512_set1_ps(1.0F), y = _mm512_set1_ps(1e-9F);
  for (auto& s : sum) s = _mm512_setzero_ps();
  for (std::uint64_t i = 0; i < iterations; ++i) {
    for (auto& s : sum) s = _mm512_fmadd_ps(x, y, s);
    __asm__ volatile("" : "+v"(x), "+v"(y));
  }
  for (int i = 1; i < 12; ++i) sum[0] = _mm512_add_ps(sum[0], sum[i]);
  volatile float sink = _mm512_cvtss_f32(sum[0]);
  static_cast<void>(sink);
  return static_cast<double>(iterations) * 12 * 16;
}
double measureFloatRoof(const KernelTable& table) {
  const bool wide = std::strncmp(table.isa, "avx512", 6) == 0;
  double macs = 0;
  const double seconds = fastest(0.1, [&] { macs = wide ? floatMacs512(100000) : floatMacs256(100000); });
  return macs / seconds;
}

void benchVectors(const KernelTable& table) {
  constexpr std::int64_t kCols = 1536;
  std::vector<float> x(static_cast<std::size_t>(kCols), 0.7F), y(x.size(), 0.3F);
  Buffer row(static_cast<std::size_t>(table.activationBytes(kActivationInt8, kCols)));
  const auto report = [&](const char* name, auto body) {
    const double seconds = fastest(0.05,
                                   [&] {
                                     for (int i = 0; i < 100; ++i) body();
                                   }) /
                           100;
    std::printf("%-10s %-18s %6.2f ns per 16 elements\n", table.isa, name, seconds / kCols * 16 * 1e9);
  };
  report("prepareActivation", [&] { table.prepareActivation(kActivationInt8, x.data(), kCols, row.data); });
  report("rmsNorm", [&] { table.rmsNorm(x.data(), x.data(), 1e-6F, kCols, y.data()); });
  report("siluMul", [&] { table.siluMul(x.data(), x.data(), kCols, y.data()); });
  report("geluMul", [&] { table.geluMul(x.data(), x.data(), kCols, y.data()); });
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto named = [&](std::string_view name) {
    return std::find(arguments.begin(), arguments.end(), name) != arguments.end();
  };
  const auto anyIsa = std::any_of(arguments.begin(), arguments.end(),
                                  [](const std::string& a) { return a == "scalar" || a.starts_with("avx"); });
  const bool anyPart = named("matmul") || named("attention") || named("vectors");
  const bool anyFormat =
      std::any_of(formats().begin(), formats().end(), [&](const FormatInfo& format) { return named(format.name); });
  for (const KernelTable* table : availableKernels()) {
    if (anyIsa ? !named(table->isa) : std::strcmp(table->isa, "scalar") == 0) continue;
    // As the matrices are read: eight megabytes a call, from memory that no cache holds.
    const std::size_t part = std::size_t{8} << 20, parts = 40;
    const Buffer memory(part * parts);
    volatile std::uint64_t sink = 0;
    std::size_t turn = 0;
    const double bytesRoof = static_cast<double>(part) / fastest(0.5, [&] {
                               sink = sink + table->readBytes(memory.data + turn++ % parts * part, part);
                             });
    std::uint64_t macs = 0;
    const double macSeconds = fastest(0.2, [&] { macs = table->int8MacLoop(100000); });
    const double macRoof = static_cast<double>(macs) / macSeconds;
    const double floatRoof = measureFloatRoof(*table);
    std::printf("%-10s roofs: reads %.1f GB/s, %.1f GMAC/s (int8), %.1f GMAC/s (float)\n", table->isa, bytesRoof / 1e9,
                macRoof / 1e9, floatRoof / 1e9);
    if (!anyPart || named("matmul")) {
      for (const FormatInfo& format : formats()) {
        const bool usual = format.id == FormatId::Q4_0 || format.id == FormatId::Q4_1 || format.id == FormatId::Q4_K ||
                           format.id == FormatId::Q5_K || format.id == FormatId::Q6_K || format.id == FormatId::Q8_0 ||
                           format.id == FormatId::F16;
        if (anyFormat ? named(format.name) : usual) benchMatmul(*table, format.id, bytesRoof, macRoof);
      }
    }
    if (!anyPart || named("attention")) {
      for (const KvType type : {KvType::F16, KvType::Q8_0}) {
        for (const int rows : {1, 32}) {
          benchAttention(*table, type, rows, 4096, 3, 3, 64, bytesRoof, floatRoof);
          benchAttention(*table, type, rows, 4096, 6, 2, 128, bytesRoof, floatRoof);
        }
        benchAttention(*table, type, 1, 4096, 4, 1, 256, bytesRoof, floatRoof);
      }
    }
    if (!anyPart || named("vectors")) benchVectors(*table);
  }
  return 0;
}
