#include <gtest/gtest.h>

#include <QLabel>
#include <QListView>
#include <QPaintEvent>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollBar>

#include "desktop_fixture.h"
#include "ui/desktop/chat/chat_page.h"
#include "ui/desktop/chat/composer.h"
#include "ui/desktop/chat/conversation_panel.h"
#include "ui/desktop/chat/markdown_view.h"
#include "ui/desktop/chat/message_widget.h"
#include "ui/desktop/chat/parameters_panel.h"
#include "ui/desktop/chat/transcript_view.h"
#include "ui/desktop/common/widgets.h"

namespace hearth::test {
namespace {

using namespace Qt::StringLiterals;

class ChatPageTest : public testing::Test {
 protected:
  void SetUp() override {
    desktop.addModel();
    desktop.show();
    page = desktop.window->chat();
    ASSERT_TRUE(waitUntil([this] { return !page->controller().model().isEmpty(); }));
  }
  void type(const QString& text) {
    page->composer()->setText(text);
    QTest::keyClick(page->composer()->editor(), Qt::Key_Return);
  }
  FakeChat::ReplyPtr ask(const QString& text, int nth = 1) {
    type(text);
    EXPECT_TRUE(waitUntil([&] { return desktop.host.chat().count() == nth && !widgets().empty() && widgets().back()->id() == desktop.host.chat().last()->message.id; }));
    return desktop.host.chat().last();
  }
  [[nodiscard]] std::vector<ui::MessageWidget*> widgets() const { return page->transcript()->messages(); }
  [[nodiscard]] bool idle() const { return !page->controller().busy(); }

