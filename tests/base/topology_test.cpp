#include "core/base/platform/topology.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace hearth::platform {
namespace {

/// A machine described in files, as Linux does it under /sys and /proc.
class FakeMachine : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(m_root); }
  void TearDown() override { std::filesystem::remove_all(m_root); }

  void write(const std::string& file, const std::string& text) const {
    const auto path = m_root / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << "\n";
  }
  void cpu(int number, int package, int core, const std::string& cacheSharers) const {
    const std::string folder = "sys/cpu/cpu" + std::to_string(number) + "/";
    write(folder + "topology/physical_package_id", std::to_string(package));
    write(folder + "topology/core_id", std::to_string(core));
    write(folder + "cache/index0/level", "1");
    write(folder + "cache/index0/shared_cpu_list", std::to_string(number));
    write(folder + "cache/index3/level", "3");
    write(folder + "cache/index3/shared_cpu_list", cacheSharers);
  }
  [[nodiscard]] Topology read(std::vector<int> allowed) const {
    return readTopology({m_root / "sys", m_root / "cgroup", m_root / "own", std::move(allowed)});
  }

  std::filesystem::path m_root = std::filesystem::temp_directory_path() / ("hearth-topology" + std::to_string(::getpid()));
};

TEST_F(FakeMachine, HyperThreadsCountOnceAndNodesStandTogether) {
  // Two packages of two cores with two threads each; CPUs alternate between packages, as many servers number them.
  for (int number = 0; number < 8; ++number)
    cpu(number, number % 2, number / 2 % 2, number % 2 == 0 ? "0,2,4,6" : "1,3,5,7");
  write("sys/node/node0/cpulist", "0,2,4,6");
  write("sys/node/node1/cpulist", "1,3,5,7");
  const auto found = read({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(found.cores, (std::vector<Core>{{0, 0, 0}, {2, 0, 0}, {1, 1, 1}, {3, 1, 1}}));
  EXPECT_EQ(found.threads(), 4);
  // Bound to some CPUs: two of them are threads of one core.
  EXPECT_EQ(read({1, 5, 4}).cores, (std::vector<Core>{{4, 0, 0}, {1, 1, 1}}));
}

TEST_F(FakeMachine, WithoutADescriptionEachCpuIsACore) {
  EXPECT_EQ(read({0, 1, 7}).cores, (std::vector<Core>{{0, 0, 0}, {1, 0, 0}, {7, 0, 0}}));
}

TEST_F(FakeMachine, QuotaOfAContainer) {
  write("own", "0::/pod/box");
  write("cgroup/pod/box/cpu.max", "max 100000");
  EXPECT_EQ(read({0, 1, 2, 3}).threads(), 4);
  write("cgroup/pod/cpu.max", "200000 100000");  // an ancestor's limit binds, too
  EXPECT_EQ(read({0, 1, 2, 3}).threads(), 2);
  write("cgroup/pod/box/cpu.max", "150000 100000");
  EXPECT_DOUBLE_EQ(read({0, 1, 2, 3}).quota, 1.5);
  EXPECT_EQ(read({0, 1, 2, 3}).threads(), 1);
  write("cgroup/pod/box/cpu.max", "1000 100000");
  EXPECT_EQ(read({0, 1, 2, 3}).threads(), 1) << "one at least";
  write("cgroup/pod/box/cpu.max", "3200000 100000");
  write("cgroup/pod/cpu.max", "max 100000");
  EXPECT_EQ(read({0, 1, 2, 3}).threads(), 4) << "more than there is";
}

TEST_F(FakeMachine, QuotaOfTheFirstVersion) {
  write("own", "5:memory:/m\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/");
  write("cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "-1");
  write("cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000");
  EXPECT_EQ(read({0, 1, 2}).quota, 0);
  write("cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "200000");
  EXPECT_EQ(read({0, 1, 2}).threads(), 2);
}

TEST_F(FakeMachine, NonsenseIsPassedOver) {
  cpu(0, 0, 0, "0-99999999999,-4,x");
  cpu(1, 0, 1, "");
  write("sys/node/node0/cpulist", "0-,,9-1,100000000");
  write("sys/node/nodeX/cpulist", "0");
  write("own", "nonsense\n::\n0::\n0::../../..\n3:cpu");
  write("cgroup/cpu.max", "0 0");
  const auto found = read({0, 1});
  EXPECT_EQ(found.cores.size(), 2U);
  EXPECT_EQ(found.quota, 0);
}

TEST(Topology, ThisMachine) {
  const Topology& machine = topology();
  ASSERT_GE(machine.cores.size(), 1U);
  EXPECT_GE(machine.threads(), 1);
  EXPECT_LE(machine.threads(), static_cast<int>(machine.cores.size()));
}

}  // namespace
}  // namespace hearth::platform
