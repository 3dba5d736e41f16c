#include <gtest/gtest.h>

#include <algorithm>
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
    for (int first = 0; first < p; first += page) {
      for (auto* pages : {&keyPages, &valuePages}) {
        // NaN in all types (of Q8_0: in the scales).
        pages->emplace_back(static_cast<std::size_t>(kvBlockBytes(t, page, d)), std::byte{0xFF});
      }
      for (int i = first; i < std::min(first + page, p); ++i) {
        float* key = keys.data() + i * d;
        float* value = values.data() + i * d;
        availableKernels()[0]->writeKv(key, value, d, t, page, i - first, keyPages.back().data(), valuePages.back().data());
        // What the cache holds is what attention is measured against.
        for (int j = 0; j < d; ++j) {
          key[j] = cached(keyPages.back(), j * page + i - first, j, i - first);
          value[j] = cached(valuePages.back(), (i - first) * d + j, j, i - first);
        }
      }
    }
  }

  /// Element `index` of a block, which belongs to dimension `dim` of the token at `place`.
  [[nodiscard]] float cached(const std::vector<std::byte>& block, int index, int dim, int place) const {
    switch (type) {
      case KvType::F16: return readHalf(block.data() + 2 * index);
      case KvType::F32: return readAs<float>(block.data() + 4 * index);
      case KvType::Q8_0: break;
    }
    return static_cast<float>(static_cast<std::int8_t>(block[static_cast<std::size_t>(index)])) *
           readHalf(block.data() + headDim * pageTokens + 2 * (dim / 32 * pageTokens + place));
  }

  /// Rows [first, first + rows) in one task; `hidePast`: pages behind the window are null, as they are once freed.
  /// `inParts`: span by span, last one first, and joined.
  [[nodiscard]] std::vector<float> run(const KernelTable& table, int first, int rows, bool hidePast = false,
                                       bool inParts = false) const {
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
    if (inParts) {
      const int firstSpan = (window > 0 ? std::max(0, first - window + 1) : 0) / kAttentionSpan,
                lastSpan = (first + rows - 1) / kAttentionSpan;
      const std::size_t spanFloats =
          static_cast<std::size_t>(rows * group) * static_cast<std::size_t>(attentionStateFloats(headDim));
      std::vector<float> states(static_cast<std::size_t>(lastSpan - firstSpan + 1) * spanFloats, std::nanf(""));
      for (int span = lastSpan; span >= firstSpan; --span) {
        std::fill(scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(floats),
                  std::nanf(""));  // another thread's
        table.attentionSpan(task, span, states.data() + static_cast<std::size_t>(span - firstSpan) * spanFloats);
      }
      table.attentionMerge(task, states.data());
    } else {
      table.attention(task);
    }
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
    const auto at = [&](const std::vector<float>& x, int p, int d) {
      return static_cast<double>(x[static_cast<std::size_t>(p * headDim + d)]);
    };
    std::vector<double> scores, out(static_cast<std::size_t>(headDim), 0.0);
    double largest = -1e300, total = 0.0;
    for (int p = low; p <= position; ++p) {
      double score = 0.0;
      for (int d = 0; d < headDim; ++d)
        score += queries[static_cast<std::size_t>((position * group + head) * headDim + d)] * at(keys, p, d);
      score /= std::sqrt(static_cast<double>(headDim));
      if (softcap > 0) score = softcap * std::tanh(score / softcap);
      scores.push_back(score);
      largest = std::max(largest, score);
    }
    for (double& s : scores) total += s = std::exp(s - largest);
    for (int p = low; p <= position; ++p) {
      for (int d = 0; d < headDim; ++d)
        out[static_cast<std::size_t>(d)] += scores[static_cast<std::size_t>(p - low)] / total * at(values, p, d);
    }
    return out;
  }
};

