#include "core/compute/placement/placement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "core/compute/placement/search.h"
#include "tests/compute/placement/shapes.h"

namespace hearth::placement {
namespace {

using namespace testing;

std::vector<Plan> plansOf(const ModelDemand& demand, const Machine& on, const Workload& workload = {}) {
  Result<std::vector<Plan>> plans = planPlacement(demand, on, workload);
  EXPECT_TRUE(plans) << plans.error().describe();
  return plans ? std::move(*plans) : std::vector<Plan>{};
}

/// Everything that holds for every plan, counted anew from its tensors.
void verify(const ModelDemand& demand, const Machine& on, const Plan& plan) {
  ASSERT_EQ(plan.tensors.size(), demand.tensors.size());
  ASSERT_EQ(plan.gpus.size(), on.gpus.size());
  ASSERT_EQ(plan.kvDevice.size(), static_cast<std::size_t>(demand.layers));
  std::vector<double> weights(on.gpus.size() + 1, 0);  // the host's last
  const auto isRank = [&](int g) { return std::find(plan.ranks.begin(), plan.ranks.end(), g) != plan.ranks.end(); };
  std::vector<bool> streams(on.gpus.size(), false);
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const TensorPlacement& t = plan.tensors[i];
    ASSERT_GE(t.device, kSharded);
    ASSERT_LT(t.device, static_cast<int>(on.gpus.size()));
    if (t.device != kSharded) {
      weights[t.device == kCpu ? on.gpus.size() : static_cast<std::size_t>(t.device)] += static_cast<double>(demand.tensors[i].bytes);
    } else {
      ASSERT_EQ(plan.strategy, Strategy::TensorParallel);
      const double units = std::max(1, demand.tensors[i].shardUnits);
      const double ranks = static_cast<double>(plan.ranks.size());
      const double share = demand.tensors[i].shardUnits == 0 ? 1.0 : std::ceil(units / ranks) / units;
      for (const int g : plan.ranks) weights[static_cast<std::size_t>(g)] += static_cast<double>(demand.tensors[i].bytes) * share;
    }
    EXPECT_EQ(t.streamFrom > 0, t.streamTo != kCpu);
    if (t.streamFrom > 0) {
      EXPECT_EQ(t.device, kCpu);
      EXPECT_GE(t.streamFrom, 2);
      for (std::size_t g = 0; g < on.gpus.size(); ++g) {
        if (t.streamTo == static_cast<int>(g) || (t.streamTo == kSharded && isRank(static_cast<int>(g)))) streams[g] = true;
      }
    }
  }
  for (std::size_t g = 0; g < on.gpus.size(); ++g) {
    const std::uint64_t freely = on.gpus[g].freeBytes > on.gpus[g].reserveBytes ? on.gpus[g].freeBytes - on.gpus[g].reserveBytes : 0;
    EXPECT_LE(plan.gpus[g].total(), plan.gpus[g].budget);
    EXPECT_LE(plan.gpus[g].budget, freely);
    EXPECT_NEAR(static_cast<double>(plan.gpus[g].weights), weights[g], 1.0 + static_cast<double>(demand.tensors.size()));
    EXPECT_EQ(plan.gpus[g].staging > 0, streams[g]);
    if (weights[g] > 0) {
      EXPECT_EQ(plan.gpus[g].compute, demand.computeBytes);
    }
  }
  EXPECT_NEAR(static_cast<double>(plan.cpu.weights), weights.back(), 1.0);
  EXPECT_LE(plan.cpu.total(), on.cpu.freeBytes);
  // The cache lies with its attention.
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    if (demand.tensors[i].kind != TensorKind::Attention || demand.kvTokens == 0) continue;
    EXPECT_EQ(plan.tensors[i].device, plan.kvDevice[static_cast<std::size_t>(demand.tensors[i].layer)]);
  }
  EXPECT_TRUE(std::isfinite(plan.requestSeconds) && plan.requestSeconds > 0);
}

void verifyAll(const ModelDemand& demand, const Machine& on, const std::vector<Plan>& plans) {
  for (std::size_t i = 0; i < plans.size(); ++i) {
    verify(demand, on, plans[i]);
    if (i > 0) {
      EXPECT_LT(plans[i].vramBytes(), plans[i - 1].vramBytes());
      EXPECT_GE(plans[i].requestSeconds, plans[i - 1].requestSeconds);
    }
  }
}

