#include "core/compute/parallel/sharding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>

#include "core/compute/parallel/communicator.h"

namespace hearth::sharding {
namespace {

using kernels::FormatId;
using kernels::FormatInfo;

TEST(Sharding, PartsCoverEverythingOnceAtWholeBlocks) {
  for (const std::int64_t unit : {1, 32, 256}) {
    for (const std::int64_t units : {1, 2, 7, 56, 112}) {
      for (const int ranks : {1, 2, 3, 4, 8}) {
        if (units < ranks) {
          EXPECT_FALSE(part(units * unit, unit, 0, ranks));
          continue;
        }
        std::int64_t next = 0, least = units * unit, most = 0;
        for (int r = 0; r < ranks; ++r) {
          const auto range = part(units * unit, unit, r, ranks);
          ASSERT_TRUE(range);
          EXPECT_EQ(range->begin, next);
          EXPECT_EQ(range->begin % unit, 0);
          next = range->end;
          least = std::min(least, range->size());
          most = std::max(most, range->size());
        }
        EXPECT_EQ(next, units * unit);
        EXPECT_GT(least, 0);
        EXPECT_LE(most - least, unit);
      }
    }
  }
}

TEST(Sharding, BadPartsAreRefused) {
  EXPECT_FALSE(part(100, 32, 0, 2));
  EXPECT_FALSE(part(0, 32, 0, 1));
  EXPECT_FALSE(part(64, 0, 0, 1));
  EXPECT_FALSE(part(64, 32, 2, 2));
  EXPECT_FALSE(part(64, 32, -1, 2));
  EXPECT_FALSE(part(64, 32, 0, 0));
}

TEST(Sharding, EveryQueryHeadIsOnOneRankWithItsKeysAndValues) {
  int shared = 0, refused = 0;
  for (const int kvHeads : {1, 2, 4, 8, 6}) {
    for (const int group : {1, 4, 7, 8}) {
      for (const int headDim : {64, 128}) {
        for (const int block : {32, 256}) {
          for (const int ranks : {1, 2, 3, 4, 8}) {
            const int all = kvHeads * group;
            std::int64_t next = 0;
            for (int r = 0; r < ranks; ++r) {
              const auto p = headsOf(all, kvHeads, headDim, block, r, ranks);
              if (!p) {
                EXPECT_EQ(r, 0) << "refused for some ranks only";
                EXPECT_EQ(p.error().code, ErrorCode::InvalidArgument);
                ++refused;
                next = all;
                break;
              }
              EXPECT_EQ(p->query.begin, next);
              next = p->query.end;
              EXPECT_GT(p->query.size(), 0);
              EXPECT_EQ(p->query.begin * headDim % block, 0);
              EXPECT_EQ(p->query.end * headDim % block, 0);
              // Each query head's keys are here, and none that no head reads; a kernel maps them by one ratio.
              EXPECT_EQ(p->query.begin / group, p->kv.begin);
              EXPECT_EQ((p->query.end - 1) / group, p->kv.end - 1);
              EXPECT_EQ(p->query.size() % p->kv.size(), 0);
              EXPECT_EQ(p->sharedKv, p->query.size() < group * p->kv.size());
              shared += p->sharedKv ? 1 : 0;
            }
            EXPECT_EQ(next, all);
          }
        }
      }
    }
  }
  EXPECT_GT(shared, 0);
  EXPECT_GT(refused, 0);
  EXPECT_FALSE(headsOf(7, 2, 64, 32, 0, 1));
  EXPECT_FALSE(headsOf(8, 0, 64, 32, 0, 1));
  EXPECT_FALSE(headsOf(8, 8, 64, 32, 3, 2));
}

struct Weights {
  const FormatInfo* format;
  std::int64_t rows, cols;
  std::vector<std::byte> bytes;
};

Weights randomWeights(FormatId id, std::int64_t rows, std::int64_t cols, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 0.1F);
  std::vector<float> x(static_cast<std::size_t>(rows * cols));
  for (float& v : x) v = normal(random);
  const FormatInfo* format = kernels::findFormat(id);
  Weights w{format, rows, cols, std::vector<std::byte>(static_cast<std::size_t>(rows * cols / format->blockElements * format->blockBytes))};
  format->quantize(x.data(), w.bytes.data(), rows * cols);
  return w;
}

std::vector<float> multiply(const FormatInfo& format, std::span<const std::byte> matrix, std::int64_t cols, std::span<const float> x) {
  const std::int64_t rows = static_cast<std::int64_t>(matrix.size()) * format.blockElements / format.blockBytes / cols;
  std::vector<float> weights(static_cast<std::size_t>(rows * cols)), y(static_cast<std::size_t>(rows));
  format.dequantize(matrix.data(), weights.data(), rows * cols);
  for (std::size_t r = 0; r < y.size(); ++r) {
    double sum = 0;
    for (std::size_t c = 0; c < x.size(); ++c) sum += static_cast<double>(weights[r * x.size() + c]) * x[c];
    y[r] = static_cast<float>(sum);
  }
  return y;
}

std::vector<float> gated(const std::vector<float>& gate, const std::vector<float>& up) {
  std::vector<float> inner(gate.size());
  for (std::size_t i = 0; i < inner.size(); ++i) inner[i] = gate[i] / (1.0F + std::exp(-gate[i])) * up[i];
  return inner;
}

TEST(Sharding, AShardedFeedForwardChainIsTheUnshardedOne) {
  constexpr std::int64_t kHidden = 256, kInner = 7 * 256;  // seven blocks: no even cut for 2, 3 or 4 ranks
  for (const FormatId id : {FormatId::Q4_0, FormatId::Q5_1, FormatId::Q8_0, FormatId::Q4_K, FormatId::Q6_K, FormatId::F16}) {
    const Weights gate = randomWeights(id, kInner, kHidden, 1), up = randomWeights(id, kInner, kHidden, 2);
    const Weights down = randomWeights(id, kHidden, kInner, 3);
    const FormatInfo& format = *down.format;
    SCOPED_TRACE(format.name);
    std::vector<float> x(kHidden);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::cos(static_cast<float>(i));
    const std::vector<float> expected =
        multiply(format, down.bytes, kInner, gated(multiply(format, gate.bytes, kHidden, x), multiply(format, up.bytes, kHidden, x)));
    float largest = 0;
    for (const float y : expected) largest = std::max(largest, std::fabs(y));
    for (const int ranks : {1, 2, 3, 4, 7}) {
      auto ends = makeLocalGroup(ranks, std::chrono::seconds(60));
      ASSERT_TRUE(ends);
      std::vector<std::vector<float>> found(static_cast<std::size_t>(ranks));
      {
        std::vector<std::jthread> threads;
        for (auto& end : *ends) {
          threads.emplace_back([&, c = end.get()] {
            const auto range = part(kInner, format.blockElements, c->rank(), ranks);
            ASSERT_TRUE(range);
            const auto gateRows = rowsOf(format, gate.bytes, kHidden, *range), upRows = rowsOf(format, up.bytes, kHidden, *range);
            const auto downColumns = columnsOf(format, down.bytes, kInner, *range);
            ASSERT_TRUE(gateRows && upRows && downColumns);
            std::vector<float> y = multiply(format, *downColumns, range->size(),
                                            gated(multiply(format, *gateRows, kHidden, x), multiply(format, *upRows, kHidden, x)));
            ASSERT_TRUE(c->allReduce(y));
            found[static_cast<std::size_t>(c->rank())] = std::move(y);
          });
        }
      }
      for (const std::vector<float>& y : found) {
        ASSERT_EQ(y.size(), expected.size());
        EXPECT_EQ(y, found[0]);
        for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 2e-6F * largest);
      }
    }
  }
}

