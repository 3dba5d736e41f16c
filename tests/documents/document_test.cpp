#include "core/documents/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/scratch_folder.h"

namespace hearth::documents {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Document good(std::string_view name, std::string_view bytes, const Limits& limits = {}) {
  auto read = readDocument(name, bytes, limits);
  EXPECT_TRUE(read) << name << ": " << read.error().describe();
  return read.value_or(Document{});
}
std::string reasonOf(std::string_view name, std::string_view bytes) {
  const auto read = readDocument(name, bytes);
  EXPECT_FALSE(read) << name;
  return read ? std::string() : std::string(errorCodeName(read.error().code)) + "/" + std::string(read.error().find("reason"));
}

TEST(Document, TextInItsEncodings) {
  const Document plain = good("a.txt", "line\r\nüber\rx\f\x1B[1m\ty\n");
  EXPECT_EQ(plain.text, "line\nüber\nx\n[1m\ty\n");
  EXPECT_EQ(plain.encoding, "UTF-8");
  EXPECT_EQ(plain.kind, Kind::Text);
  EXPECT_EQ(plain.characters, 18);
  EXPECT_FALSE(plain.cut);
  EXPECT_EQ(good("a.txt", "\xEF\xBB\xBFhi").text, "hi");

  using namespace std::string_view_literals;
  EXPECT_EQ(good("a", "\xFF\xFEh\0i\0\x2D\x4E\x3D\xD8\x25\xDD"sv).text, "hi中🔥");
  EXPECT_EQ(good("a", "\xFE\xFF\0h\0i\x4E\x2D"sv).encoding, "UTF-16BE");
  EXPECT_EQ(good("a", "\xFE\xFF\0h\0i\x4E\x2D"sv).text, "hi中");
  const Document bare = good("a", "h\0e\0l\0l\0o\0 \0w\0o\0r\0l\0d\0"sv);
  EXPECT_EQ(bare.text, "hello world");
  EXPECT_EQ(bare.encoding, "UTF-16LE");
  EXPECT_EQ(good("a", "\xFF\xFEh\0\x00\xD8x\0"sv).text, "h\uFFFDx") << "half a pair";
  EXPECT_EQ(good("a", "\xFF\xFEh\0i"sv).text, "h\uFFFD") << "half a unit";
}

TEST(Document, ChineseOfOldFilesAndWesternLetters) {
  // "这是一份测试文件。" in GB18030.
  const Document chinese = good("a.txt", "\xD5\xE2\xCA\xC7\xD2\xBB\xB7\xDD\xB2\xE2\xCA\xD4\xCE\xC4\xBC\xFE\xA1\xA3 ok\n");
  EXPECT_EQ(chinese.text, "这是一份测试文件。 ok\n");
  EXPECT_EQ(chinese.encoding, "GB18030");
  const Document western = good("a.txt", "Gr\xFC\xDF" "e aus K\xF6ln, \x80 5, \x93quoted\x94\n");
  EXPECT_EQ(western.text, "Grüße aus Köln, € 5, “quoted”\n");
  EXPECT_EQ(western.encoding, "windows-1252");
}

TEST(Document, WhatIsNoTextIsRefusedByName) {
  using namespace std::string_view_literals;
  EXPECT_EQ(reasonOf("a.txt", "\x7F" "ELF\x02\x01\0\0\0\0\0\0\x03\0>\0\x01"sv), "unsupported_format/binary");
  EXPECT_EQ(reasonOf("a.txt", std::string(1000, '\x01')), "unsupported_format/binary");
  EXPECT_EQ(reasonOf("a.png", "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0"sv), "unsupported_format/binary");
  EXPECT_EQ(reasonOf("a.txt", ""), "unsupported_format/no_text");
  EXPECT_EQ(reasonOf("a.txt", " \n\t\n"), "unsupported_format/no_text");
  EXPECT_EQ(reasonOf("a.pdf", "just words"), "corrupt/format");
  EXPECT_EQ(reasonOf("a.docx", "just words"), "corrupt/format");
  EXPECT_EQ(reasonOf("a.doc", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 old"), "unsupported_format/format");
  EXPECT_EQ(reasonOf("a.docx", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 locked"), "forbidden/encrypted");
  EXPECT_EQ(reasonOf("a.txt", "%PDF-1.4 in memory"), "unsupported_format/needs_file");
}

TEST(Document, LongTextIsCutBetweenCharactersAndSaysSo) {
  Limits limits;
  limits.characters = 3;
  const Document cut = good("a.txt", "äöü€x", limits);
  EXPECT_EQ(cut.text, "äöü");
  EXPECT_EQ(cut.characters, 5);
  EXPECT_TRUE(cut.cut);
  EXPECT_FALSE(good("a.txt", "äöü", limits).cut);
  limits.fileBytes = 4;
  const auto large = readDocument("a.txt", "12345", limits);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(large.error().find("limit_bytes"), "4");
}

TEST(Document, HtmlAsAReaderHasIt) {
  const Document page = good("page.html", R"(<!DOCTYPE html><html><head><title>The title</title><style>p { color: red }</style>
<script>var hidden = "<p>no</p>";</script></head><body><h2>Part &amp; more</h2><p>First   line
goes on.<br>Second.</p><ul><li>one</li><li>two <b>bold</b></li></ul>
<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table><pre>  keep
   this</pre><img alt="a cat"><noscript>not this</noscript></body></html>)");
  EXPECT_EQ(page.kind, Kind::Html);
  EXPECT_EQ(page.text,
            "# The title\n\n## Part & more\n\nFirst line goes on.\nSecond.\n\n- one\n- two bold\n\na\tb\n1\t2\n\n  keep\n   this\n\na cat\n");
  EXPECT_EQ(good("named.txt", "<html><body>by content</body></html>").kind, Kind::Html);
  EXPECT_EQ(good("code.xml", "<config><a/></config>").kind, Kind::Text);
  EXPECT_EQ(good("a.html", "<meta charset=\"gbk\"><p>\xC4\xE3\xBA\xC3</p>").text, "你好\n");
  EXPECT_EQ(good("a.html", "<p>never closed <b>at all").text, "never closed at all\n");
  EXPECT_EQ(reasonOf("a.html", "<script>alert(1)</script>"), "unsupported_format/no_text");
}

TEST(Document, HtmlThatNestsTooDeepIsRefused) {
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "<div>";
  const auto read = readDocument("a.html", deep);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::Corrupt);
  EXPECT_EQ(read.error().find("limit"), "2000");
  std::string listed;
  for (int i = 0; i < 20'000; ++i) listed += "<ul><li>";
  EXPECT_FALSE(readDocument("a.html", listed));
  std::string flat = "<table>";
  for (int i = 0; i < 50'000; ++i) flat += "<tr><td>x<br>";
  EXPECT_TRUE(readDocument("a.html", flat)) << "rows close each other";
}

TEST(Document, FilesAreRefusedByNameAndPath) {
  const ScratchFolder folder;
  EXPECT_EQ(readDocument(folder / "absent.txt").error().code, ErrorCode::NotFound);
  EXPECT_EQ(readDocument(folder.path()).error().code, ErrorCode::InvalidArgument);
  { std::ofstream(folder / "bin.txt", std::ios::binary) << std::string("\0\1\2\3", 4); }
  const auto binary = readDocument(folder / "bin.txt");
  ASSERT_FALSE(binary);
  EXPECT_EQ(binary.error().find("path"), (folder / "bin.txt").string());
  { std::ofstream(folder / "large.txt") << "x"; }
  std::filesystem::resize_file(folder / "large.txt", 100'000'000);
  EXPECT_EQ(readDocument(folder / "large.txt").error().code, ErrorCode::InvalidArgument);
  { std::ofstream(folder / "notes.md") << "# hi\n"; }
  const auto read = readDocument(folder / "notes.md");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name, "notes.md");
  EXPECT_EQ(read->text, "# hi\n");
}

}  // namespace
}  // namespace hearth::documents