TEST(Placement, EveryModelOnEveryCard) {
  for (const Shape& shape : {k1B, k8B, k30BA3B, k70B}) {
    const ModelDemand demand = model(shape);
    double last = INFINITY;
    for (const int gib : {0, 8, 12, 24, 80}) {
      SCOPED_TRACE(fmt::format("{} layers, {} GiB", shape.layers, gib));
      const Machine on = gib == 0 ? machine() : machine({card(gib)});
      const std::vector<Plan> plans = plansOf(demand, on);
      ASSERT_FALSE(plans.empty());
      verifyAll(demand, on, plans);
      EXPECT_LE(plans[0].requestSeconds, last);
      EXPECT_EQ(plans.back().strategy, Strategy::CpuOnly);  // 128 GiB of memory hold each of them
      EXPECT_EQ(plans.back().vramBytes(), 0U);
      last = plans[0].requestSeconds;
    }
  }
}

TEST(Placement, WhatFitsLiesOnTheCardWhole) {
  for (const Shape& shape : {k1B, k8B}) {
    const ModelDemand demand = model(shape);
    const std::vector<Plan> plans = plansOf(demand, machine({card(24)}));
    ASSERT_FALSE(plans.empty());
    for (std::size_t i = 0; i < demand.tensors.size(); ++i) {
      if (demand.tensors[i].kind != TensorKind::Embedding) {
        EXPECT_EQ(plans[0].tensors[i].device, 0) << demand.tensors[i].name;
      }
    }
  }
}

TEST(Placement, ExpertsGoToTheCpuFirst) {
  const ModelDemand demand = model(k30BA3B);
  const std::vector<Plan> plans = plansOf(demand, machine({card(8)}));
  ASSERT_FALSE(plans.empty());
  int expertsOnCpu = 0, expertsOnGpu = 0;
  for (std::size_t i = 0; i < demand.tensors.size(); ++i) {
    const TensorDemand& t = demand.tensors[i];
    if (t.kind == TensorKind::Expert) {
      ++(plans[0].tensors[i].device == kCpu ? expertsOnCpu : expertsOnGpu);
    } else if (t.kind != TensorKind::Embedding) {
      EXPECT_EQ(plans[0].tensors[i].device, 0) << t.name;
    }
  }
  EXPECT_GT(expertsOnCpu, 0);
  EXPECT_GT(expertsOnGpu, 0);
}

TEST(Placement, TheCrossoverIsThatOfTheMeasuredRates) {
  // bytes per token-flop · CPU rate / link: 0.5625 B per 2 flops · 2e12 / 2.5e10 = 22.5 tokens for a dense layer, and
  // experts / used times that for experts. Overheads add a little.
  const Machine on = machine({card(8)});
  const auto crossover = [&](const Shape& shape, TensorKind kind) {
    const ModelDemand demand = model(shape);
    const std::vector<Plan> plans = plansOf(demand, on, {.promptTokens = 4096, .generatedTokens = 16, .prefillChunk = 2048});
    for (std::size_t i = 0; !plans.empty() && i < demand.tensors.size(); ++i) {
      if (demand.tensors[i].kind == kind && plans[0].tensors[i].streamFrom > 0) return plans[0].tensors[i].streamFrom;
    }
    return 0;
  };
  EXPECT_NEAR(crossover(k70B, TensorKind::DenseFfn), 22.5, 2);
  EXPECT_NEAR(crossover(k30BA3B, TensorKind::Expert), 22.5 * 16, 30);
}

TEST(Placement, AFasterLinkStreamsEarlier) {
  const ModelDemand demand = model(k70B);
  int last = 1 << 30;
  for (const double link : {6e9, 1.2e10, 2.5e10, 5e10}) {
    GpuRates g = card(12);
    g.uploadBandwidth = g.downloadBandwidth = link;
    const std::vector<Plan> plans = plansOf(demand, machine({g}));
    ASSERT_FALSE(plans.empty());
    int from = 0;
    for (const TensorPlacement& t : plans[0].tensors) from = std::max(from, t.streamFrom);
    ASSERT_GT(from, 0);
    EXPECT_LT(from, last);
    last = from;
  }
}

