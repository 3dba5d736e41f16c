#include "core/base/error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace hearth {
namespace {

Result<std::unique_ptr<int>> half(int value) {
  if (value % 2 != 0) return fail(ErrorCode::InvalidArgument, "odd", {{"value", std::to_string(value)}});
  return std::make_unique<int>(value / 2);
}

Result<int> quarter(int value) {
  HEARTH_TRY(const auto once, half(value));
  HEARTH_TRY(const auto twice, half(*once));
  return *twice;
}

TEST(Error, TryPassesValuesAndErrorsOn) {
  EXPECT_EQ(quarter(12).value(), 3);
  const auto failed = quarter(6);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().find("value"), "3");
  EXPECT_EQ(failed.error().describe(), "odd (value: 3)");
}

TEST(Error, ErrnoBecomesACauseThatPeopleKnow) {
  EXPECT_EQ(errorFromErrno(ENOSPC, "x", "/p").code, ErrorCode::DiskFull);
  EXPECT_EQ(errorFromErrno(EROFS, "x", "/p").code, ErrorCode::ReadOnly);
  EXPECT_EQ(errorFromErrno(EADDRINUSE, "x", "/p").code, ErrorCode::PortInUse);
  EXPECT_EQ(errorFromErrno(EACCES, "x", "/p").find("path"), "/p");
}

TEST(Error, EveryCodeHasANameOfItsOwn) {
  EXPECT_EQ(errorCodeFromName("of_the_future"), ErrorCode::Internal);
  std::vector<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::ModelNotLoaded); ++code) {
    EXPECT_EQ(errorCodeFromName(errorCodeName(static_cast<ErrorCode>(code))), static_cast<ErrorCode>(code));
    names.push_back(errorCodeName(static_cast<ErrorCode>(code)));
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace hearth
