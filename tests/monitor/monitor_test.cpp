#include "core/monitor/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <limits>
#include <thread>

namespace hearth {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

std::string fact(const HardwareMonitor& monitor, std::string_view key) {
  return std::string(Error{ErrorCode::NotFound, {}, monitor.gpuDriver().evidence}.find(key));
}

class FakeGpus : public testing::Test {
 protected:
  void set(const char* name, const std::string& value) { setenv(name, value.c_str(), 1); }
  void TearDown() override {
    for (const char* name : {"FAKE_NVML_GPUS", "FAKE_NVML_INIT", "FAKE_NVML_SILENT", "HEARTH_NVML_LIBRARY"}) unsetenv(name);
  }
};

TEST_F(FakeGpus, EachGpuIsRead) {
  for (const unsigned count : {0U, 1U, 2U, 8U}) {
    set("FAKE_NVML_GPUS", std::to_string(count));
    const auto monitor = HardwareMonitor::create(FAKE_NVML);
    EXPECT_EQ(monitor->gpuDriver().state, GpuDriverState::Ready);
    EXPECT_EQ(monitor->gpuDriver().version, "575.00.fake");
    EXPECT_TRUE(monitor->gpuDriver().evidence.empty());
    const HardwareSample sample = monitor->sample();
    ASSERT_EQ(sample.gpus.size(), count);
    for (unsigned i = 0; i < count; ++i) {
      const GpuSample& gpu = sample.gpus[i];
      EXPECT_EQ(gpu.name, "Fake GPU " + std::to_string(i));
      EXPECT_EQ(gpu.utilisation, 10.0 * i);
      EXPECT_EQ(gpu.memoryTotal, 24 * kGiB);
      EXPECT_EQ(gpu.memoryOurs, (i + 1) * kGiB);
      EXPECT_EQ(gpu.memoryOthers, kGiB);
      EXPECT_EQ(gpu.temperatureC, 40.0 + i);
      EXPECT_DOUBLE_EQ(gpu.powerWatts, 123.4);
      EXPECT_DOUBLE_EQ(gpu.powerLimitWatts, 450);
    }
  }
}

TEST_F(FakeGpus, WhatTheDriverDoesNotSayIsMinusOne) {
  set("FAKE_NVML_SILENT", "1");
  const HardwareSample sample = HardwareMonitor::create(FAKE_NVML)->sample();
  ASSERT_EQ(sample.gpus.size(), 1U);
  EXPECT_EQ(sample.gpus[0].temperatureC, -1);
  EXPECT_EQ(sample.gpus[0].powerWatts, -1);
  EXPECT_EQ(sample.gpus[0].powerLimitWatts, -1);
}

TEST_F(FakeGpus, TheEnvironmentChoosesTheLibrary) {
  set("HEARTH_NVML_LIBRARY", FAKE_NVML);
  EXPECT_EQ(HardwareMonitor::create()->gpuDriver().state, GpuDriverState::Ready);
}

TEST_F(FakeGpus, AMissingDriverIsAStateWithItsReason) {
  const auto monitor = HardwareMonitor::create("/nowhere/libnvidia-ml.so.1");
  EXPECT_EQ(monitor->gpuDriver().state, GpuDriverState::NoDriver);
  EXPECT_EQ(fact(*monitor, "library"), "/nowhere/libnvidia-ml.so.1");
  EXPECT_THAT(fact(*monitor, "reason"), HasSubstr("/nowhere/libnvidia-ml.so.1"));
  EXPECT_TRUE(monitor->sample().gpus.empty());
}

TEST_F(FakeGpus, AWrongLibraryFailsWithTheMissingSymbol) {
  const auto monitor = HardwareMonitor::create(OTHER_LIBRARY);
  EXPECT_EQ(monitor->gpuDriver().state, GpuDriverState::TooOld);
  EXPECT_THAT(fact(*monitor, "function"), HasSubstr("nvml"));
  EXPECT_TRUE(monitor->sample().gpus.empty());
}

TEST_F(FakeGpus, AFailingStartSaysWhy) {
  set("FAKE_NVML_INIT", "999");
  const auto failed = HardwareMonitor::create(FAKE_NVML);
  EXPECT_EQ(failed->gpuDriver().state, GpuDriverState::Failed);
  EXPECT_EQ(fact(*failed, "reason"), "a failure for the test");
  EXPECT_EQ(fact(*failed, "code"), "999");
  EXPECT_TRUE(failed->sample().gpus.empty());
  set("FAKE_NVML_INIT", "9");
  EXPECT_EQ(HardwareMonitor::create(FAKE_NVML)->gpuDriver().state, GpuDriverState::NotLoaded);
}

TEST(HardwareMonitor, SeesTheMachineAndOurOwnWork) {
  const auto monitor = HardwareMonitor::create("/nowhere/none.so");
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  volatile std::uint64_t spin = 0;
  while (std::chrono::steady_clock::now() < end) spin = spin + 1;
  const HardwareSample sample = monitor->sample();
  EXPECT_GT(sample.time, 1.6e9);
  EXPECT_GT(sample.memoryTotal, kGiB / 8);
  EXPECT_GT(sample.memoryAvailable, 0U);
  EXPECT_LE(sample.memoryAvailable, sample.memoryTotal);
  EXPECT_GT(sample.processResident, std::uint64_t{1} << 20U);
  ASSERT_FALSE(sample.corePercent.empty());
  double busiest = 0;
  for (const double core : sample.corePercent) {
    EXPECT_GE(core, 0);
    EXPECT_LE(core, 100);
    busiest = std::max(busiest, core);
  }
  EXPECT_GT(busiest, 10) << "this thread spun for 0.3 s";
  EXPECT_GT(sample.cpuPercent, 0);
}

TEST(MetricsRegistry, WritesPrometheusText) {
  const auto metrics = MetricsRegistry::create();
  metrics->add("hearth_requests_total", 1, {{"api", "openai"}});
  metrics->add("hearth_requests_total", 2, {{"api", "openai"}});
  metrics->add("hearth_requests_total", 1, {{"api", "ollama"}});
  metrics->set("hearth_running", 3);
  metrics->set("hearth_running", 2);
  metrics->observe("hearth_ttft_seconds", 0.2);
  metrics->observe("hearth_ttft_seconds", 20);
  metrics->addCollector([](MetricsRegistry& registry) { registry.set("hearth_live", 42); });
  const std::string text = metrics->text();
  EXPECT_THAT(text, HasSubstr("# TYPE hearth_requests_total counter"));
  EXPECT_THAT(text, HasSubstr("hearth_requests_total{api=\"openai\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("hearth_requests_total{api=\"ollama\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("hearth_running 2\n"));
  EXPECT_THAT(text, HasSubstr("hearth_ttft_seconds_bucket{le=\"0.25\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("hearth_ttft_seconds_bucket{le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("hearth_ttft_seconds_count 2\n"));
  EXPECT_THAT(text, HasSubstr("hearth_live 42\n"));
}

TEST(MetricsRegistry, ATallyIsAHistogramOfItsUnit) {
  const auto metrics = MetricsRegistry::create();
  Tally gaps(Tally::Unit::Seconds);
  EXPECT_TRUE(gaps.empty());
  metrics->observe("hearth_gap_seconds", gaps);
  EXPECT_THAT(metrics->text(), Not(HasSubstr("hearth_gap_seconds"))) << "nothing was tallied";
  gaps.add(0.001);  // a boundary belongs to its own bucket
  gaps.add(0.0011);
  gaps.add(1e9);
  gaps.add(-1);
  gaps.add(std::numeric_limits<double>::quiet_NaN());
  metrics->observe("hearth_gap_seconds", gaps);
  metrics->observe("hearth_gap_seconds", 0.002);
  Tally tokens(Tally::Unit::Tokens);
  tokens.add(512);
  metrics->observe("hearth_request_tokens", tokens);
  const std::string text = metrics->text();
  EXPECT_THAT(text, HasSubstr("hearth_gap_seconds_bucket{le=\"0.001\"} 1"));
  EXPECT_THAT(text, HasSubstr("hearth_gap_seconds_bucket{le=\"0.0025\"} 3"));
  EXPECT_THAT(text, HasSubstr("hearth_gap_seconds_bucket{le=\"120\"} 3"));
  EXPECT_THAT(text, HasSubstr("hearth_gap_seconds_count 4"));
  EXPECT_THAT(text, HasSubstr("hearth_request_tokens_bucket{le=\"500\"} 0"));
  EXPECT_THAT(text, HasSubstr("hearth_request_tokens_bucket{le=\"1000\"} 1"));
  EXPECT_THAT(text, HasSubstr("hearth_request_tokens_sum 512"));
  gaps.clear();
  EXPECT_TRUE(gaps.empty());
}

TEST(MetricsRegistry, WrongUseIsDroppedAndHarmsNothing) {
  const auto metrics = MetricsRegistry::create();
  metrics->add("hearth_good_total", 1);
  metrics->add("hearth_good_total", -5);
  metrics->add("not a name", 1);
  metrics->set("hearth_good_total", 7);  // a counter already
  metrics->set("hearth_label", 1, {{"bad label", "x"}});
  metrics->set("hearth_quote", 1, {{"model", "a\"b\\c\nd"}});
  const std::string text = metrics->text();
  EXPECT_THAT(text, HasSubstr("hearth_good_total 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("not a name")));
  EXPECT_THAT(text, Not(HasSubstr("bad label")));
  EXPECT_THAT(text, HasSubstr("hearth_quote{model=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(MetricsRegistry, ThreadsMayShareIt) {
  const auto metrics = MetricsRegistry::create();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) metrics->add("hearth_shared_total", 1, {{"n", std::to_string(i % 3)}});
    });
  }
  for (int i = 0; i < 20; ++i) (void)metrics->text();
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(metrics->text(), HasSubstr("hearth_shared_total{n=\"0\"} 1336\n"));
}

}  // namespace
}  // namespace hearth