TEST(Placement, SeveralCardsHoldWhatOneCannot) {
  const ModelDemand demand = model(k70B);  // about 40 GB
  const Machine one = machine({card(24)});
  const Machine two = machine({card(24), card(24)});
  const Machine uneven = machine({card(24), card(8)});
  const double alone = plansOf(demand, one)[0].requestSeconds;
  const double pair = plansOf(demand, two)[0].requestSeconds;
  const double mixed = plansOf(demand, uneven)[0].requestSeconds;
  EXPECT_LT(pair, alone / 4);
  EXPECT_LT(mixed, alone);
  EXPECT_LT(pair, mixed);
  for (const Machine& on : {two, uneven}) verifyAll(demand, on, plansOf(demand, on));
}

TEST(Placement, LayersAreSplitOverASlowLinkAndTensorsOverAFastOne) {
  const ModelDemand demand = model(k70B);
  Machine on = machine({card(80), card(80)});
  on.peerBandwidth = 4e11;
  on.peerLatency = 2e-6;
  EXPECT_EQ(plansOf(demand, on)[0].strategy, Strategy::TensorParallel);
  on.peerBandwidth = 5e9;
  on.peerLatency = 1e-3;
  const Plan slow = plansOf(demand, on)[0];
  EXPECT_EQ(slow.strategy, Strategy::LayerSplit);
  // All of it fits on one card: splitting would only add a crossing.
  EXPECT_TRUE(slow.gpus[0].total() == 0 || slow.gpus[1].total() == 0);
}

TEST(Placement, LayersOfASplitAreContiguous) {
  const ModelDemand demand = model(k70B);
  Machine on = machine({card(12), card(24), card(12)});
  on.peerLatency = 1e-3;
  const Plan plan = plansOf(demand, on)[0];
  ASSERT_EQ(plan.strategy, Strategy::LayerSplit);
  int last = 0;
  for (const int device : plan.kvDevice) {
    if (device == kCpu) continue;
    EXPECT_GE(device, last);
    last = device;
  }
  EXPECT_EQ(last, 2);
}

TEST(Placement, ACardSmallerThanALayerOrWithAllItsMemoryReservedIsLeftAlone) {
  const ModelDemand demand = model(k70B);
  GpuRates tiny = card(8);
  tiny.freeBytes = 100ULL << 20;
  tiny.reserveBytes = 0;
  GpuRates reserved = card(24);
  reserved.reserveBytes = 30 * kGiB;
  for (const GpuRates& g : {tiny, reserved}) {
    const std::vector<Plan> plans = plansOf(demand, machine({g}));
    ASSERT_EQ(plans.size(), 1U);
    EXPECT_EQ(plans[0].strategy, Strategy::CpuOnly);
    EXPECT_EQ(plans[0].vramBytes(), 0U);
  }
}

TEST(Placement, ACacheLargerThanTheCardStaysPartlyOnTheHost) {
  const ModelDemand demand = model(k8B, 131072);  // 128 KiB a token: 16 GiB
  const Machine on = machine({card(12)});
  const std::vector<Plan> plans = plansOf(demand, on);
  ASSERT_FALSE(plans.empty());
  verifyAll(demand, on, plans);
  EXPECT_GT(plans[0].cpu.kv, 0U);
  EXPECT_EQ(plans[0].cpu.kv + plans[0].gpus[0].kv, 131072ULL * 131072ULL);
}

TEST(Placement, WhatNoDeviceHoldsIsRefused) {
  Machine on = machine({card(8)});
  on.cpu.freeBytes = 4 * kGiB;
  const auto plans = planPlacement(model(k70B), on, {});
  ASSERT_FALSE(plans);
  EXPECT_EQ(plans.error().code, ErrorCode::OutOfMemory);
  EXPECT_FALSE(plans.error().find("needed_bytes").empty());
  // But a card may hold what a small host cannot.
  EXPECT_TRUE(planPlacement(model(k8B), on, {}));
}

