#include "core/base/platform/run_limited.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "tests/support/scratch_folder.h"

namespace hearth::platform {
namespace {

using ::testing::HasSubstr;

TEST(RunLimited, GivesWhatTheProgramSaid) {
  const auto run = runLimited("sh", {"-c", "echo out; echo err >&2; cat; exit 3"}, {});
  ASSERT_TRUE(run) << run.error().describe();
  EXPECT_EQ(run->output, "out\n");
  EXPECT_EQ(run->errors, "err\n");
  EXPECT_EQ(run->exitCode, 3);
  EXPECT_FALSE(run->outputCut);
  EXPECT_EQ(runLimited("no-such-program-here", {}, {}).error().code, ErrorCode::NotFound);
  EXPECT_EQ(runLimited("/nowhere/at/all", {}, {}).error().code, ErrorCode::NotFound);
  EXPECT_EQ(runLimited("sh", {"-c", "kill -9 $$"}, {})->exitCode, -1);
}

TEST(RunLimited, OutputMemoryAndFilesAreLimited) {
  RunLimits limits;
  limits.outputBytes = 1000;
  const auto flood = runLimited("sh", {"-c", "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done"}, limits);
  ASSERT_TRUE(flood);
  EXPECT_TRUE(flood->outputCut);
  EXPECT_EQ(flood->output.size(), 1000U);
  RunLimits small;
  small.memoryBytes = 64ULL << 20;
  const auto hungry = runLimited("sh", {"-c", "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done"}, small);
  ASSERT_TRUE(hungry);
  EXPECT_NE(hungry->exitCode, 0);
  const ScratchFolder folder;
  const auto file = (folder / "f").string();
  const auto written = runLimited("sh", {"-c", "echo data > '" + file + "'"}, {});
  ASSERT_TRUE(written);
  EXPECT_NE(written->exitCode, 0) << "it may write no file";
  std::error_code code;
  EXPECT_TRUE(!std::filesystem::exists(file) || std::filesystem::file_size(file, code) == 0);
}

TEST(RunLimited, CanBeCancelledAndLeavesNobodyBehind) {
  const ScratchFolder folder;
  RunLimits limits;
  std::atomic<int> asked{0};
  limits.cancelled = [&] { return ++asked > 2; };
  const auto start = std::chrono::steady_clock::now();
  // A grandchild holds the output open.
  const auto run = runLimited("sh", {"-c", "sleep 50 & sleep 50"}, limits);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::Cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace hearth::platform
