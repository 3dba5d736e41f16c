#include "core/base/platform/platform.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace hearth::platform {
namespace {

std::filesystem::path temporary(const char* name) {
  return std::filesystem::temp_directory_path() / (std::string("hearth-") + name + std::to_string(::getpid()));
}

TEST(MappedFile, MapsAFileAndSeesChanges) {
  const auto path = temporary("map");
  std::ofstream(path) << "hello";
  auto file = MappedFile::open(path);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->bytes().size(), 5U);
  EXPECT_EQ(static_cast<char>(file->bytes()[1]), 'e');
  EXPECT_TRUE(file->unchanged());
  MappedFile moved = std::move(*file);
  EXPECT_EQ(moved.bytes().size(), 5U);
  std::ofstream(path, std::ios::app) << "!";
  EXPECT_FALSE(moved.unchanged());
  std::filesystem::remove(path);
}

TEST(MappedFile, RefusesWhatIsNoFile) {
  EXPECT_EQ(MappedFile::open("/nonexistent/x").error().code, ErrorCode::NotFound);
  EXPECT_EQ(MappedFile::open("/tmp").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(MappedFile::open("/dev/null").error().code, ErrorCode::InvalidArgument);
  const auto path = temporary("empty");
  std::ofstream(path).flush();
  EXPECT_EQ(MappedFile::open(path).error().code, ErrorCode::Truncated);
  std::filesystem::remove(path);
}

TEST(Platform, KnowsItsMachine) {
  EXPECT_GE(physicalCores(), 1);
  const auto memory = memoryInfo();
  EXPECT_GT(memory.totalBytes, memory.availableBytes / 2);
  EXPECT_GT(memory.availableBytes, 0U);
  EXPECT_GT(residentBytes(), 100'000U);
  EXPECT_FALSE(executablePath().empty());
}

}  // namespace
}  // namespace hearth::platform