TEST(Sharding, AShardedOutputProjectionIsTheUnshardedOneEvenWithFewerKeyHeadsThanRanks) {
  constexpr int kHeads = 16, kKvHeads = 2, kHeadDim = 64, kHidden = 96;
  const Weights output = randomWeights(FormatId::Q4_K, kHidden, kHeads * kHeadDim, 5);
  const Weights query = randomWeights(FormatId::Q8_0, kHeads * kHeadDim, kHidden, 6), value = randomWeights(FormatId::Q8_0, kKvHeads * kHeadDim, kHidden, 7);
  std::vector<float> x(kHidden);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(3 * i));
  // Something of each query head and its value head stands for attention.
  const auto mix = [](const std::vector<float>& q, const std::vector<float>& v, std::size_t queryHeads, std::size_t kvHeads) {
    std::vector<float> out(q.size());
    for (std::size_t i = 0; i < q.size(); ++i) {
      const std::size_t head = i / kHeadDim, kv = head / (queryHeads / kvHeads);
      out[i] = q[i] * v[kv * kHeadDim + i % kHeadDim];
    }
    return out;
  };
  const std::vector<float> expected = multiply(*output.format, output.bytes, output.cols,
                                               mix(multiply(*query.format, query.bytes, kHidden, x),
                                                   multiply(*value.format, value.bytes, kHidden, x), kHeads, kKvHeads));
  float largest = 0;
  for (const float y : expected) largest = std::max(largest, std::fabs(y));
  for (const int ranks : {1, 2, 4}) {
    std::vector<double> sum(expected.size(), 0);
    for (int r = 0; r < ranks; ++r) {
      const auto p = headsOf(kHeads, kKvHeads, kHeadDim, output.format->blockElements, r, ranks);
      ASSERT_TRUE(p) << ranks;
      EXPECT_EQ(p->sharedKv, ranks == 4);
      const Range queries{p->query.begin * kHeadDim, p->query.end * kHeadDim}, values{p->kv.begin * kHeadDim, p->kv.end * kHeadDim};
      const auto q = rowsOf(*query.format, query.bytes, kHidden, queries), v = rowsOf(*value.format, value.bytes, kHidden, values);
      const auto o = columnsOf(*output.format, output.bytes, output.cols, queries);
      ASSERT_TRUE(q && v && o);
      const auto mixed = mix(multiply(*query.format, *q, kHidden, x), multiply(*value.format, *v, kHidden, x),
                             static_cast<std::size_t>(p->query.size()), static_cast<std::size_t>(p->kv.size()));
      const std::vector<float> y = multiply(*output.format, *o, queries.size(), mixed);
      for (std::size_t i = 0; i < y.size(); ++i) sum[i] += static_cast<double>(y[i]);
    }
    for (std::size_t i = 0; i < sum.size(); ++i) EXPECT_NEAR(sum[i], static_cast<double>(expected[i]), 2e-6 * static_cast<double>(largest));
  }
}

TEST(Sharding, BadRangesAreRefused) {
  const Weights w = randomWeights(FormatId::Q4_K, 4, 512, 1);
  EXPECT_FALSE(rowsOf(*w.format, w.bytes, 512, {0, 5}));
  EXPECT_FALSE(rowsOf(*w.format, w.bytes, 512, {-1, 2}));
  EXPECT_FALSE(rowsOf(*w.format, w.bytes, 512, {3, 2}));
  EXPECT_FALSE(rowsOf(*w.format, w.bytes, 500, {0, 1}));
  EXPECT_FALSE(rowsOf(*w.format, std::span(w.bytes).first(100), 512, {0, 1}));
  EXPECT_FALSE(columnsOf(*w.format, w.bytes, 512, {0, 128}));
  EXPECT_FALSE(columnsOf(*w.format, w.bytes, 512, {256, 768}));
  EXPECT_FALSE(columnsOf(*w.format, w.bytes, 0, {0, 0}));
}

}  // namespace
}  // namespace hearth::sharding
