// What every page must keep in both languages, both themes and two sizes: nothing cut off, nothing untranslated, contrast.

#include <gtest/gtest.h>

#include <QAbstractButton>
#include <QComboBox>
#include <QLabel>
#include <QPlainTextEdit>
#include <QRegularExpression>
#include <QTextDocument>
#include <QToolButton>

#include "hub_scene.h"
#include "scenes.h"
#include "ui/desktop/chat/message_widget.h"
#include "ui/desktop/chat/chat_page.h"
#include "ui/desktop/chat/markdown_view.h"
#include "ui/desktop/common/error_text.h"
#include "ui/desktop/common/widgets.h"
#include "ui/desktop/server/rows_model.h"
#include "ui/desktop/server/server_page.h"
#include "ui/desktop/library/catalogue_card.h"
#include "ui/desktop/library/discover_view.h"
#include "ui/desktop/library/first_run_view.h"
#include "ui/desktop/library/fit_view.h"
#include "ui/desktop/library/models_page.h"
#include "ui/desktop/library/repository_card.h"

namespace hearth::test {
namespace {

using namespace Qt::StringLiterals;

/// The pages, then the server's page with each of its panels while it is shared.
constexpr int kViews = 5 + static_cast<int>(ui::ServerPage::Panel::Audit) + 1;

TEST(ThemeTest, TextIsReadableOnEveryBackground) {
  for (const ui::Theme* theme : {&ui::Theme::light(), &ui::Theme::dark_()}) {
    const std::pair<const char*, QColor> grounds[] = {
        {"window", theme->window}, {"rail", theme->rail}, {"card", theme->card}};
    const std::pair<const char*, QColor> inks[] = {
        {"text", theme->text},     {"muted", theme->muted},     {"accent", theme->accent},
        {"good", theme->good},     {"warn", theme->warn},       {"bad", theme->bad},
        {"word", theme->codeWord}, {"value", theme->codeValue}, {"comment", theme->codeComment}, {"name", theme->codeName}};
    for (const auto& [ground, back] : grounds) {
      for (const auto& [ink, front] : inks) {
        EXPECT_GE(ui::contrastRatio(front, back), 4.5) << (theme->dark ? "dark " : "light ") << ink << " on " << ground;
      }
    }
    EXPECT_GE(ui::contrastRatio(theme->onAccent, theme->accent), 4.5) << theme->dark;
    EXPECT_GE(ui::contrastRatio(theme->accent, theme->accentSoft), 4.5) << theme->dark;
    EXPECT_GE(ui::contrastRatio(theme->text, theme->accentSoft), 4.5) << theme->dark;
    EXPECT_GE(ui::contrastRatio(theme->text, theme->hover), 4.5) << theme->dark;
    for (const QColor& line : {theme->seriesA, theme->seriesB, theme->seriesC, theme->seriesOther}) {
      EXPECT_GE(ui::contrastRatio(line, theme->card), 3.0) << line.name().toStdString();
    }
  }
  EXPECT_EQ(ui::Theme::light().accent, QColor(0xC2, 0x41, 0x0C));
  EXPECT_EQ(ui::Theme::dark_().accent, QColor(0xFB, 0x92, 0x3C));
}

TEST(ThemeTest, ContrastIsThatOfTheStandard) {
  EXPECT_NEAR(ui::contrastRatio(Qt::black, Qt::white), 21.0, 0.01);
  EXPECT_NEAR(ui::contrastRatio(QColor(0x77, 0x77, 0x77), Qt::white), 4.48, 0.01);
}

/// What a user reads in a widget, without what users or models wrote.
QStringList readableTexts(QWidget* widget) {
  if (qobject_cast<ui::MarkdownView*>(widget->parentWidget())) return {};
  QStringList texts{widget->toolTip(), widget->accessibleName()};
  if (const auto* label = qobject_cast<ui::ElidedLabel*>(widget)) {
    texts << label->fullText();
  } else if (const auto* plain = qobject_cast<QLabel*>(widget)) {
    QTextDocument document;
    if (Qt::mightBeRichText(plain->text())) {
      document.setHtml(plain->text());
    } else {
      document.setPlainText(plain->text());
    }
    texts << document.toPlainText();
  } else if (const auto* button = qobject_cast<QAbstractButton*>(widget)) {
    texts << button->text();
  } else if (const auto* box = qobject_cast<QComboBox*>(widget)) {
    for (int i = 0; i < box->count(); ++i) texts << box->itemText(i);
  } else if (const auto* editor = qobject_cast<QPlainTextEdit*>(widget)) {
    texts << editor->placeholderText();
  } else if (const auto* table = qobject_cast<QTableView*>(widget)) {
    for (int i = 0; i < table->model()->columnCount(); ++i) texts << table->model()->headerData(i, Qt::Horizontal).toString();
  }
  return texts;
}

/// Latin words that remain in Chinese on purpose: names, units, identifiers.
QString withoutNames(QString text) {
  static const QRegularExpression keep(
      u"https?://\\S+|libnvidia-ml.*|Split the .*first\\?|/[\\w./-]+|[\\w.+-]*\\d[\\w.+-]*|\\b(huggingface\\.co|modelscope\\.cn|registry\\.ollama\\.ai|Hugging Face|ModelScope|Access Tokens|Settings|Hearth|OpenAI|GGUF|Python|curl|token|tokens|CPU|GPU|NVIDIA|KV|kB|MB|GB|TB|Ctrl|Shift|Esc|cpp|"
      u"Top-p|Top-k|Min-p|English|tok/s|qwen|gemma|Instruct|Coder|Gemma|GeForce|RTX|W|C|B|M|k|s|h|N|Q_K_M|data-dir|model_not_found|Refactor scheduler|Ollama|Anthropic|Continue|Open WebUI|SHA|ufw|sudo|allow|tcp|maple|Hearth on maple|API|JSON|backend|design|hearth-ca.pem|hk_)\\b"_s);
  return text.remove(keep);
}

TEST(LanguageTest, SwitchingRetranslatesEveryVisibleText) {
  static const QRegularExpression english(u"[A-Za-z]{3,}"_s);
  Desktop desktop;
  furnish(desktop, false);
  desktop.preferences.setLastModel(u"qwen2.5-coder-1.5b-instruct-q4_k_m"_s);
  desktop.show();
  enliven(desktop, false);
  desktop.window->chat()->setParametersVisible(true);
  for (int page = 0; page < 5; ++page) desktop.window->showPage(static_cast<ui::Page>(page));
  desktop.language.setLanguage(u"zh_CN"_s);
  int seen = 0;
  for (int page = 0; page < kViews; ++page) {
    if (page == 5) share(desktop);
    desktop.window->showPage(page >= 5 ? ui::Page::Server : static_cast<ui::Page>(page));
    if (page >= 5) desktop.window->server()->showPanel(static_cast<ui::ServerPage::Panel>(page - 5));
    QTest::qWait(page < 5 ? 50 : 200);
    for (QWidget* widget : desktop.window->findChildren<QWidget*>()) {
      if (!widget->isVisible() || widget->objectName() == "qt_spinbox_lineedit"_L1) continue;
      for (const QString& text : readableTexts(widget)) {
        seen += !text.isEmpty();
        // Read aloud, a message is who wrote it and then its text, which nobody translates.
        const bool message = qobject_cast<ui::MessageWidget*>(widget) != nullptr;
        const auto match = english.match(withoutNames(message ? text.section(u'：', 0, 0) : text));
        EXPECT_FALSE(match.hasMatch()) << "page " << page << ", " << widget->metaObject()->className() << ": \""
                                       << text.toStdString() << "\" (" << match.captured().toStdString() << ")";
      }
    }
  }
  EXPECT_GT(seen, 150);
  desktop.language.setLanguage(u"en"_s);
  const auto* rail = desktop.window->findChild<QToolButton*>();
  EXPECT_TRUE(waitUntil([rail] { return rail->text() == "Chat"_L1; })) << rail->text().toStdString();
}

TEST(LanguageTest, EveryErrorCodeHasASentenceAndMostAFix) {
  int fixes = 0;
  for (int code = 0; code <= static_cast<int>(ErrorCode::ModelNotLoaded); ++code) {
    const ui::ErrorText text = ui::errorText(Error{static_cast<ErrorCode>(code), "m", {}});
    EXPECT_FALSE(text.cause.isEmpty()) << code;
    fixes += !text.fix.isEmpty();
  }
  EXPECT_GE(fixes, static_cast<int>(ErrorCode::ModelNotLoaded) - 1);
}

struct Case {
  int width, height;
  const char* language;
};

/// Every visible text of the window has the room that it needs.
void expectNothingCutOff(Desktop& desktop, QSize size, const std::string& where) {
  EXPECT_EQ(desktop.window->size(), size) << where << " forces the window to grow";
  for (QWidget* widget : desktop.window->findChildren<QWidget*>()) {
    if (!widget->isVisible()) continue;
    const auto* button = qobject_cast<QAbstractButton*>(widget);
    const auto* label = qobject_cast<QLabel*>(widget);
    if ((!button || button->text().isEmpty()) && (!label || label->text().isEmpty())) continue;
    const std::string what = (button ? button->text() : label->text()).toStdString() + " on " + where;
    if (const auto* elided = qobject_cast<ui::ElidedLabel*>(widget)) {
      EXPECT_TRUE(elided->text() == elided->fullText() || elided->toolTip() == elided->fullText()) << what;
      continue;
    }
    if (label && label->wordWrap()) {
      EXPECT_GE(label->height() + 1, label->heightForWidth(label->width())) << what;
      continue;
    }
    if (qobject_cast<QToolButton*>(widget)) {
      EXPECT_GE(widget->width(), widget->fontMetrics().horizontalAdvance(button->text())) << what;
      continue;
    }
    EXPECT_GE(widget->width() + 1, widget->sizeHint().width()) << what;
    EXPECT_GE(widget->height() + 1, widget->sizeHint().height()) << what;
  }
}

class FitTest : public testing::TestWithParam<Case> {};

TEST_P(FitTest, NoTextIsCutOff) {
  Desktop desktop;
  desktop.language.setLanguage(QLatin1StringView(GetParam().language));
  furnish(desktop, true);
  desktop.preferences.setLastModel(u"qwen2.5-coder-1.5b-instruct-q4_k_m"_s);
  desktop.show(GetParam().width, GetParam().height);
  enliven(desktop, true);
  const QSize size(GetParam().width, GetParam().height);
  for (int page = 0; page < kViews; ++page) {
    if (page == 5) share(desktop);  // from here on the server's page with all that a team needs
    desktop.window->showPage(page >= 5 ? ui::Page::Server : static_cast<ui::Page>(page));
    if (page >= 5) desktop.window->server()->showPanel(static_cast<ui::ServerPage::Panel>(page - 5));
    QTest::qWait(page < 5 ? 80 : 200);
    expectNothingCutOff(desktop, size, "page " + std::to_string(page));
  }
}

TEST_P(FitTest, NoTextOfTheWayToAModelIsCutOff) {
  const QSize size(GetParam().width, GetParam().height);
  {
    Desktop desktop;
    HubScene hub(desktop);
    hub.found("qwen");
    desktop.language.setLanguage(QLatin1StringView(GetParam().language));
    desktop.host.m_downloads = std::make_unique<FakeDownloads>();
    static_cast<FakeDownloads&>(*desktop.host.m_downloads).set(downloadsOfEachKind());
    furnish(desktop, false);
    desktop.show(size.width(), size.height());
    desktop.window->showPage(ui::Page::Models);
    ui::ModelsPage* page = desktop.window->models();
    page->showTab(ui::ModelsPage::Tab::Discover);
    ASSERT_TRUE(waitUntil([&] { return page->discover()->catalogueCards().size() == catalogue().size(); }));
    for (ui::CatalogueCard* card : page->discover()->catalogueCards()) card->fitBadge()->setChecked(true);
    QTest::qWait(400);
    expectNothingCutOff(desktop, size, "the catalogue");
    page->discover()->searchFor(u"qwen"_s);
    ASSERT_TRUE(waitUntil([&] { return page->discover()->results().size() == 3; }));
    for (ui::RepositoryCard* card : page->discover()->results()) {
      card->open();
      ASSERT_TRUE(waitUntil([&] { return !card->rows().empty(); }));
      for (const auto& row : card->rows()) row.fit->setChecked(true);
    }
    QTest::qWait(80);
    expectNothingCutOff(desktop, size, "the results");
    page->showTab(ui::ModelsPage::Tab::Downloads);
    QTest::qWait(80);
    expectNothingCutOff(desktop, size, "the downloads");
  }
  Desktop desktop;
  placeOtherModels(desktop);
  desktop.language.setLanguage(QLatin1StringView(GetParam().language));
  desktop.show(size.width(), size.height());
  desktop.window->showPage(ui::Page::Models);
  ASSERT_TRUE(waitUntil([&] {
    return desktop.window->models()->firstRun()->cards().size() == 3 &&
           desktop.window->models()->firstRun()->folders().size() == 2;
  }));
  QTest::qWait(80);
  expectNothingCutOff(desktop, size, "the first run");
}

INSTANTIATE_TEST_SUITE_P(Sizes, FitTest,
                         testing::Values(Case{860, 560, "en"}, Case{860, 560, "zh_CN"}, Case{1024, 700, "en"}, Case{1024, 700, "zh_CN"}, Case{1280, 800, "en"}, Case{1280, 800, "zh_CN"}),
                         [](const auto& each) { return std::string(each.param.language) + "_" + std::to_string(each.param.width); });

}  // namespace
}  // namespace hearth::test