  Desktop desktop;
  ui::ChatPage* page = nullptr;
};

TEST_F(ChatPageTest, EnterSendsAndTheReplyStreamsIn) {
  const auto reply = ask(u"Hello"_s);
  ASSERT_EQ(widgets().size(), 2U);
  EXPECT_TRUE(page->composer()->editor()->toPlainText().isEmpty());
  reply->started(12, 8192);
  reply->text("One **two**");
  reply->text(" three");
  ASSERT_TRUE(waitUntil([this] { return widgets().back()->markdown()->markdown() == "One **two** three"_L1; }));
  EXPECT_EQ(page->composer()->button()->text(), u"Stop"_s);
  reply->finish(FinishReason::Stop);
  ASSERT_TRUE(waitUntil([this] { return idle(); }));
  EXPECT_EQ(page->composer()->button()->text(), u"Send"_s);
  EXPECT_TRUE(widgets().back()->stateLabel()->text().contains("84 tok/s"_L1)) << widgets().back()->stateLabel()->text().toStdString();
  EXPECT_EQ(page->controller().context().total, 8192);
  EXPECT_EQ(page->controller().context().used, 14);
  // The chat is named by its first message and stands in the list.
  EXPECT_TRUE(waitUntil([this] { return page->controller().list().rowCount() == 2; }));
}

TEST_F(ChatPageTest, ShiftEnterMakesALineAndSendsNothing) {
  page->composer()->setText(u"a"_s);
  QTest::keyClick(page->composer()->editor(), Qt::Key_Return, Qt::ShiftModifier);
  EXPECT_EQ(page->composer()->text(), u"a\n"_s);
  QTest::qWait(50);
  EXPECT_EQ(desktop.host.chat().count(), 0);
}

TEST_F(ChatPageTest, WaitingAndLoadingAreShown) {
  const auto reply = ask(u"Hello"_s);
  reply->loading(0.43);
  EXPECT_TRUE(waitUntil([this] { return widgets().back()->stateLabel()->text().contains("43%"_L1); }));
  reply->queued(2);
  EXPECT_TRUE(waitUntil([this] { return widgets().back()->stateLabel()->text().contains("place 2"_L1); }));
  reply->finish(FinishReason::Stop);
}

TEST_F(ChatPageTest, ANewModelNameIsDrawnInTheEmptyComposer) {
  struct Paints : QObject {
    bool eventFilter(QObject*, QEvent* event) override {
      if (event->type() == QEvent::Paint && static_cast<QPaintEvent*>(event)->rect().width() > 100) ++count;
      return false;
    }
    int count = 0;
  } paints;
  QTest::qWait(50);
  page->composer()->editor()->viewport()->installEventFilter(&paints);
  page->composer()->setModelName(u"another"_s);
  EXPECT_EQ(page->composer()->editor()->placeholderText(), u"Message another"_s);
  EXPECT_TRUE(waitUntil([&paints] { return paints.count > 0; })) << "the old text would stand until a click";
}

TEST_F(ChatPageTest, EscapeStopsAndTheReplySaysSo) {
  const auto reply = ask(u"Hello"_s);
  reply->started(12, 8192);
  reply->text("Half a rep");
  QTest::keyClick(desktop.window.get(), Qt::Key_Escape);
  ASSERT_TRUE(waitUntil([&] { return reply->cancelled.load(); }));
  reply->finish(FinishReason::Cancelled);
  ASSERT_TRUE(waitUntil([this] { return idle(); }));
  EXPECT_TRUE(widgets().back()->stateLabel()->text().startsWith("Stopped"_L1));
  EXPECT_EQ(widgets().back()->markdown()->markdown(), u"Half a rep"_s);
  EXPECT_TRUE(widgets().back()->regenerateButton()->isVisible());
}

TEST_F(ChatPageTest, RegenerateMakesABranchAndTheArrowsGoBack) {
  auto reply = ask(u"Hello"_s);
  reply->text("first");
  reply->finish(FinishReason::Stop);
  ASSERT_TRUE(waitUntil([this] { return idle(); }));
  widgets().back()->regenerateButton()->click();
  ASSERT_TRUE(waitUntil([this] { return desktop.host.chat().count() == 2; }));
  reply = desktop.host.chat().last();
  reply->text("second");
  reply->finish(FinishReason::Stop);
  ASSERT_TRUE(waitUntil([this] { return idle() && widgets().back()->branchLabel()->text() == "2/2"_L1; }));
  EXPECT_EQ(widgets().back()->markdown()->markdown(), u"second"_s);
  EXPECT_FALSE(widgets().back()->nextButton()->isEnabled());
  widgets().back()->previousButton()->click();
  ASSERT_TRUE(waitUntil([this] { return widgets().back()->branchLabel()->text() == "1/2"_L1; }));
  EXPECT_EQ(widgets().back()->markdown()->markdown(), u"first"_s);
}

TEST_F(ChatPageTest, EditingAMessageMakesABranchAndErasesNothing) {
  auto reply = ask(u"Hello"_s);
  reply->text("first");
  reply->finish(FinishReason::Stop);
  ASSERT_TRUE(waitUntil([this] { return idle(); }));
  widgets().front()->editButton()->click();
  auto* editor = widgets().front()->findChild<QPlainTextEdit*>();
  ASSERT_NE(editor, nullptr);
  EXPECT_EQ(editor->toPlainText(), u"Hello"_s);
  editor->setPlainText(u"Goodbye"_s);
  QTest::keyClick(editor, Qt::Key_Return);
  ASSERT_TRUE(waitUntil([this] { return desktop.host.chat().count() == 2 && widgets().size() == 2 && widgets().front()->branchLabel()->text() == "2/2"_L1; }));
  desktop.host.chat().last()->finish(FinishReason::Stop);
  ASSERT_TRUE(waitUntil([this] { return idle(); }));
  widgets().front()->previousButton()->click();
  EXPECT_TRUE(waitUntil([this] { return widgets().back()->markdown()->markdown() == "first"_L1; }));
}

TEST_F(ChatPageTest, AFailedReplyShowsCauseAndAWayOn) {
  const auto reply = ask(u"Hello"_s);
  reply->fail(Error{ErrorCode::ContextOverflow, "too long", {{"prompt_tokens", "9000"}, {"context_tokens", "8192"}}});
  ASSERT_TRUE(waitUntil([this] { return idle() && widgets().back()->errorBox()->isVisible(); }));
  EXPECT_TRUE(widgets().back()->errorBox()->causeText().contains("longer than the model's context"_L1));
  EXPECT_TRUE(widgets().back()->errorBox()->actionButton()->isVisible());
}

TEST_F(ChatPageTest, AfterARestartAStoredFailureIsToldInTheLanguageOfNow) {
  ask(u"Hello"_s)->fail(Error{ErrorCode::ContextOverflow, "too long", {{"prompt_tokens", "9000"}, {"context_tokens", "8192"}}});
  ASSERT_TRUE(waitUntil([this] { return idle(); }));
  const ConversationId chat = page->controller().conversation().id;
  desktop.window.reset();
  desktop.bridge.reset();
  desktop.language.setLanguage(u"zh_CN"_s);
  desktop.show();
  page = desktop.window->chat();
  page->controller().open(chat);
  ASSERT_TRUE(waitUntil([this] { return widgets().size() == 2 && widgets().back()->errorBox()->isVisible(); }));
  EXPECT_EQ(widgets().back()->errorBox()->causeText(), u"对话超过了模型的上下文长度。"_s);
  EXPECT_TRUE(widgets().back()->errorBox()->accessibleName().contains("9000"_L1));
}

TEST_F(ChatPageTest, ACutReplySaysSoAfterARestartToo) {
  ask(u"Hello"_s)->finish(FinishReason::Length);
  ASSERT_TRUE(waitUntil([this] { return idle(); }));
  const ConversationId chat = page->controller().conversation().id;
  desktop.window.reset();
  desktop.bridge.reset();
  desktop.show();
  page = desktop.window->chat();
  page->controller().open(chat);
  ASSERT_TRUE(waitUntil([this] { return widgets().size() == 2; }));
  EXPECT_TRUE(widgets().back()->stateLabel()->text().contains("token limit"_L1)) << widgets().back()->stateLabel()->text().toStdString();
}

TEST_F(ChatPageTest, ARefusedMessageIsNotLost) {
  desktop.host.chat().m_refuse = Error{ErrorCode::DiskFull, "no space", {{"path", "/x/hearth.db"}}};
  type(u"Precious words"_s);
  ASSERT_TRUE(waitUntil([this] { return page->errorBox()->isVisible(); }));
  EXPECT_EQ(page->composer()->text(), u"Precious words"_s);
  EXPECT_EQ(page->errorBox()->causeText(), u"The disk is full."_s);
  EXPECT_TRUE(idle());
}

TEST_F(ChatPageTest, DeletedChatsComeBackWithUndo) {
  const auto reply = ask(u"Hello"_s);
  reply->finish(FinishReason::Stop);
  ASSERT_TRUE(waitUntil([this] { return idle() && page->controller().list().rowCount() == 2; }));
  page->controller().trash(page->controller().conversation().id);
  ASSERT_TRUE(waitUntil([this] { return page->controller().list().rowCount() == 0 && page->panel()->undoButton()->isVisible(); }));
  page->panel()->undoButton()->click();
  EXPECT_TRUE(waitUntil([this] { return page->controller().list().rowCount() == 2 && widgets().size() == 2; }));
}

TEST_F(ChatPageTest, ParametersGoWithTheMessageAndStayWithTheChat) {
  ui::ChatParameters wanted;
  wanted.temperature = 0.2;
  wanted.maxTokens = 77;
  wanted.seed = 18446744073709551615ULL;
  page->controller().setParameters(wanted, u"Be brief."_s);
  const auto reply = ask(u"Hello"_s);
  EXPECT_DOUBLE_EQ(reply->options.sampling.temperature, 0.2);
  EXPECT_EQ(reply->options.maxTokens, 77);
  EXPECT_EQ(reply->options.sampling.seed, 18446744073709551615ULL);
  const Conversation kept = *desktop.host.store().conversation(page->controller().conversation().id);
  EXPECT_EQ(kept.systemPrompt, "Be brief.");
  EXPECT_EQ(ui::ChatParameters::fromJson(kept.parametersJson), wanted);
  reply->finish(FinishReason::Stop);
}

TEST(ChatParametersTest, NonsenseIsIgnored) {
  for (const char* json : {"", "[]", "{\"temperature\":\"hot\"}", "{\"top_p\":7}", "{\"seed\":-1}", "nonsense", "{\"top_k\":-5}"}) {
    EXPECT_EQ(ui::ChatParameters::fromJson(json), ui::ChatParameters{}) << json;
  }
}

TEST_F(ChatPageTest, FollowsTheEndUnlessTheUserScrolledUp) {
  const auto reply = ask(u"Hello"_s);
  std::string lines;
  for (int i = 0; i < 80; ++i) lines += "line " + std::to_string(i) + "\n\n";
  reply->text(lines);
  QScrollBar* bar = page->transcript()->verticalScrollBar();
  ASSERT_TRUE(waitUntil([&] { return bar->maximum() > 500 && bar->value() == bar->maximum(); }));
  bar->triggerAction(QAbstractSlider::SliderToMinimum);
  reply->text("more\n\nmore\n\nmore\n\nmore\n\n");
  QTest::qWait(150);
  EXPECT_EQ(bar->value(), 0);
  reply->finish(FinishReason::Stop);
}

}  // namespace
}  // namespace hearth::test
