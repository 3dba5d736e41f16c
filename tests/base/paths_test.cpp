#include "core/base/paths.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace hearth {
namespace {

TEST(Paths, ExplicitFolderWinsOverEnvironment) {
  ::setenv("HEARTH_HOME", "/tmp/from-environment", 1);
  EXPECT_EQ(chooseDataPaths("/tmp/from-option").root, "/tmp/from-option");
  EXPECT_EQ(chooseDataPaths("").root, "/tmp/from-environment");
  ::unsetenv("HEARTH_HOME");
  ::setenv("XDG_DATA_HOME", "/tmp/xdg", 1);
  EXPECT_EQ(chooseDataPaths("").root, "/tmp/xdg/hearth");
  ::setenv("XDG_DATA_HOME", "relative", 1);  // the XDG specification: relative paths are to be ignored
  EXPECT_NE(chooseDataPaths("").root, "relative/hearth");
  ::unsetenv("XDG_DATA_HOME");
}

TEST(Paths, NamesFromOutsideCannotLeaveTheFolder) {
  for (const char* bad : {"", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "a\nb"}) {
    EXPECT_FALSE(safeChild("/data", bad)) << bad;
  }
  EXPECT_FALSE(safeChild("/data", std::string_view("a\0b", 3)));
  EXPECT_FALSE(safeChild("/data", std::string(201, 'x')));
  EXPECT_EQ(safeChild("/data", "模型 v1.gguf").value(), "/data/模型 v1.gguf");
}

TEST(Paths, PreparesAndProvesTheFolder) {
  const auto root = std::filesystem::temp_directory_path() / ("hearth-paths-" + std::to_string(::getpid()));
  ASSERT_TRUE(prepareDataPaths({root}));
  EXPECT_TRUE(std::filesystem::is_directory(root / "models"));
  std::ofstream(root / "file") << "x";
  const auto failed = prepareDataPaths({root / "file"});
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().find("path"), "");
  std::filesystem::remove_all(root);
}

TEST(Paths, APortableMarkerKeepsTheDataBesideTheProgram) {
  const auto root = std::filesystem::temp_directory_path() / ("hearth-portable-" + std::to_string(::getpid()));
  std::filesystem::create_directories(root / "bin");
  EXPECT_EQ(portableFolder(root / "bin" / "hearth"), "");
  std::ofstream(root / "portable") << "";
  EXPECT_EQ(portableFolder(root / "bin" / "hearth"), root / "data");
  EXPECT_EQ(portableFolder(root / "hearth"), root / "data");
  std::ofstream(root / "bin" / "portable") << "";
  EXPECT_EQ(portableFolder(root / "bin" / "hearth"), root / "bin" / "data") << "the nearer one";
  EXPECT_EQ(portableFolder(""), "");
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace hearth
