#include <gtest/gtest.h>

#include <QAccessible>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QTextEdit>
#include <QWheelEvent>

#include "desktop_fixture.h"
#include "gui_watchdog.h"
#include "ui/desktop/chat/chat_page.h"
#include "ui/desktop/chat/composer.h"
#include "ui/desktop/chat/find_bar.h"
#include "ui/desktop/chat/markdown_view.h"
#include "ui/desktop/chat/message_widget.h"
#include "ui/desktop/chat/text_block.h"
#include "ui/desktop/chat/transcript_view.h"

namespace hearth::test {
namespace {

using namespace Qt::StringLiterals;

constexpr int kMany = 10'000;
/// What nobody notices: three frames.
constexpr double kMostGap = 50;

TEST(TranscriptLayoutTest, SumsFollowTheHeights) {
  ui::TranscriptLayout layout;
  EXPECT_EQ(layout.total(), 2 * ui::TranscriptLayout::kMargin);
  layout.resize(1000);
  for (std::size_t i = 0; i < 1000; ++i) layout.setEstimate(i, 100);
  EXPECT_EQ(layout.top(10), ui::TranscriptLayout::kMargin + 1000);
  EXPECT_FALSE(layout.measured(3));
  layout.setMeasured(3, 250);
  EXPECT_TRUE(layout.measured(3));
  EXPECT_EQ(layout.top(3), ui::TranscriptLayout::kMargin + 300);
  EXPECT_EQ(layout.top(10), ui::TranscriptLayout::kMargin + 1150);
  EXPECT_EQ(layout.total(), 2 * ui::TranscriptLayout::kMargin + 100'150);
  EXPECT_EQ(layout.indexAt(-5), 0U);
  EXPECT_EQ(layout.indexAt(layout.top(7)), 7U);
  EXPECT_EQ(layout.indexAt(layout.top(7) - 1), 6U);
  EXPECT_EQ(layout.indexAt(1'000'000), 999U);
  layout.resize(4);
  EXPECT_EQ(layout.total(), 2 * ui::TranscriptLayout::kMargin + 550);
  layout.resize(6);
  EXPECT_FALSE(layout.measured(5)) << "a new message does not inherit what stood there";
  EXPECT_EQ(layout.height(5), 0);
}

class TranscriptTest : public testing::Test {
 protected:
  void SetUp() override {
    desktop.addModel();
    desktop.show();
    page = desktop.window->chat();
    view = page->transcript();
    ASSERT_TRUE(waitUntil([this] { return !page->controller().model().isEmpty(); }));
  }
  ConversationId fill(int count) {
    const Conversation chat = *desktop.host.store().createConversation("long", "");
    Message message;
    message.conversation = chat.id;
    for (int i = 0; i < count; ++i) {
      message.role = i % 2 == 0 ? Role::User : Role::Assistant;
      message.text = i % 2 == 0 ? "question " + std::to_string(i) + " about the scheduler"
                                : "Answer " + std::to_string(i) + ": **admission** comes first, then fairness, then the rest of the step.\n\n" +
                                      (i % 3 == 0 ? "```cpp\nint answer" + std::to_string(i) + " = plan(" + std::to_string(i) + ");  // a line\n```\n\n" : "") +
                                      (i % 5 == 0 ? "| case | pages |\n|---|---:|\n| fits | 6 |\n| does not | 200 |\n\n" : "") +
                                      "- one thing\n- another `thing`\n\nAnd a last paragraph, long enough that it takes more than one line of the column in which it stands, as they do.";
      message.parent = desktop.host.store().addMessage(message)->id;
    }
    return chat.id;
  }
  void open(ConversationId chat) {
    page->controller().open(chat);
    ASSERT_TRUE(waitUntil([&] { return page->controller().conversation().id == chat && !view->messages().empty(); }));
  }
  /// One turn of the wheel after the other, as the event loop comes to it. `notches` < 0 goes down.
  void wheel(int notches, int times) {
    for (int i = 0; i < times; ++i) {
      const QPointF at(200, 200);
      QCoreApplication::postEvent(view->viewport(), new QWheelEvent(at, view->viewport()->mapToGlobal(at), {}, {0, 120 * notches}, Qt::NoButton,
                                                                    Qt::NoModifier, Qt::NoScrollPhase, false));
      QTest::qWait(1);
    }
  }
  [[nodiscard]] QScrollBar* bar() const { return view->verticalScrollBar(); }
  [[nodiscard]] ui::MessageWidget* at(int y) const {
    for (ui::MessageWidget* each : view->messages()) {
      if (each->y() <= y && y < each->y() + each->height() + 20) return each;
    }
    return nullptr;
  }

  Desktop desktop;
  ui::ChatPage* page = nullptr;
  ui::TranscriptView* view = nullptr;
};

TEST_F(TranscriptTest, TenThousandMessagesOpenAtOnceAndScrollSmoothly) {
  const ConversationId chat = fill(kMany);
  GuiWatchdog watchdog;
  QTest::qWait(30);
  watchdog.reset();
  page->controller().open(chat);
  ASSERT_TRUE(waitUntil([&] { return !view->messages().empty(); }));
  QTest::qWait(50);
  std::printf("longest gap while opening %d messages: %.1f ms\n", kMany, watchdog.longestGap());
  EXPECT_LT(watchdog.longestGap(), 100) << "from the store's answer to the drawn transcript";
  EXPECT_EQ(bar()->value(), bar()->maximum());
  EXPECT_GT(bar()->maximum(), kMany * 60);

  std::size_t most = 0;
  watchdog.reset();
  wheel(+3, 120);  // up, three notches at a time
  EXPECT_LT(bar()->value(), bar()->maximum());
  for (int i = 0; i <= 40; ++i) {  // and in leaps through all of it
    QMetaObject::invokeMethod(view, [this, i] { bar()->setValue(static_cast<int>(static_cast<qint64>(bar()->maximum()) * i / 40)); }, Qt::QueuedConnection);
    QTest::qWait(15);
    most = std::max(most, view->widgetCount());
  }
  const double gap = watchdog.longestGap();
  std::printf("longest gap while scrolling: %.1f ms over %d turns, at most %zu widgets\n", gap, watchdog.turns(), most);
  EXPECT_GT(watchdog.turns(), 100);
  EXPECT_LT(gap, kMostGap);
  EXPECT_LT(most, 60U);
  EXPECT_FALSE(view->messages().empty());
}

TEST_F(TranscriptTest, AReplyThatStreamsIntoALongChatHoldsNothingUp) {
  open(fill(kMany));
  page->composer()->setText(u"One more"_s);
  QTest::keyClick(page->composer()->editor(), Qt::Key_Return);
  ASSERT_TRUE(waitUntil([&] { return desktop.host.chat().count() == 1 && page->controller().items().size() == kMany + 2; }));
  const auto reply = desktop.host.chat().last();
  reply->started(12'000, 32'768);
  QTest::qWait(50);
  GuiWatchdog watchdog;
  QTest::qWait(20);
  watchdog.reset();
  std::jthread writer([&reply] {  // 200 tokens a second, as an engine's thread gives them out
    for (int i = 0; i < 400; ++i) {
      reply->text(i % 40 == 39 ? "\n\n```cpp\nint a = 1;\n```\n\n" : "word ");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  for (int i = 0; i < 100; ++i) {
    QTest::qWait(20);
    if (i == 50) wheel(+2, 10);
  }
  writer.join();
  reply->finish(FinishReason::Stop);
  ASSERT_TRUE(waitUntil([this] { return !page->controller().busy(); }));
  std::printf("longest gap while a reply streams: %.1f ms over %d turns\n", watchdog.longestGap(), watchdog.turns());
  EXPECT_GT(watchdog.turns(), 100);
  EXPECT_LT(watchdog.longestGap(), kMostGap);
  EXPECT_LT(view->widgetCount(), 60U);
  EXPECT_FALSE(view->following()) << "the wheel took it away from the end";
}

TEST_F(TranscriptTest, WhatIsReadStaysWhereItIsWhenHeightsAboveChange) {
  open(fill(400));
  QTest::qWait(30);
  bar()->setValue(bar()->maximum() / 2);  // where nothing has been measured
  QTest::qWait(50);
  ASSERT_FALSE(view->following());
  ui::MessageWidget* const watched = at(view->viewport()->height() / 2);
  ASSERT_NE(watched, nullptr);
  const MessageId id = watched->id();
  const int y = watched->y();
  // What comes into sight above has another height than was estimated: up by steps, and down again.
  wheel(+1, 1);
  const int moved = watched->y() - y;
  EXPECT_EQ(watched->id(), id);
  EXPECT_GT(moved, 0);
  EXPECT_EQ(moved, 3 * bar()->singleStep()) << "as far as the wheel turned, whatever came in above";
  // A message above the one that is read becomes higher.
  ui::MessageWidget* above = nullptr;
  for (ui::MessageWidget* each : view->messages()) {
    if (each->id() < id && each->isUser()) above = each;
  }
  ASSERT_NE(above, nullptr);
  const int before = watched->y();
  const int height = above->height();
  above->beginEdit();
  QTest::qWait(30);
  EXPECT_GT(above->height(), height);
  if (above->y() + above->height() > 0) return;  // it is in sight: then the first in sight stays
  EXPECT_EQ(watched->y(), before);
}

TEST_F(TranscriptTest, AMessageThatIsBeingEditedOutlivesScrolling) {
  open(fill(300));
  QTest::qWait(30);
  ui::MessageWidget* user = nullptr;
  for (ui::MessageWidget* each : view->messages()) {
    if (each->isUser()) user = each;
  }
  ASSERT_NE(user, nullptr);
  const MessageId id = user->id();
  user->beginEdit();
  user->findChild<QPlainTextEdit*>()->setPlainText(u"half a thought"_s);
  bar()->setValue(0);
  QTest::qWait(50);
  page->composer()->focusText();
  bar()->setValue(bar()->maximum() / 3);
  QTest::qWait(50);
  bar()->setValue(bar()->maximum());
  QTest::qWait(50);
  bool found = false;
  for (ui::MessageWidget* each : view->messages()) {
    if (each->id() != id) continue;
    found = true;
    EXPECT_EQ(each->findChild<QPlainTextEdit*>()->toPlainText(), u"half a thought"_s);
  }
  EXPECT_TRUE(found);
}

TEST_F(TranscriptTest, WidgetsAreUsedAgainAndShowTheRightMessage) {
  open(fill(600));
  for (const double part : {0.0, 0.31, 0.77, 0.5, 1.0}) {
    bar()->setValue(static_cast<int>(bar()->maximum() * part));
    QTest::qWait(40);
    for (ui::MessageWidget* each : view->messages()) {
      const auto stored = desktop.host.store().message(each->id());
      ASSERT_TRUE(stored);
      EXPECT_EQ(each->isUser(), stored->role == Role::User);
      if (each->isUser()) {
        EXPECT_EQ(each->findChild<ui::TextBlock*>()->toPlainText().toStdString(), stored->text);
      } else {
        EXPECT_EQ(each->markdown()->markdown().toStdString(), stored->text);
      }
    }
    EXPECT_LT(view->widgetCount(), 60U);
  }
}

TEST_F(TranscriptTest, NoMessageIsCutOffOrOverlapsAnother) {
  open(fill(40));
  QTest::qWait(60);
  for (const QSize size : {QSize(1280, 800), QSize(860, 560), QSize(1600, 900)}) {
    desktop.window->resize(size);
    QTest::qWait(60);
    int bottom = -1'000'000;
    for (ui::MessageWidget* each : view->messages()) {
      EXPECT_GE(each->y(), bottom) << each->id();
      bottom = each->y() + each->height();
      EXPECT_GE(each->height(), each->heightAt(each->width())) << each->id();
      EXPECT_LE(each->x() + each->width(), view->viewport()->width());
      for (const ui::TextBlock* text : each->findChildren<ui::TextBlock*>()) {
        if (text->isVisible()) {
          EXPECT_GE(text->height(), text->heightForWidth(text->width()));
        }
      }
    }
  }
}

TEST_F(TranscriptTest, FindShowsTheMessagesWithTheWords) {
  open(fill(2'000));
  QTest::keyClick(desktop.window.get(), Qt::Key_F, Qt::ControlModifier);
  ui::FindBar* const find = view->findBar();
  ASSERT_TRUE(find->isVisible());
  EXPECT_TRUE(find->field()->hasFocus());
  EXPECT_GT(view->viewport()->y(), find->geometry().bottom()) << "it lies beside what it finds";
  find->field()->setText(u"ANSWER 30"_s);  // 301, 303 … 309: 301, 303, 305, 307, 309 have no "30:" only; any case
  ASSERT_TRUE(waitUntil([&] { return !find->searching() && !find->hits().empty(); }));
  EXPECT_EQ(find->hits().size(), 5U);
  EXPECT_EQ(find->hits().front(), 309U) << "the newest first";
  const auto shown = [this](std::size_t index) {
    const MessageId id = page->controller().items()[index].message.id;
    for (ui::MessageWidget* each : view->messages()) {
      if (each->id() != id) continue;
      const QRect mark = each->firstMark();
      return !mark.isNull() && each->y() + mark.y() >= 0 && each->y() + mark.bottom() <= view->viewport()->height();
    }
    return false;
  };
  EXPECT_TRUE(waitUntil([&] { return shown(309); }));
  EXPECT_EQ(find->count()->text(), u"1 of 5"_s);
  QTest::keyClick(find->field(), Qt::Key_Return);
  EXPECT_TRUE(waitUntil([&] { return shown(307); }));
  QTest::keyClick(find->field(), Qt::Key_Return, Qt::ShiftModifier);
  EXPECT_TRUE(waitUntil([&] { return shown(309); }));
  find->field()->setText(u"nobody wrote this"_s);
  ASSERT_TRUE(waitUntil([&] { return !find->searching(); }));
  EXPECT_EQ(find->count()->text(), u"not found"_s);
  QTest::keyClick(find->field(), Qt::Key_Escape);
  EXPECT_FALSE(find->isVisible());
  EXPECT_EQ(view->viewport()->y(), 0);
  EXPECT_TRUE(find->words().isEmpty());
  for (ui::MessageWidget* each : view->messages()) EXPECT_TRUE(each->firstMark().isNull());
}

TEST_F(TranscriptTest, TheKeyboardGoesFromMessageToMessageAndThroughTheText) {
  open(fill(30));
  QTest::qWait(50);
  view->setFocus();
  QTest::keyClick(view, Qt::Key_Up);
  auto* message = qobject_cast<ui::MessageWidget*>(QApplication::focusWidget());
  ASSERT_NE(message, nullptr);
  const MessageId last = page->controller().items().back().message.id;
  EXPECT_EQ(message->id(), last);
  EXPECT_TRUE(message->accessibleName().startsWith("Reply: Answer 29"_L1)) << message->accessibleName().toStdString();
  for (int i = 0; i < 10; ++i) QTest::keyClick(QApplication::focusWidget(), Qt::Key_Up);
  message = qobject_cast<ui::MessageWidget*>(QApplication::focusWidget());
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(message->id(), page->controller().items()[19].message.id) << "also those that had no widget";
  EXPECT_GE(message->y(), 0);
  // Into the text; the caret is one that assistive programs can ask about.
  QTest::keyClick(message, Qt::Key_Return);
  auto* text = qobject_cast<QTextEdit*>(QApplication::focusWidget());
  ASSERT_NE(text, nullptr);
  QAccessibleInterface* access = QAccessible::queryAccessibleInterface(text);
  ASSERT_NE(access, nullptr);
  ASSERT_NE(access->textInterface(), nullptr);
  EXPECT_TRUE(access->textInterface()->text(0, 9).startsWith("Answer 19"_L1));
  EXPECT_EQ(access->textInterface()->cursorPosition(), 0);
  QTest::keyClick(text, Qt::Key_Right, Qt::ShiftModifier);
  EXPECT_EQ(text->textCursor().selectedText(), u"A"_s);
  // Down through all its blocks into the next message.
  QWidget* focus = text;
  for (int i = 0; i < 60 && message->isAncestorOf(focus); ++i) {
    QTest::keyClick(focus, Qt::Key_Down);
    focus = QApplication::focusWidget();
    ASSERT_NE(focus, nullptr);
  }
  EXPECT_FALSE(message->isAncestorOf(focus));
  EXPECT_NE(qobject_cast<QTextEdit*>(focus), nullptr) << "the caret stands in the next message";
}

}  // namespace
}  // namespace hearth::test
