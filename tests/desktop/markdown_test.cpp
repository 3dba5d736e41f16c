#include "ui/desktop/chat/markdown.h"

#include <QAbstractTextDocumentLayout>
#include <QApplication>
#include <QPlainTextEdit>
#include <QTextBlock>

#include <gtest/gtest.h>

#include "ui/desktop/chat/code_block.h"
#include "ui/desktop/chat/markdown_view.h"
#include "ui/desktop/chat/text_block.h"

namespace hearth::ui {
namespace {

using namespace Qt::StringLiterals;

QString htmlOf(const QString& source) {
  QString all;
  for (const MarkdownBlock& block : parseMarkdown(source)) all += block.html;
  return all;
}

TEST(Markdown, HtmlInTheSourceIsShownAsText) {
  const QString html = htmlOf(u"a <script>alert(1)</script> <img src=\"http://x/y.png\"> b\n\n<table><tr><td>x</td></tr></table>"_s);
  EXPECT_FALSE(html.contains("<script"_L1));
  EXPECT_FALSE(html.contains("<img"_L1));
  EXPECT_FALSE(html.contains("<table"_L1));
  EXPECT_TRUE(html.contains("&lt;script&gt;"_L1)) << html.toStdString();
}

TEST(Markdown, PicturesAreLinksAndNeverFetched) {
  const QString html = htmlOf(u"![cat](http://tracker.example/cat.png)"_s);
  EXPECT_FALSE(html.contains("<img"_L1));
  EXPECT_TRUE(html.contains("<a href=\"http://tracker.example/cat.png\">"_L1));
}

TEST(Markdown, QuotesInAddressesCannotLeaveTheAttribute) {
  const QString html = htmlOf(u"[x](<http://a/\" onclick=\"b>)"_s);
  EXPECT_FALSE(html.contains("onclick=\""_L1)) << html.toStdString();
}

TEST(Markdown, OnlyWebAndMailLinksOpen) {
  EXPECT_TRUE(isSafeLink(u"https://example.org/a"_s));
  EXPECT_TRUE(isSafeLink(u"mailto:a@b.c"_s));
  for (const QString& bad : {u"file:///etc/passwd"_s, u"javascript:alert(1)"_s, u"data:text/html,x"_s, u"/etc/passwd"_s, u"smb://h/x"_s}) {
    EXPECT_FALSE(isSafeLink(bad)) << bad.toStdString();
  }
}

TEST(Markdown, LinesOfAVerseStayLines) {
  EXPECT_EQ(htmlOf(u"River flows deep,\nWater rushes"_s).count("<br"_L1), 1);
}

TEST(Markdown, ACodeBlockIsAsTallAsItsLinesInAnyScript) {
  CodeBlock block;
  block.resize(600, 200);
  block.setCode(u"-- 创建索引\nCREATE INDEX i ON t (a);\n-- 使用索引\n-- ฐานข้อมูล\nSELECT * FROM t;"_s, u"sql"_s);
  block.show();
  auto* const text = block.findChild<QPlainTextEdit*>();
  ASSERT_NE(text, nullptr);
  double lines = 0;
  for (QTextBlock line = text->document()->begin(); line.isValid(); line = line.next()) {
    lines += text->document()->documentLayout()->blockBoundingRect(line).height();
  }
  EXPECT_GE(text->height(), lines);
  EXPECT_LE(text->height(), lines + 24);
}

TEST(Markdown, ListsInListsAreIndentedAndCodeInThemLeavesNoGap) {
  const QString html = htmlOf(u"1. first\n\n   ```sql\n   SELECT 1;\n   ```\n\n   after\n\n2. second\n\n   - inner"_s);
  EXPECT_TRUE(html.contains("<ol start=\"1\" style=\"margin:0; -qt-list-indent:1\">"_L1)) << html.toStdString();
  EXPECT_TRUE(html.contains("<ul style=\"margin:0; -qt-list-indent:2\">"_L1)) << html.toStdString();
  EXPECT_FALSE(html.contains("<br"_L1)) << html.toStdString();
  EXPECT_TRUE(html.contains("\">first<pre"_L1)) << "the text stands beside its number: " << html.toStdString();
  EXPECT_TRUE(html.contains("</pre><p style=\"margin:4px 0 0 0; line-height:135%\">after</p>"_L1)) << html.toStdString();
}

TEST(Markdown, BlocksOfEachKind) {
  const auto blocks = parseMarkdown(u"# T\n\np **b** `c`\n\n```python\nx = 1\n```\n\n- a\n- b\n\n| h |\n|---|\n| c |\n\n> q"_s);
  ASSERT_EQ(blocks.size(), 6U);
  EXPECT_EQ(blocks[2].kind, MarkdownBlock::Kind::Code);
  EXPECT_EQ(blocks[2].language, u"python"_s);
  EXPECT_EQ(blocks[2].code, u"x = 1"_s);
  EXPECT_TRUE(blocks[1].html.contains("<b>b</b>"_L1));
  EXPECT_TRUE(blocks[3].html.contains("<li"_L1));
  EXPECT_TRUE(blocks[4].html.contains("<table"_L1));
}

TEST(Markdown, HostileInputEnds) {
  EXPECT_NO_FATAL_FAILURE((void)parseMarkdown(QString(200'000, u'[')));
  EXPECT_NO_FATAL_FAILURE((void)parseMarkdown(QString(100'000, u'>')));
  EXPECT_NO_FATAL_FAILURE((void)parseMarkdown(QString(QChar(0)) + QChar(0xD800) + u'*'));
  EXPECT_TRUE(parseMarkdown({}).empty());
}

TEST(MarkdownView, StreamingTouchesOnlyTheLastBlock) {
  MarkdownView view;
  view.setMarkdown(u"First.\n\n```cpp\nint a;\n"_s);
  ASSERT_EQ(view.blockCount(), 2);
  QWidget* const first = view.blockWidget(0);
  auto* const code = qobject_cast<CodeBlock*>(view.blockWidget(1));
  ASSERT_NE(code, nullptr);
  view.setMarkdown(u"First.\n\n```cpp\nint a;\nint b;\n```\n\nAfter"_s);
  EXPECT_EQ(view.blockWidget(0), first);
  EXPECT_EQ(view.blockWidget(1), code);
  EXPECT_EQ(code->code(), u"int a;\nint b;"_s);
  ASSERT_EQ(view.blockCount(), 3);
  EXPECT_NE(qobject_cast<TextBlock*>(view.blockWidget(2)), nullptr);
}

TEST(MarkdownView, ABlockThatChangesItsKindIsReplaced) {
  MarkdownView view;
  view.setMarkdown(u"``"_s);
  EXPECT_NE(qobject_cast<TextBlock*>(view.blockWidget(0)), nullptr);
  view.setMarkdown(u"```js\nlet x"_s);
  EXPECT_NE(qobject_cast<CodeBlock*>(view.blockWidget(0)), nullptr);
  view.setMarkdown(u"plain"_s);
  ASSERT_EQ(view.blockCount(), 1);
  EXPECT_NE(qobject_cast<TextBlock*>(view.blockWidget(0)), nullptr);
}

}  // namespace
}  // namespace hearth::ui
