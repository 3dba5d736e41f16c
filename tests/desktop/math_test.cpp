#include <gtest/gtest.h>

#include <QApplication>
#include <QClipboard>
#include <QImage>
#include <QMimeData>
#include <QPainter>
#include <QTextBlock>

#include "ui/desktop/chat/markdown_view.h"
#include "ui/desktop/chat/math/formula.h"
#include "ui/desktop/chat/math/parser.h"
#include "ui/desktop/chat/math/symbols.h"
#include "ui/desktop/chat/math/typesetter.h"
#include "ui/desktop/chat/math_spans.h"
#include "ui/desktop/chat/text_block.h"

namespace hearth::ui {
namespace {

using namespace Qt::StringLiterals;

std::vector<QString> formulasIn(const QString& text) {
  std::vector<QString> found;
  for (const MathSpan& span : findMath(text).spans) {
    if (span.formula) found.push_back(span.source);
  }
  return found;
}

QString htmlOf(const QString& source) {
  QString all;
  for (const MarkdownBlock& block : parseMarkdown(source)) all += block.html + block.code;
  return all;
}

TEST(MathSpansTest, FormulasAreFoundByTheirMarks) {
  EXPECT_EQ(formulasIn(u"so $x^2$ and \\(y_1\\), then $$\\sum_i i$$ and \\[ z = 1 \\]"_s), (std::vector<QString>{u"x^2"_s, u"y_1"_s, u"\\sum_i i"_s, u"z = 1"_s}));
  EXPECT_EQ(formulasIn(u"\\begin{pmatrix} 1 & 0 \\\\ 0 & 1 \\end{pmatrix}"_s).size(), 1U);
  EXPECT_EQ(formulasIn(u"$n$ 个样本，均值 $\\bar{x}$。"_s).size(), 2U);
  EXPECT_TRUE(findMath(u"$$\nx\n$$"_s).spans.front().display);
  EXPECT_FALSE(findMath(u"$x$"_s).spans.front().display);
}

TEST(MathSpansTest, MoneyAndShellAndCodeAreNone) {
  for (const QString& text : {u"$5 and $6"_s, u"from $5 to $6."_s, u"it costs $5, or US$7"_s, u"between $1,000 and $2,000"_s, u"$5-$6"_s, u"a price of $10 (was $12) today"_s,
                              u"$HOME and $PATH"_s, u"echo $a $b"_s, u"`$x$`"_s, u"```\n$x^2$\n```"_s, u"``a ` $x$``"_s, u"~~~\n\\(x\\)\n~~~"_s, u"\\$x\\$"_s,
                              u"pay $20 now and 30$ later"_s, u"$ x $"_s, u"a lone $ sign"_s, u"$$"_s, u"$"_s, u"$5 to the bank and 6$"_s}) {
    EXPECT_TRUE(formulasIn(text).empty()) << text.toStdString();
    EXPECT_EQ(withoutMarks(findMath(text).text, findMath(text).spans), text);
  }
}

TEST(MathSpansTest, WhatIsTakenOutComesBackAsItWas) {
  for (const QString& text : {u"a $x_1$ b \\(c\\) d"_s, u"$\\unknowncommand{x}$"_s, u"$$a$$ $$b$$"_s, u"\\[ open"_s}) {
    const MathText found = findMath(text);
    EXPECT_EQ(withoutMarks(found.text, found.spans), text) << text.toStdString();
  }
}

TEST(MathSpansTest, WhatIsNotKnownIsShownAsItWasWritten) {
  const QString unknown = htmlOf(u"see $\\frobnicate{x_1}{y_2}*a*$ here"_s);
  EXPECT_TRUE(unknown.contains("$\\frobnicate{x_1}{y_2}*a*$"_L1)) << unknown.toStdString();
  EXPECT_FALSE(unknown.contains("<i>"_L1));
  // While it grows: not closed yet, and not eaten by Markdown.
  for (const QString& open : {u"then \\(a_1 + b_1*c*"_s, u"then\n\n\\[ \\frac{a_1}{b_1*c*d*"_s, u"so\n\n$$\n\\sum_{i} a_i*b*"_s, u"\\begin{aligned} a_1 &= b*c*"_s}) {
    const QString html = htmlOf(open);
    EXPECT_FALSE(html.contains("<i>"_L1)) << html.toStdString();
    EXPECT_FALSE(html.contains("<em>"_L1));
    EXPECT_TRUE(html.contains(u'\\') || html.contains("$$"_L1)) << "the marks stay: " << html.toStdString();
  }
  const QString code = htmlOf(u"```tex\n$x^2$ and \\(y\\)\n```\n\nand `\\[z\\]` [a](http://x/$b$)"_s);
  EXPECT_TRUE(code.contains("$x^2$ and \\(y\\)"_L1)) << code.toStdString();
  EXPECT_TRUE(code.contains("\\[z\\]"_L1)) << code.toStdString();
  EXPECT_FALSE(code.contains(kMathMark));
}

TEST(MathParserTest, TheCommonSubsetIsKnown) {
  for (const QString& source :
       {u"\\frac{a}{b}"_s, u"\\sqrt[3]{x+1}"_s, u"x_{i}^{2}"_s, u"x^2_i"_s, u"f''(x)"_s, u"\\sum_{i=0}^{n} i"_s, u"\\int_0^\\infty e^{-x^2}\\,dx"_s, u"\\lim_{x \\to 0} \\frac{\\sin x}{x} = 1"_s,
        u"\\left( \\frac{a}{b} \\right]"_s, u"\\left\\{ x \\middle| x > 0 \\right\\}"_s, u"\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}"_s, u"\\begin{cases} x & x > 0 \\\\ -x & \\text{otherwise} \\end{cases}"_s,
        u"\\begin{aligned} a &= b + c \\\\ &= d \\end{aligned}"_s, u"\\begin{array}{c|r} 1 & 2 \\\\ \\hline 3 & 4 \\end{array}"_s, u"\\hat{x} \\vec{v} \\bar{y} \\tilde{z} \\dot{q} \\ddot{q} \\widehat{abc}"_s,
        u"\\mathbb{R}^n \\to \\mathcal{L}"_s, u"\\mathbf{A}\\boldsymbol{\\alpha}"_s, u"\\operatorname{softmax}(z)_i"_s, u"\\underbrace{a+b}_{n} \\overbrace{c}^{m}"_s, u"\\binom{n}{k}"_s, u"a \\equiv b \\pmod{n}"_s,
        u"\\overset{!}{=}"_s, u"\\xrightarrow{f}"_s, u"\\boxed{E = mc^2}"_s, u"P(A \\mid B) = \\frac{P(B \\mid A)\\,P(A)}{P(B)}"_s, u"\\Big( x \\Big)"_s, u"\\nabla \\times \\mathbf{E} = -\\frac{\\partial \\mathbf{B}}{\\partial t}"_s,
        u"\\displaystyle\\sum_{k} k"_s, u"\\not= \\quad \\%"_s, u"\\prod\\limits_{i<j} (x_i - x_j)"_s, u"\\substack{a \\\\ b}"_s, u"{n \\choose k}"_s, u"H_2O"_s, u"\\text{速度} = 5\\,\\mathrm{m/s}"_s, u"\\arg\\max_\\theta"_s, u"a'b"_s, u"^{14}C"_s}) {
    EXPECT_TRUE(math::parse(source)) << source.toStdString();
  }
}

TEST(MathParserTest, WhatItDoesNotKnowItLeaves) {
  for (const QString& source : {u"\\frobnicate"_s, u"\\frac{a}"_s, u"{a"_s, u"a}"_s, u"\\left( a"_s, u"\\right)"_s, u"x^a^b"_s, u"\\begin{foo}a\\end{foo}"_s, u"\\begin{matrix}a"_s, u"a & b"_s, u"\\sqrt["_s, u"_"_s, u"\\"_s,
                                u""_s, u"  "_s, u"\\text{$x$}"_s, u"\\def\\a{\\a}\\a"_s, u"#1"_s}) {
    EXPECT_FALSE(math::parse(source)) << source.toStdString();
  }
}

TEST(MathParserTest, HostileInputEndsSoon) {
  EXPECT_FALSE(math::parse(QString(5'000, u'{')));
  EXPECT_FALSE(math::parse(QString(2'000, u'^')));
  QString deep;
  for (int i = 0; i < 500; ++i) deep += u"\\frac{"_s;
  EXPECT_FALSE(math::parse(deep));
  EXPECT_FALSE(math::parse(QString(100'000, u'x')));
  EXPECT_FALSE(math::parse(QString(QChar(0xD800)) + u'{'));
  QString nested = u"x"_s;
  for (int i = 0; i < 60; ++i) nested = u"\\sqrt{"_s + nested + u'}';
  EXPECT_FALSE(math::parse(nested));
  EXPECT_TRUE(findMath(QString(50'000, u'$')).spans.empty());
  QString many;
  for (int i = 0; i < 3'000; ++i) many += u"\\( x "_s;
  EXPECT_NO_FATAL_FAILURE((void)findMath(many));
}

TEST(MathTypesetterTest, SizesFollowTheContent) {
  const auto size = [](const QString& source, bool display = false) {
    const auto picture = math::typeset(source, 16, display);
    EXPECT_TRUE(picture) << source.toStdString();
    return picture ? QSizeF(picture->width, picture->height()) : QSizeF();
  };
  EXPECT_GT(size(u"\\frac{a}{b}"_s).height(), size(u"a"_s).height() * 1.4);
  EXPECT_GT(size(u"\\frac{a}{b}"_s, true).height(), size(u"\\frac{a}{b}"_s).height());
  EXPECT_GT(size(u"\\sum_{i=0}^{n}"_s, true).height(), size(u"\\sum_{i=0}^{n}"_s).height()) << "limits over and under it in a display";
  EXPECT_LT(size(u"\\sum_{i=0}^{n}"_s, true).width(), size(u"\\sum_{i=0}^{n}"_s).width());
  EXPECT_GT(size(u"\\left( \\frac{\\frac{a}{b}}{c} \\right)"_s).height(), size(u"(a)"_s).height() * 1.5);
  EXPECT_GT(size(u"\\begin{pmatrix}1\\\\2\\\\3\\end{pmatrix}"_s).height(), 3 * 14);
  EXPECT_GT(size(u"a + b"_s).width(), size(u"a{+}b"_s).width()) << "room around an operator, none inside braces";
  EXPECT_EQ(size(u"-a"_s).width() < size(u"b-a"_s).width() - size(u"b"_s).width(), true) << "a sign is no operator";
  EXPECT_NEAR(size(u"x^2"_s).width() * 2, [] { return math::typeset(u"x^2"_s, 32, false)->width; }(), 4) << "twice the size is twice the picture";
  const auto fraction = math::typeset(u"\\frac{1}{2}"_s, 16, true);
  EXPECT_GT(fraction->descent, 4) << "it reaches below the baseline";
}

TEST(MathTypesetterTest, NothingIsDrawnOutsideItsSize) {
  for (const QString& source : {u"\\frac{-b \\pm \\sqrt{b^2-4ac}}{2a}"_s, u"\\left\\{\\begin{matrix}a\\\\b\\\\c\\end{matrix}\\right."_s, u"\\sqrt[3]{\\frac{a}{b}}"_s, u"\\int_0^1 f"_s, u"\\underbrace{x+y+z}_{3}"_s,
                                u"\\vec{v}\\hat{H}\\overline{ab}"_s, u"\\left\\langle \\frac{a}{b} \\right\\rangle"_s, u"\\prod_{i=1}^n"_s, u"f_j"_s}) {
    const auto picture = math::typeset(source, 40, true);
    ASSERT_TRUE(picture);
    constexpr int kEdge = 60;
    QImage image(static_cast<int>(picture->width) + 2 * kEdge, static_cast<int>(picture->height()) + 2 * kEdge, QImage::Format_RGB32);
    image.fill(Qt::white);
    QPainter painter(&image);
    picture->paint(painter, {kEdge, kEdge + picture->ascent}, Qt::black);
    painter.end();
    QRect ink;
    for (int y = 0; y < image.height(); ++y) {
      for (int x = 0; x < image.width(); ++x) {
        if (qGray(image.pixel(x, y)) < 128) ink |= QRect(x, y, 1, 1);
      }
    }
    ASSERT_FALSE(ink.isNull()) << source.toStdString();
    EXPECT_GE(ink.left(), kEdge - 6) << source.toStdString();
    EXPECT_LE(ink.right(), kEdge + picture->width + 6) << source.toStdString();
    EXPECT_GE(ink.top(), kEdge - 4) << source.toStdString();
    EXPECT_LE(ink.bottom(), kEdge + picture->height() + 4) << source.toStdString();
  }
}

TEST(MathInTextTest, AFormulaStandsOnTheLineAndIsCopiedAsItWasWritten) {
  MarkdownView view;
  view.resize(600, 200);
  view.setMarkdown(u"Before $\\frac{a}{b}$ after."_s);
  view.show();
  auto* text = qobject_cast<TextBlock*>(view.blockWidget(0));
  ASSERT_NE(text, nullptr);
  EXPECT_EQ(text->document()->characterCount(), 16) << "the formula is one character";
  const QTextLine line = text->document()->begin().layout()->lineAt(0);
  const auto picture = math::typeset(u"\\frac{a}{b}"_s, 15, false);
  EXPECT_GE(line.height(), picture->height());
  text->selectAll();
  text->copy();
  EXPECT_EQ(QApplication::clipboard()->text(), u"Before $\\frac{a}{b}$ after."_s);
}

TEST(MathInTextTest, ADisplayIsAParagraphOfItsOwnInTheMiddle) {
  const auto blocks = parseMarkdown(u"We have\n\\[\nx = \\frac{1}{2}\n\\]\nand so on."_s);
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_TRUE(blocks[1].html.contains("align=\"center\""_L1)) << blocks[1].html.toStdString();
  ASSERT_EQ(blocks[1].math.size(), 1U);
  EXPECT_TRUE(blocks[1].math[0].display);
  const auto list = parseMarkdown(u"- first $x$\n- second\n\n  $$y$$\n\n| a | b |\n|---|---|\n| $|x|$ | $y_1$ |"_s);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].math.size(), 2U);
  EXPECT_EQ(list[1].math.size(), 2U) << "the bars of an absolute value end no cell";
}

TEST(MathSymbolsTest, EachNameHasItsOwnSign) {
  const std::pair<const char*, QString> some[] = {{"alpha", u"α"_s}, {"omega", u"ω"_s}, {"leq", u"≤"_s}, {"neq", u"≠"_s}, {"infty", u"∞"_s}, {"to", u"→"_s}, {"implies", u"⟹"_s}, {"oint", u"∮"_s},
                                                  {"subseteq", u"⊆"_s}, {"otimes", u"⊗"_s}, {"rangle", u"⟩"_s}, {"hbar", u"ℏ"_s}, {"cdots", u"⋯"_s}, {"owns", u"∋"_s}, {"multimap", u"⊸"_s}, {"veebar", u"⊻"_s}};
  for (const auto& [name, sign] : some) EXPECT_EQ(math::symbolNamed(QString::fromLatin1(name)).value_or(math::Symbol{}).text, sign) << name;
  EXPECT_EQ(math::inAlphabet(u"mathbb"_s, u"Rk1"_s), QString::fromUcs4(U"ℝ\U0001D55C\U0001D7D9"));
}

}  // namespace
}  // namespace hearth::ui
