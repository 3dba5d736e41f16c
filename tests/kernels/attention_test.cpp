#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "kernels/quant/half.h"
#include "tests/kernels/support.h"

namespace hearth::kernels {
namespace {

using testing::randomFloats;

/// One KV head of a sequence in pages whose unused rows hold NaN, and the queries of its group.
struct Scene {
  int positions, group, headDim, pageTokens, window;
  float softcap;
  KvType type;
  std::vector<float> keys, values, queries;  ///< [positions][headDim], … , [positions][group · headDim]
  std::vector<std::vector<std::byte>> keyPages, valuePages;

  Scene(int p, int g, int d, int page, int w, float cap, KvType t)
      : positions(p), group(g), headDim(d), pageTokens(page), window(w), softcap(cap), type(t) {
    const auto count = static_cast<std::size_t>(p * d);
    keys = randomFloats(count, 1);
    values = randomFloats(count, 2);
    queries = randomFloats(count * static_cast<std::size_t>(g), 3, 2.0F);
    const std::size_t element = t == KvType::F16 ? 2 : 4;
    for (int first = 0; first < p; first += page) {
      for (auto* of : {&keys, &values}) {
        std::vector<std::byte> bytes(static_cast<std::size_t>(page * d) * element, std::byte{0xFF});  // NaN in both types
        for (int i = 0; i < page * d && first * d + i < p * d; ++i) {
          float& x = (*of)[static_cast<std::size_t>(first * d + i)];
          if (t == KvType::F16) {
            x = halfToFloat(floatToHalf(x));
            writeHalf(bytes.data() + 2 * i, x);
          } else {
            writeAs(bytes.data() + 4 * i, x);
          }
        }
        (of == &keys ? keyPages : valuePages).push_back(std::move(bytes));
      }
    }
  }

  /// Rows [first, first + rows) in one task; `hidePast`: pages behind the window are null, as they are once freed.
  [[nodiscard]] std::vector<float> run(const KernelTable& table, int first, int rows, bool hidePast = false) const {
    const auto width = static_cast<std::size_t>(group * headDim);
    const std::size_t pages = static_cast<std::size_t>((first + rows + pageTokens - 1) / pageTokens);
    std::vector<const std::byte*> k, v;
    for (std::size_t i = 0; i < pages; ++i) {
      const bool hidden = hidePast && window > 0 && static_cast<int>(i + 1) * pageTokens <= first - window + 1;
      k.push_back(hidden ? nullptr : keyPages[i].data());
      v.push_back(hidden ? nullptr : valuePages[i].data());
    }
    std::vector<float> output(static_cast<std::size_t>(rows) * (width + 5), 42.0F);
    AttentionTask task;
    task.query = queries.data() + static_cast<std::size_t>(first) * width;
    task.output = output.data();
    task.queryStride = static_cast<std::int64_t>(width);
    task.outputStride = static_cast<std::int64_t>(width + 5);
    task.rows = rows;
    task.firstPosition = first;
    task.window = window;
    task.group = group;
    task.headDim = headDim;
    task.scale = 1.0F / std::sqrt(static_cast<float>(headDim));
    task.softcap = softcap;
    task.pageTokens = pageTokens;
    task.type = type;
    task.keyPages = k.data();
    task.valuePages = v.data();
    const auto floats = static_cast<std::size_t>(table.attentionScratchFloats(task));
    std::vector<float> scratch(floats + 16, std::nanf(""));
    for (std::size_t i = 0; i < 16; ++i) scratch[floats + i] = 7.0F;
    task.scratch = scratch.data();
    table.attention(task);
    for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(scratch[floats + i], 7.0F) << "wrote past the scratch";
    std::vector<float> packed;
    for (int r = 0; r < rows; ++r) {
      const auto row = output.begin() + r * static_cast<std::ptrdiff_t>(width + 5);
      packed.insert(packed.end(), row, row + static_cast<std::ptrdiff_t>(width));
      for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(row[static_cast<std::ptrdiff_t>(width + i)], 42.0F);
    }
    return packed;
  }

