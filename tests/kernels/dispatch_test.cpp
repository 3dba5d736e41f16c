// Run once for each value of HEARTH_ISA (see CMakeLists.txt): the choice is made once in a process.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "kernels/cpu/kernel_table.h"

namespace hearth::kernels {
namespace {

TEST(Dispatch, ScalarComesFirstAndNamesAreDistinct) {
  const auto tables = availableKernels();
  ASSERT_FALSE(tables.empty());
  EXPECT_STREQ(tables.front()->isa, "scalar");
  for (std::size_t i = 0; i < tables.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_STRNE(tables[i]->isa, tables[j]->isa);
  }
}

TEST(Dispatch, FollowsTheEnvironmentOrSaysWhyNot) {
  const char* forced = std::getenv("HEARTH_ISA");
  const KernelTable* fastest = availableKernels().back();
  const KernelTable& chosen = chooseKernels();
  if (forced == nullptr) {
    EXPECT_EQ(&chosen, fastest);
    EXPECT_EQ(forcedIsaProblem(), nullptr);
    return;
  }
  const std::string name = forced;
  const KernelTable* wanted = nullptr;
  for (const KernelTable* table : availableKernels()) {
    if (name == table->isa || (name == "avx512" && std::string(table->isa) == "avx512vnni")) wanted = table;
  }
  if (wanted != nullptr) {
    EXPECT_EQ(&chosen, wanted);
    EXPECT_EQ(forcedIsaProblem(), nullptr);
  } else {
    EXPECT_EQ(&chosen, fastest);
    ASSERT_NE(forcedIsaProblem(), nullptr);
    EXPECT_NE(std::string(forcedIsaProblem()).find("HEARTH_ISA"), std::string::npos);
  }
}

}  // namespace
}  // namespace hearth::kernels
