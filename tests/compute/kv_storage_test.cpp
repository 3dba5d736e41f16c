#include "core/compute/kv_storage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <tuple>

namespace hearth {
namespace {

TEST(KvStorageTest, RefusesAbsurdShapesAndKeepsPagesApart) {
  const KvShape shape{2, 3, 64, kernels::KvType::F16};
  for (const auto& [bad, page, pages] : {std::tuple{KvShape{0, 3, 64}, 16, 4},
                                         {KvShape{2, 0, 64}, 16, 4},
                                         {KvShape{2, 3, -64}, 16, 4},
                                         {shape, 0, 4},
                                         {shape, 16, 0},
                                         {shape, 16, -1},
                                         {KvShape{100000, 3, 64}, 16, 4}}) {
    const auto storage = KvStorage::create(bad, page, pages);
    ASSERT_FALSE(storage);
    EXPECT_EQ(storage.error().code, ErrorCode::InvalidArgument);
  }
  const auto huge = KvStorage::create({4096, 4096, 4096, kernels::KvType::F32}, 4096, 2147483647);
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, ErrorCode::OutOfMemory);
  EXPECT_FALSE(huge.error().find("needed_bytes").empty());

  const auto storage = std::move(*KvStorage::create(shape, 16, 3));
  EXPECT_EQ(storage->pageBytes(), 16U * shape.bytesPerToken());
  // Every head's block of every page, layer and plane is written with its own byte; none overlaps another.
  const std::size_t bytes = 16 * 64 * 2;
  unsigned char mark = 0;
  const auto each = [&](auto visit) {
    mark = 0;
    for (PageId page = 0; page < 3; ++page) {
      for (int layer = 0; layer < 2; ++layer) {
        for (int head = 0; head < 3; ++head) {
          visit(storage->keys(page, layer, head), ++mark);
          visit(storage->values(page, layer, head), ++mark);
        }
      }
    }
  };
  each([&](std::byte* block, unsigned char value) { std::memset(block, value, bytes); });
  each([&](std::byte* block, unsigned char value) {
    EXPECT_TRUE(std::all_of(block, block + bytes, [&](std::byte b) { return b == std::byte{value}; }));
  });
}

TEST(KvStorageTest, AnEightBitCacheTakesAboutHalf) {
  const KvShape half{2, 3, 64, kernels::KvType::F16}, eight{2, 3, 64, kernels::KvType::Q8_0},
      odd{1, 1, 33, kernels::KvType::Q8_0};
  EXPECT_EQ(half.bytesPerToken(), 2U * 2 * 3 * 128);
  EXPECT_EQ(eight.bytesPerToken(), 2U * 2 * 3 * (64 + 2 * 2));
  EXPECT_EQ(odd.bytesPerToken(), 2U * (33 + 2 * 2));
  const auto storage = std::move(*KvStorage::create(eight, 16, 3));
  EXPECT_EQ(storage->pageBytes(), 16 * eight.bytesPerToken());
  EXPECT_EQ(storage->values(0, 0, 0) - storage->keys(0, 0, 0), 3 * 16 * 68);
  EXPECT_EQ(storage->keys(0, 0, 1) - storage->keys(0, 0, 0), 16 * 68);
}

TEST(KvStorageTest, TypesHaveNames) {
  EXPECT_EQ(kvTypeNamed("f16"), kernels::KvType::F16);
  EXPECT_EQ(kvTypeNamed("f32"), kernels::KvType::F32);
  EXPECT_EQ(kvTypeNamed("q8_0"), kernels::KvType::Q8_0);
  for (const char* name : {"", "F16", "q8", "q8_0 "}) EXPECT_FALSE(kvTypeNamed(name)) << name;
}

TEST(KvStorageTest, CopiesOnePageWhole) {
  const auto storage = std::move(*KvStorage::create({2, 2, 32, kernels::KvType::F32}, 8, 3));
  const std::size_t bytes = storage->pageBytes();
  for (PageId page = 0; page < 3; ++page) std::memset(storage->keys(page, 0, 0), page + 1, bytes);
  storage->copyPage(0, 2);
  const auto all = [&](PageId page, int value) {
    const std::byte* data = storage->keys(page, 0, 0);
    return std::all_of(data, data + bytes, [&](std::byte b) { return b == static_cast<std::byte>(value); });
  };
  EXPECT_TRUE(all(0, 1));
  EXPECT_TRUE(all(1, 2));
  EXPECT_TRUE(all(2, 1));
}

TEST(KvStorageTest, ReservingIsNotTouching) {
  const std::uint64_t before = platform::residentBytes();
  const auto storage = KvStorage::create({32, 8, 128, kernels::KvType::F16}, 16, 4096);  // 8 GiB
  ASSERT_TRUE(storage) << storage.error().describe();
  std::memset((*storage)->values(4095, 31, 7), 1, 16 * 128 * 2);  // the last block of all
  EXPECT_LT(platform::residentBytes(), before + (64U << 20U));
}

TEST(BigMemoryTest, IsZeroedAlignedAndMovable) {
  EXPECT_FALSE(platform::BigMemory::reserve(0));
  const auto refused = platform::BigMemory::reserve(UINT64_MAX);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::OutOfMemory);
  EXPECT_EQ(refused.error().find("needed_bytes"), std::to_string(UINT64_MAX));
  auto memory = platform::BigMemory::reserve(5000);
  ASSERT_TRUE(memory);
  std::byte* data = memory->data();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % (2U << 20U), 0U);
  EXPECT_TRUE(std::all_of(data, data + 5000, [](std::byte b) { return b == std::byte{0}; }));
  data[4999] = std::byte{7};
  const platform::BigMemory moved = std::move(*memory);
  EXPECT_EQ(moved.data(), data);
  EXPECT_EQ(moved.size(), 5000U);
  EXPECT_EQ(moved.data()[4999], std::byte{7});
}

}  // namespace
}  // namespace hearth
