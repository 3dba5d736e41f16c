#include "core/host/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

class SettingsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Store::open(m_folder / "hearth.db");
    ASSERT_TRUE(opened);
    m_store = std::move(*opened);
  }
  ScratchFolder m_folder;
  std::unique_ptr<Store> m_store;
};

TEST_F(SettingsTest, DefaultsWhenNothingIsSet) {
  const HostSettings read = readHostSettings(*m_store).value();
  EXPECT_TRUE(read.modelFolders.empty());
  EXPECT_EQ(read.keepAlive.count(), -1);
  EXPECT_EQ(read.threads, 0);
  EXPECT_EQ(read.contextTokens, 0);
  EXPECT_EQ(read.memoryBudgetBytes, 0U);
  EXPECT_EQ(read.speculation, Speculation::Lookup);
}

TEST_F(SettingsTest, WhatWasSetIsRead) {
  ASSERT_TRUE(writeModelFolders(*m_store, {"/a \"quoted\" folder", "/b"}));
  ASSERT_TRUE(m_store->setSetting(settings::kKeepAliveSeconds, "300"));
  ASSERT_TRUE(m_store->setSetting(settings::kThreads, "4"));
  ASSERT_TRUE(m_store->setSetting(settings::kContextTokens, "32768"));
  ASSERT_TRUE(m_store->setSetting(settings::kMemoryBudgetBytes, "8000000000"));
  ASSERT_TRUE(m_store->setSetting(settings::kKvType, "q8_0"));
  ASSERT_TRUE(m_store->setSetting(settings::kSpeculation, "off"));
  const HostSettings read = readHostSettings(*m_store).value();
  EXPECT_EQ(read.kvType, kernels::KvType::Q8_0);
  EXPECT_THAT(read.modelFolders, ::testing::ElementsAre("/a \"quoted\" folder", "/b"));
  EXPECT_EQ(read.keepAlive.count(), 300);
  EXPECT_EQ(read.threads, 4);
  EXPECT_EQ(read.contextTokens, 32768);
  EXPECT_EQ(read.memoryBudgetBytes, 8'000'000'000U);
  EXPECT_EQ(read.speculation, Speculation::Off);
}

TEST_F(SettingsTest, ValuesThatMakeNoSenseFallBackToTheDefault) {
  for (const char* bad : {"", "x", "-2", "1.5", "99999999999999999999", "4 "}) {
    ASSERT_TRUE(m_store->setSetting(settings::kThreads, bad));
    ASSERT_TRUE(m_store->setSetting(settings::kContextTokens, bad));
    ASSERT_TRUE(m_store->setSetting(settings::kKeepAliveSeconds, bad));
    ASSERT_TRUE(m_store->setSetting(settings::kModelFolders, bad));
    ASSERT_TRUE(m_store->setSetting(settings::kKvType, bad));
    ASSERT_TRUE(m_store->setSetting(settings::kSpeculation, bad));
    const HostSettings read = readHostSettings(*m_store).value();
    EXPECT_EQ(read.threads, 0) << bad;
    EXPECT_EQ(read.contextTokens, 0) << bad;
    EXPECT_EQ(read.keepAlive.count(), -1) << bad;
    EXPECT_EQ(read.speculation, Speculation::Lookup) << bad;
    EXPECT_TRUE(read.modelFolders.empty()) << bad;
    EXPECT_FALSE(read.kvType) << bad;
  }
  ASSERT_TRUE(m_store->setSetting(settings::kContextTokens, "511"));
  EXPECT_EQ(readHostSettings(*m_store)->contextTokens, 0) << "too short for a conversation";
  for (const char* bad : {"{}", "[1]", "[\"/a\", null]", "[[\"/a\"]]"}) {
    ASSERT_TRUE(m_store->setSetting(settings::kModelFolders, bad));
    EXPECT_TRUE(readHostSettings(*m_store)->modelFolders.empty()) << bad;
  }
}

}  // namespace
}  // namespace hearth