  [[nodiscard]] std::vector<double> expected(int position, int head) const {
    const int low = window > 0 ? std::max(0, position - window + 1) : 0;
    const auto at = [&](const std::vector<float>& x, int p, int d) { return static_cast<double>(x[static_cast<std::size_t>(p * headDim + d)]); };
    std::vector<double> scores, out(static_cast<std::size_t>(headDim), 0.0);
    double largest = -1e300, total = 0.0;
    for (int p = low; p <= position; ++p) {
      double score = 0.0;
      for (int d = 0; d < headDim; ++d) score += queries[static_cast<std::size_t>((position * group + head) * headDim + d)] * at(keys, p, d);
      score /= std::sqrt(static_cast<double>(headDim));
      if (softcap > 0) score = softcap * std::tanh(score / softcap);
      scores.push_back(score);
      largest = std::max(largest, score);
    }
    for (double& s : scores) total += s = std::exp(s - largest);
    for (int p = low; p <= position; ++p) {
      for (int d = 0; d < headDim; ++d) out[static_cast<std::size_t>(d)] += scores[static_cast<std::size_t>(p - low)] / total * at(values, p, d);
    }
    return out;
  }
};

const Scene& scene(std::size_t index) {
  static const Scene scenes[] = {
      {1, 1, 64, 16, 0, 0.0F, KvType::F16},   {45, 3, 64, 16, 0, 0.0F, KvType::F16},   {100, 4, 128, 32, 0, 0.0F, KvType::F16},
      {70, 2, 256, 16, 20, 0.0F, KvType::F16}, {61, 5, 80, 16, 7, 30.0F, KvType::F32}, {50, 6, 36, 8, 0, 5.0F, KvType::F16},
      {40, 71, 64, 32, 0, 0.0F, KvType::F16}, {33, 1, 21, 5, 9, 0.0F, KvType::F32},    {90, 8, 64, 64, 33, 0.0F, KvType::F16},
  };
  return scenes[index];
}
constexpr std::size_t kScenes = 9;

TEST(Attention, EqualsDoublePrecision) {
  for (const KernelTable* table : availableKernels()) {
    for (std::size_t i = 0; i < kScenes; ++i) {
      const Scene& s = scene(i);
      SCOPED_TRACE(std::string(table->isa) + " scene " + std::to_string(i));
      const std::vector<float> all = s.run(*table, 0, s.positions);
      for (int p = 0; p < s.positions; ++p) {
        for (int h = 0; h < s.group; ++h) {
          const std::vector<double> wanted = s.expected(p, h);
          for (int d = 0; d < s.headDim; ++d) {
            ASSERT_NEAR(all[static_cast<std::size_t>((p * s.group + h) * s.headDim + d)], wanted[static_cast<std::size_t>(d)], 2e-5) << "position " << p << " head " << h << " dim " << d;
          }
        }
      }
    }
  }
}

TEST(Attention, BitIdenticalHoweverTheRowsAreCut) {
  for (const KernelTable* table : availableKernels()) {
    for (std::size_t i = 0; i < kScenes; ++i) {
      const Scene& s = scene(i);
      SCOPED_TRACE(std::string(table->isa) + " scene " + std::to_string(i));
      const std::vector<float> all = s.run(*table, 0, s.positions);
      for (const int chunk : {1, 3, 16, 17, 29}) {
        std::vector<float> cut;
        for (int first = 0; first < s.positions; first += chunk) {
          const std::vector<float> part = s.run(*table, first, std::min(chunk, s.positions - first), true);
          cut.insert(cut.end(), part.begin(), part.end());
        }
        ASSERT_EQ(std::memcmp(cut.data(), all.data(), all.size() * sizeof(float)), 0) << "chunks of " << chunk;
      }
    }
  }
}

}  // namespace
}  // namespace hearth::kernels