TEST(Placement, BadFiguresAreRefusedByName) {
  const auto refused = [](auto&& spoil, std::string_view field) {
    ModelDemand demand = model(k1B);
    Machine on = machine({card(8), card(12)});
    Workload workload;
    spoil(demand, on, workload);
    const auto plans = planPlacement(demand, on, workload);
    ASSERT_FALSE(plans) << field;
    EXPECT_EQ(plans.error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(plans.error().find("field"), field);
  };
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  refused([&](auto&, auto& m, auto&) { m.gpus[1].memoryBandwidth = nan; }, "gpus[1].memoryBandwidth");
  refused([&](auto&, auto& m, auto&) { m.gpus[0].int8Rate = 0; }, "gpus[0].int8Rate");
  refused([&](auto&, auto& m, auto&) { m.gpus[0].bf16Rate = -1; }, "gpus[0].bf16Rate");
  refused([&](auto&, auto& m, auto&) { m.gpus[0].uploadBandwidth = infinity; }, "gpus[0].uploadBandwidth");
  refused([&](auto&, auto& m, auto&) { m.gpus[0].linkLatency = -1e-9; }, "gpus[0].linkLatency");
  refused([&](auto&, auto& m, auto&) { m.gpus[1].freeBytes = ~0ULL; }, "gpus[1].freeBytes");
  refused([&](auto&, auto& m, auto&) { m.cpu.rate = nan; }, "cpu.rate");
  refused([&](auto&, auto& m, auto&) { m.cpu.memoryBandwidth = 0; }, "cpu.memoryBandwidth");
  refused([&](auto&, auto& m, auto&) { m.peerBandwidth = -1; }, "peerBandwidth");
  refused([&](auto&, auto& m, auto&) { m.stagingSlots = 0; }, "stagingSlots");
  refused([&](auto& d, auto&, auto&) { d.layers = 0; }, "layers");
  refused([&](auto& d, auto&, auto&) { d.kvTokens = -1; }, "kvTokens");
  refused([&](auto& d, auto&, auto&) { d.kv.pop_back(); }, "kv.size");
  refused([&](auto& d, auto&, auto&) { d.kvHeads = 33; }, "kvHeads");
  refused([&](auto& d, auto&, auto&) { d.tensors.clear(); }, "tensors.size");
  refused([&](auto& d, auto&, auto&) { d.tensors[0].activeShare = 0; }, "tensors[token_embd].activeShare");
  refused([&](auto& d, auto&, auto&) { d.tensors[0].activeShare = 1.5; }, "tensors[token_embd].activeShare");
  refused([&](auto& d, auto&, auto&) { d.tensors[0].layer = 3; }, "tensors[token_embd].layer");
  refused([&](auto& d, auto&, auto&) { d.tensors[2].layer = 16; }, "tensors[blk.0.attn_q].layer");
  refused([&](auto& d, auto&, auto&) { d.tensors[2].flopsPerToken = nan; }, "tensors[blk.0.attn_q].flopsPerToken");
  refused([&](auto& d, auto&, auto&) { d.tensors[2].bytes = ~0ULL; }, "tensors[blk.0.attn_q].bytes");
  refused([&](auto&, auto&, auto& w) { w.prefillChunk = 0; }, "prefillChunk");
  refused([&](auto&, auto&, auto& w) { w.generatedTokens = -1; }, "generatedTokens");
}

/// Random machines and models: small, so that many are tried.
struct Random {
  explicit Random(unsigned seed) : engine(seed) {}
  double between(double low, double high) { return low * std::pow(high / low, std::uniform_real_distribution<>(0, 1)(engine)); }
  int number(int low, int high) { return std::uniform_int_distribution<>(low, high)(engine); }
  ModelDemand demand() {
    Shape s{number(1, 12), 256 * number(1, 16), 16, 1 << number(0, 4), 128, 256 * number(1, 40), 32000};
    if (number(0, 1) != 0) {
      s.experts = 1 << number(1, 6);
      s.used = number(1, s.experts);
    }
    ModelDemand m = model(s, number(0, 200000));
    m.computeBytes = static_cast<std::uint64_t>(between(1e6, 1e9));
    return m;
  }
  Machine on() {
    Machine m = machine();
    m.cpu = {256 * kGiB, between(1e10, 4e11), between(1e11, 2e13), between(1e-7, 1e-4)};
    for (int g = number(0, 4); g > 0; --g) {
      GpuRates rates = card(8);
      rates.freeBytes = static_cast<std::uint64_t>(between(1e8, 3e10));
      rates.reserveBytes = static_cast<std::uint64_t>(between(1e6, 1e9));
      rates.memoryBandwidth = between(5e9, 8e12);  // some are slower than the CPU
      rates.int8Rate = between(1e11, 2e15);
      rates.bf16Rate = between(1e11, 1e15);
      rates.uploadBandwidth = between(1e9, 1e11);
      rates.downloadBandwidth = between(1e9, 1e11);
      rates.linkLatency = between(1e-7, 1e-3);
      rates.partOverhead = between(1e-7, 1e-4);
      m.gpus.push_back(rates);
    }
    m.peerBandwidth = number(0, 2) == 0 ? 0 : between(1e9, 1e12);
    m.peerLatency = between(1e-7, 1e-3);
    m.stagingSlotBytes = static_cast<std::uint64_t>(between(1e6, 1e8));
    return m;
  }
  Workload workload() { return {number(0, 8192), number(1, 1024), number(1, 2048), number(1, 32), number(0, 8192)}; }
  std::mt19937 engine;
};

TEST(Placement, RandomMachinesKeepEveryPromise) {
  for (unsigned seed = 0; seed < 250; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const ModelDemand demand = random.demand();
    const Machine on = random.on();
    const Workload workload = random.workload();
    const std::vector<Plan> plans = plansOf(demand, on, workload);
    ASSERT_FALSE(plans.empty());
    verifyAll(demand, on, plans);
    EXPECT_EQ(plans.back().vramBytes(), 0U);

    // The same again is the same.
    const std::vector<Plan> again = plansOf(demand, on, workload);
    ASSERT_EQ(again.size(), plans.size());
    for (std::size_t i = 0; i < plans.size(); ++i) {
      EXPECT_EQ(again[i].requestSeconds, plans[i].requestSeconds);
      EXPECT_EQ(again[i].kvDevice, plans[i].kvDevice);
      EXPECT_EQ(again[i].vramBytes(), plans[i].vramBytes());
    }
    // More memory on one card, or less kept in reserve, is never slower.
    if (!on.gpus.empty()) {
      Machine larger = on;
      GpuRates& g = larger.gpus[static_cast<std::size_t>(random.number(0, static_cast<int>(on.gpus.size()) - 1))];
      if (random.number(0, 1) != 0) g.freeBytes += static_cast<std::uint64_t>(random.between(1e6, 2e10));
      else g.reserveBytes = 0;
      EXPECT_LE(plansOf(demand, larger, workload)[0].requestSeconds, plans[0].requestSeconds * (1 + 1e-9));
    }
    // No faster: everything on the host, or (where it fits) everything on one card, or half on one and half on the next.
    const CostModel cost(demand, on, workload);
    const auto seconds = [&](const Candidate& c) {
      return cost.decode().weight * stepSeconds(cost, c, cost.decode(), false) +
             cost.prefill().weight * stepSeconds(cost, c, cost.prefill(), true);
    };
    for (int first = kCpu; first < static_cast<int>(on.gpus.size()); ++first) {
      for (int second = first; second < static_cast<int>(on.gpus.size()); ++second) {
        if (first == kCpu && second != kCpu) continue;
        Candidate c;
        for (const Part& part : cost.parts()) {
          const int device = part.stage <= demand.layers / 2 ? first : second;
          c.device.push_back(part.kind == TensorKind::Embedding ? kCpu : device);
          c.streamTo.push_back(kCpu);
        }
        bool fits = true;
        for (std::size_t g = 0; g < on.gpus.size(); ++g) {
          fits &= useOf(cost, demand, on, c, static_cast<int>(g)).total() <= plans[0].gpus[g].budget;
        }
        if (fits) {
          EXPECT_LE(plans[0].requestSeconds, seconds(c) * (1 + 1e-9)) << first << ' ' << second;
        }
      }
    }
  }
}

}  // namespace
}  // namespace hearth::placement
