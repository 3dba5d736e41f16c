#include "ui/desktop/chat/code_highlighter.h"

#include <QTextBlock>
#include <QTextDocument>
#include <QTextLayout>

#include <gtest/gtest.h>

#include "ui/desktop/common/theme.h"

namespace hearth::ui {
namespace {

using namespace Qt::StringLiterals;

/// What the piece is drawn as: w(ord), v(alue), c(omment), n(ame), or '.' for plain.
char kindOf(const QString& language, const QString& code, const QString& piece) {
  QTextDocument document(code);
  CodeHighlighter highlighter(&document, language);
  highlighter.rehighlight();
  const int at = static_cast<int>(code.indexOf(piece));
  EXPECT_GE(at, 0) << piece.toStdString();
  const QTextBlock block = document.findBlock(at);
  const int in = at - block.position();
  const Theme& theme = ThemeManager::current();
  for (const QTextLayout::FormatRange& range : block.layout()->formats()) {
    if (in < range.start || in >= range.start + range.length) continue;
    const QColor colour = range.format.foreground().color();
    return colour == theme.codeWord ? 'w' : colour == theme.codeValue ? 'v' : colour == theme.codeComment ? 'c' : colour == theme.codeName ? 'n' : '?';
  }
  return '.';
}

TEST(CodeHighlighterTest, EachLanguageHasItsWordsStringsAndComments) {
  struct Case {
    QString language, code;
    std::vector<std::pair<QString, char>> pieces;
  };
  const Case cases[] = {
      {u"cpp"_s, u"#include <a.h>\nconst int n = 0x1f; // why\nauto s = \"// no\"; /* a\nb */ f(n);\nchar q = 'x'; int big = 1'000'000;"_s,
       {{u"#include"_s, 'w'}, {u"const"_s, 'w'}, {u"0x1f"_s, 'v'}, {u"// why"_s, 'c'}, {u"// no"_s, 'v'}, {u"b */"_s, 'c'}, {u"f(n)"_s, 'n'}, {u"n = "_s, '.'}, {u"'x'"_s, 'v'}, {u"000'000"_s, 'v'}}},
      {u"Python"_s, u"@cache\ndef f(x):\n  \"\"\"one\n  two # no\n  \"\"\"\n  return 'it\\'s' + str(1) # yes"_s,
       {{u"@cache"_s, 'n'}, {u"def"_s, 'w'}, {u"two"_s, 'v'}, {u"# no"_s, 'v'}, {u"return"_s, 'w'}, {u"s' +"_s, 'v'}, {u"# yes"_s, 'c'}}},
      {u"ts"_s, u"export const a: string = `x\n${1}`; // c"_s, {{u"export"_s, 'w'}, {u"string"_s, 'w'}, {u"${1}"_s, 'v'}, {u"// c"_s, 'c'}}},
      {u"java"_s, u"public class Foo { int a = 1; }"_s, {{u"public"_s, 'w'}, {u"Foo"_s, 'n'}, {u"1;"_s, 'v'}}},
      {u"go"_s, u"func main() { s := `a\n// b` }"_s, {{u"func"_s, 'w'}, {u"main"_s, 'n'}, {u"// b"_s, 'v'}}},
      {u"rust"_s, u"fn f<'a>(x: &'a str) -> u32 { let y = 1; }"_s, {{u"fn"_s, 'w'}, {u"str"_s, 'w'}, {u"let"_s, 'w'}, {u"1;"_s, 'v'}}},
      {u"c#"_s, u"using var x = @\"a\\\"; // d"_s, {{u"using"_s, 'w'}, {u"@\"a"_s, 'v'}, {u"// d"_s, 'c'}}},
      {u"bash"_s, u"if [ $# -gt 1 ]; then echo 'a # b' # c\nfi"_s, {{u"if"_s, 'w'}, {u"-gt"_s, '.'}, {u"# b"_s, 'v'}, {u"# c"_s, 'c'}, {u"fi"_s, 'w'}}},
      {u"sql"_s, u"SELECT Name from t where n = 'it''s' -- c"_s, {{u"SELECT"_s, 'w'}, {u"from"_s, 'w'}, {u"'it"_s, 'v'}, {u"-- c"_s, 'c'}}},
      {u"json"_s, u"{\"key\": \"value\", \"n\": 1.5, \"t\": true}"_s, {{u"\"key\""_s, 'n'}, {u"\"value\""_s, 'v'}, {u"1.5"_s, 'v'}, {u"true"_s, 'w'}}},
      {u"yaml"_s, u"name: \"x\" # c\nlist:\n  - on"_s, {{u"name"_s, 'n'}, {u"\"x\""_s, 'v'}, {u"# c"_s, 'c'}, {u"on"_s, 'w'}}},
      {u"html"_s, u"<a href=\"x>y\"\n title='t'>word &amp; if</a><!-- c\nd -->"_s, {{u"<a"_s, 'w'}, {u"href"_s, 'n'}, {u"x>y"_s, 'v'}, {u"title"_s, 'n'}, {u"word"_s, '.'}, {u"&amp;"_s, 'v'}, {u"d -->"_s, 'c'}}},
      {u"css"_s, u".a { color: #fff; /* c */ margin: 0 auto }\n@media print {}"_s, {{u"color"_s, 'w'}, {u"#fff"_s, 'v'}, {u"/* c"_s, 'c'}, {u"auto"_s, 'w'}, {u"@media"_s, 'n'}}},
      {u"text"_s, u"if this // is \"prose\" 5"_s, {{u"if"_s, '.'}, {u"//"_s, '.'}, {u"\"prose"_s, '.'}}},
      {u"somethingelse"_s, u"x = \"s\" // c"_s, {{u"\"s\""_s, 'v'}, {u"// c"_s, 'c'}}},
  };
  for (const Case& each : cases) {
    for (const auto& [piece, kind] : each.pieces) {
      EXPECT_EQ(kindOf(each.language, each.code, piece), kind) << each.language.toStdString() << ": " << piece.toStdString();
    }
  }
}

TEST(CodeHighlighterTest, NamesOfLanguagesAreUniqueAndLowerCase) {
  QSet<QString> seen;
  for (const CodeLanguage& language : codeLanguages()) {
    EXPECT_FALSE(language.names.isEmpty());
    for (const QString& name : language.names) {
      EXPECT_EQ(name, name.toLower());
      EXPECT_FALSE(seen.contains(name)) << name.toStdString();
      seen.insert(name);
    }
  }
}

TEST(CodeHighlighterTest, AnythingIsColouredWithoutHarm) {
  for (const CodeLanguage& language : codeLanguages()) {
    for (const QString& code : {u"\"'`/*<!--#@$\\"_s, u"\\"_s, QString(20'000, u'<'), QString(20'000, u'"'), u"'''\n\"\"\"\n```"_s, QString(QChar(0xD800))}) {
      QTextDocument document(code);
      CodeHighlighter highlighter(&document, language.names.front());
      highlighter.rehighlight();
    }
  }
}

}  // namespace
}  // namespace hearth::ui