const Scene& scene(std::size_t index) {
  static const Scene scenes[] = {
      {1, 1, 64, 16, 0, 0.0F, KvType::F16},        {45, 3, 64, 16, 0, 0.0F, KvType::F16},
      {100, 4, 128, 32, 0, 0.0F, KvType::F16},     {70, 2, 256, 16, 20, 0.0F, KvType::F16},
      {61, 5, 80, 16, 7, 30.0F, KvType::F32},      {50, 6, 36, 8, 0, 5.0F, KvType::F16},
      {40, 71, 64, 32, 0, 0.0F, KvType::F16},      {33, 1, 21, 5, 9, 0.0F, KvType::F32},
      {90, 8, 64, 64, 33, 0.0F, KvType::F16},      {600, 3, 64, 16, 0, 0.0F, KvType::F16},
      {530, 2, 64, 16, 270, 0.0F, KvType::F16},    {280, 6, 128, 16, 0, 0.0F, KvType::Q8_0},
      {530, 3, 64, 128, 300, 20.0F, KvType::Q8_0}, {300, 2, 36, 5, 40, 0.0F, KvType::Q8_0},
      {290, 1, 32, 300, 0, 0.0F, KvType::F32},     {270, 13, 16, 16, 0, 0.0F, KvType::Q8_0},
  };
  return scenes[index];
}
constexpr std::size_t kScenes = 16;

