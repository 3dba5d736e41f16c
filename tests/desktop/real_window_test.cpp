// The window on the real Host with a real model: the whole way of a message, from a key press to text on the screen.
#include <gtest/gtest.h>

#include <QElapsedTimer>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>

#include <filesystem>

#include "desktop_fixture.h"
#include "tests/host/real_model.h"
#include "ui/desktop/chat/chat_page.h"
#include "ui/desktop/chat/composer.h"
#include "ui/desktop/chat/markdown_view.h"
#include "ui/desktop/chat/message_widget.h"
#include "ui/desktop/chat/transcript_view.h"

namespace hearth::test {
namespace {

using namespace Qt::StringLiterals;

class RealWindow : public testing::Test {
 protected:
  void SetUp() override {
    const auto models = realModelsFolder();
    if (!models) GTEST_SKIP() << "HEARTH_TEST_MODELS is not set";
    const std::filesystem::path folder = m_folder.path().toStdString();
    std::filesystem::create_directories(folder / "models");
    const std::string name = std::string(kSmallModel) + ".gguf";
    std::filesystem::create_symlink(*models / name, folder / "models" / name);
    open();
  }
  void open() {
    auto host = Host::create({.dataDir = m_folder.path().toStdString(), .threads = 1});
    ASSERT_TRUE(host) << host.error().describe();
    m_host = std::move(*host);
    m_language.setLanguage(u"en"_s);
    m_bridge = std::make_unique<ui::Bridge>(*m_host);
    m_window = std::make_unique<ui::MainWindow>(ui::WindowContext{*m_bridge, m_preferences, m_theme, m_language});
    m_window->show();
  }
  /// As main() ends: replies first (a window that is gone would count as the user's stop), window, bridge, Host. Milliseconds.
  qint64 close() {
    QElapsedTimer clock;
    clock.start();
    m_host->chat().shutdown();
    m_window.reset();
    m_bridge.reset();
    m_host.reset();
    return clock.elapsed();
  }
  [[nodiscard]] bool loaded() {
    return waitUntil(
        [this] { return m_bridge->models().status(QString::fromLatin1(kSmallModel)).state == ModelState::Ready; }, 60'000);
  }
  void ask(const QString& text) {
    ui::ChatParameters greedy;
    greedy.temperature = 0;
    m_window->chat()->controller().setParameters(greedy, {});
    ui::Composer* composer = m_window->chat()->composer();
    composer->setText(text);
    QTest::keyClick(composer->editor(), Qt::Key_Return);
  }
  [[nodiscard]] QString lastText() const {
    const auto messages = m_window->chat()->transcript()->messages();
    return messages.size() < 2 ? QString() : messages.back()->markdown()->markdown();
  }

  QTemporaryDir m_folder;
  ui::Preferences m_preferences{m_folder.path()};
  ui::LanguageManager m_language;
  ui::ThemeManager m_theme{*qApp};
  std::unique_ptr<Host> m_host;
  std::unique_ptr<ui::Bridge> m_bridge;
  std::unique_ptr<ui::MainWindow> m_window;
};

TEST_F(RealWindow, AQuestionIsAnsweredOnTheScreenAndIsStillThereAfterARestart) {
  ASSERT_TRUE(loaded()) << "the only model loads by itself";
  ask(u"Is the sky blue? Answer in one sentence."_s);  // the small model knows that much with any kernels
  ASSERT_TRUE(
      waitUntil([this] { return !m_window->chat()->controller().busy() && lastText().contains("blue"_L1); }, 120'000))
      << lastText().toStdString();
  EXPECT_TRUE(m_window->chat()->transcript()->messages().back()->stateLabel()->text().contains("tok/s"_L1));
  EXPECT_GT(m_window->chat()->controller().context().used, 10);
  const QString text = lastText();
  const ConversationId chat = m_window->chat()->controller().conversation().id;
  EXPECT_LT(close(), 2000);
  open();
  m_window->chat()->controller().open(chat);
  EXPECT_TRUE(waitUntil([&] { return lastText() == text; })) << lastText().toStdString();
}

TEST_F(RealWindow, ClosingInTheMiddleOfAReplyKeepsItAndTakesLessThanTwoSeconds) {
  ASSERT_TRUE(loaded());
  ask(u"Write a very long story about a lighthouse."_s);
  ASSERT_TRUE(waitUntil([this] { return lastText().size() > 40; }, 120'000));
  const QString seen = lastText();
  const ConversationId chat = m_window->chat()->controller().conversation().id;
  EXPECT_LT(close(), 2000);
  open();
  m_window->chat()->controller().open(chat);
  ASSERT_TRUE(waitUntil([this] { return !lastText().isEmpty(); }));
  EXPECT_TRUE(lastText().startsWith(seen)) << lastText().toStdString();
  EXPECT_EQ(m_window->chat()->controller().items().back().message.state, MessageState::Interrupted);
}

TEST_F(RealWindow, ClosingWhileAModelLoadsOrALongPromptIsReadTakesLessThanTwoSeconds) {
  EXPECT_LT(close(), 2000);
  open();
  ASSERT_TRUE(loaded());
  ask(QString(u"the quick brown fox jumps over the lazy dog "_s).repeated(400));
  ASSERT_TRUE(waitUntil([this] { return m_window->chat()->controller().items().size() == 2; }));
  QTest::qWait(300);
  EXPECT_LT(close(), 2000);
}

}  // namespace
}  // namespace hearth::test