TEST(Attention, EqualsDoublePrecision) {
  for (const KernelTable* table : availableKernels()) {
    for (std::size_t i = 0; i < kScenes; ++i) {
      const Scene& s = scene(i);
      SCOPED_TRACE(std::string(table->isa) + " scene " + std::to_string(i));
      const std::vector<float> all = s.run(*table, 0, s.positions);
      for (int p = 0; p < s.positions; p += p > 100 && p < s.positions - 5 ? 5 : 1) {
        for (int h = 0; h < s.group; ++h) {
          const std::vector<double> wanted = s.expected(p, h);
          for (int d = 0; d < s.headDim; ++d) {
            ASSERT_NEAR(all[static_cast<std::size_t>((p * s.group + h) * s.headDim + d)],
                        wanted[static_cast<std::size_t>(d)], 2e-5)
                << "position " << p << " head " << h << " dim " << d;
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
      for (const int chunk : {1, 3, 17, 29, 250}) {
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

TEST(Attention, BitIdenticalInPartsByOneThreadOrMany) {
  for (const KernelTable* table : availableKernels()) {
    for (std::size_t i = 0; i < kScenes; ++i) {
      const Scene& s = scene(i);
      SCOPED_TRACE(std::string(table->isa) + " scene " + std::to_string(i));
      const std::vector<float> all = s.run(*table, 0, s.positions);
      const auto width = static_cast<std::size_t>(s.group * s.headDim);
      for (const int rows : {1, 5, 40}) {
        if (rows > s.positions) continue;
        const int first = s.positions - rows;
        const std::vector<float> parts = s.run(*table, first, rows, true, true);
        ASSERT_EQ(
            std::memcmp(parts.data(), all.data() + static_cast<std::size_t>(first) * width, parts.size() * sizeof(float)), 0)
            << rows << " rows";
      }
      const std::vector<float> parts = s.run(*table, 0, s.positions, false, true);
      ASSERT_EQ(std::memcmp(parts.data(), all.data(), all.size() * sizeof(float)), 0);
    }
  }
}

TEST(Attention, WritesTheSameBlocksAsTheReference) {
  for (const KernelTable* table : availableKernels()) {
    for (const KvType type : {KvType::F16, KvType::F32, KvType::Q8_0}) {
      for (const int headDim : {64, 21, 80}) {
        for (const int pageTokens : {16, 5}) {
          const auto bytes = static_cast<std::size_t>(kvBlockBytes(type, pageTokens, headDim));
          std::vector<std::byte> keys(bytes + 8, std::byte{0x5A}), values = keys, wantedKeys = keys, wantedValues = keys;
          for (int place = 0; place < pageTokens; ++place) {
            std::vector<float> key = randomFloats(static_cast<std::size_t>(headDim), static_cast<std::uint32_t>(place + 1),
                                                  place == 3 ? 1e-7F : 3.0F);
            const std::vector<float> value =
                randomFloats(static_cast<std::size_t>(headDim), static_cast<std::uint32_t>(place + 100));
            if (place == 2) std::fill(key.begin(), key.end(), 0.0F);
            table->writeKv(key.data(), value.data(), headDim, type, pageTokens, place, keys.data(), values.data());
            availableKernels()[0]->writeKv(key.data(), value.data(), headDim, type, pageTokens, place, wantedKeys.data(),
                                           wantedValues.data());
          }
          EXPECT_TRUE(keys == wantedKeys && values == wantedValues)
              << table->isa << " " << kvTypeName(type) << " " << headDim << " " << pageTokens;
        }
      }
    }
  }
}

TEST(Attention, EightBitCacheRoundsToHalfAStep) {
  const std::vector<float> x = randomFloats(64, 9);
  std::vector<std::byte> keys(static_cast<std::size_t>(kvBlockBytes(KvType::Q8_0, 16, 64))), values(keys.size());
  for (const KernelTable* table : availableKernels()) {
    table->writeKv(x.data(), x.data(), 64, KvType::Q8_0, 16, 7, keys.data(), values.data());
    for (int d = 0; d < 64; ++d) {
      float largest = 0.0F;
      for (int i = d / 32 * 32; i < d / 32 * 32 + 32; ++i)
        largest = std::max(largest, std::fabs(x[static_cast<std::size_t>(i)]));
      const float scale = readHalf(keys.data() + 1024 + 2 * (d / 32 * 16 + 7));
      ASSERT_NEAR(scale, largest / 127, largest / 127 * 0.0005F);
      ASSERT_NEAR(static_cast<float>(static_cast<std::int8_t>(keys[static_cast<std::size_t>(d * 16 + 7)])) * scale,
                  x[static_cast<std::size_t>(d)], 0.51F * scale);
      ASSERT_EQ(keys[static_cast<std::size_t>(d * 16 + 7)], values[static_cast<std::size_t>(7 * 64 + d)]);
    }
  }
}

TEST(Attention, EightBitCacheStaysNearTheHalfCache) {
  const Scene half(200, 3, 64, 16, 0, 0.0F, KvType::F16), eight(200, 3, 64, 16, 0, 0.0F, KvType::Q8_0);
  for (const KernelTable* table : availableKernels()) {
    const std::vector<float> a = half.run(*table, 0, 200), b = eight.run(*table, 0, 200);
    double error = 0.0, energy = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      error += std::pow(static_cast<double>(a[i]) - b[i], 2);
      energy += std::pow(static_cast<double>(a[i]), 2);
    }
    EXPECT_LT(std::sqrt(error / energy), 0.02) << table->isa;
    EXPECT_GT(error, 0.0);
  }
}

TEST(Attention, ABrokenKeyOrValueShows) {
  for (const KernelTable* table : availableKernels()) {
    for (const KvType type : {KvType::F16, KvType::F32, KvType::Q8_0}) {
      for (const bool inValue : {false, true}) {
        Scene s(40, 2, 64, 16, 0, 0.0F, type);
        std::vector<float> x = randomFloats(64, 4), bad = x;
        bad[40] = std::nanf("");
        table->writeKv(inValue ? x.data() : bad.data(), inValue ? bad.data() : x.data(), 64, type, 16, 2,
                       s.keyPages[1].data(), s.valuePages[1].data());
        const std::vector<float> y = s.run(*table, 0, 40);
        const auto finite = [&](int p) {
          return std::all_of(y.begin() + p * 128, y.begin() + p * 128 + 128, [](float v) { return std::isfinite(v); });
        };
        EXPECT_TRUE(finite(17)) << table->isa << " " << kvTypeName(type) << ": a later token reached back";
        EXPECT_FALSE(finite(18)) << table->isa << " " << kvTypeName(type);
        EXPECT_FALSE(finite(39)) << table->isa << " " << kvTypeName(type);
      }
    }
  }
}

}  // namespace
}  // namespace hearth::kernels
