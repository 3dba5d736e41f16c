// Dialogs, choosers and menus, driven as a user drives them: by what is on the screen when the nested event loop runs.
#include <gtest/gtest.h>

#include <QDialog>
#include <QFileDialog>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QPushButton>
#include <QTimer>
#include <QTreeWidget>

#include "desktop_fixture.h"
#include "tests/library/tiny_model.h"
#include "ui/desktop/app/startup_error.h"
#include "ui/desktop/chat/chat_page.h"
#include "ui/desktop/chat/composer.h"
#include "ui/desktop/chat/conversation_panel.h"
#include "ui/desktop/common/widgets.h"
#include "ui/desktop/library/details_dialog.h"
#include "ui/desktop/library/model_card.h"
#include "ui/desktop/library/models_page.h"
#include "ui/desktop/settings/settings_page.h"

namespace hearth::test {
namespace {

using namespace Qt::StringLiterals;

/// Does `act` once with the next modal dialog or popup of this kind, while its own event loop runs.
template <class Widget>
class Whenever {
 public:
  explicit Whenever(std::function<void(Widget&)> act) : m_act(std::move(act)) {
    m_timer.setInterval(10);
    QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [this] {
      QWidget* shown =
          QApplication::activePopupWidget() ? QApplication::activePopupWidget() : QApplication::activeModalWidget();
      auto* widget = qobject_cast<Widget*>(shown);
      if (!widget || !widget->isVisible()) return;
      m_timer.stop();
      m_seen = true;
      m_act(*widget);
    });
    m_timer.start();
  }
  [[nodiscard]] bool seen() const noexcept { return m_seen; }

 private:
  std::function<void(Widget&)> m_act;
  QTimer m_timer;
  bool m_seen = false;
};

QAction* actionNamed(const QMenu& menu, const QString& text) {
  for (QAction* action : menu.actions()) {
    if (action->text() == text) return action;
  }
  return nullptr;
}

/// Clicks an entry with the mouse: that closes the menu with this choice.
void choose(QMenu& menu, const QString& text) {
  QAction* action = actionNamed(menu, text);
  ASSERT_NE(action, nullptr) << text.toStdString();
  QTest::mouseClick(&menu, Qt::LeftButton, {}, menu.actionGeometry(action).center());
}

QPushButton* buttonNamed(const QWidget& parent, const QString& text) {
  for (QPushButton* button : parent.findChildren<QPushButton*>()) {
    if (button->text() == text) return button;
  }
  return nullptr;
}

/// Types the whole path into the chooser and takes it: its listing, which is read in the background, does not matter then.
void take(QFileDialog& dialog, const QString& path) {
  auto* name = dialog.findChild<QLineEdit*>(u"fileNameEdit"_s);  // of Qt's own chooser
  ASSERT_NE(name, nullptr);
  name->setText(path);
  static_cast<QDialog&>(dialog).accept();
  if (dialog.isVisible()) dialog.reject();  // the test fails by what did not happen instead of waiting for ever
}

class DialogsTest : public testing::Test {
 protected:
  DialogsTest() { QApplication::setAttribute(Qt::AA_DontUseNativeDialogs); }
  [[nodiscard]] std::filesystem::path file(const char* name) const {
    return std::filesystem::path(desktop.folder.path().toStdString()) / name;
  }
  [[nodiscard]] ui::ModelCard* card() {
    desktop.window->showPage(ui::Page::Models);
    return waitUntil([this] { return !desktop.window->models()->cards().empty(); })
               ? desktop.window->models()->cards().front()
               : nullptr;
  }
  void addFile(const std::filesystem::path& path) {
    InstalledModel model = makeModel("tiny", "Tiny", "F32", 1000, 100, 128);
    model.path = path;
    desktop.host.library().add(model);
  }
  Desktop desktop;
};

TEST_F(DialogsTest, DetailsListTheMetadataAndTheSearchFindsInIt) {
  writeModel(file("tiny.gguf"));
  addFile(file("tiny.gguf"));
  desktop.show();
  QStringList keys;
  int shown = -1;
  Whenever<ui::DetailsDialog> details([&](ui::DetailsDialog& dialog) {
    QTreeWidget* table = dialog.table();
    EXPECT_TRUE(waitUntil([table] { return table->topLevelItemCount() > 10; }));
    for (int i = 0; i < table->topLevelItemCount(); ++i)
      keys << table->topLevelItem(i)->text(0) + u'=' + table->topLevelItem(i)->text(1);
    QTest::keyClicks(dialog.findChild<QLineEdit*>(), u"LICENSE"_s);
    shown = 0;
    for (int i = 0; i < table->topLevelItemCount(); ++i) shown += table->topLevelItem(i)->isHidden() ? 0 : 1;
    buttonNamed(dialog, u"Close"_s)->click();
  });
  ASSERT_NE(card(), nullptr);
  card()->detailsButton()->click();
  ASSERT_TRUE(details.seen());
  EXPECT_TRUE(keys.contains(u"general.architecture=llama"_s)) << keys.join(u'\n').toStdString();
  EXPECT_TRUE(keys.contains(u"tokenizer.ggml.tokens=[4]"_s)) << keys.join(u'\n').toStdString();
  EXPECT_EQ(shown, 1);
}

TEST_F(DialogsTest, DetailsOfAFileThatIsGoneSaySoInTheUsersLanguage) {
  addFile(file("gone.gguf"));
  desktop.language.setLanguage(u"zh_CN"_s);
  desktop.show();
  QString cause;
  Whenever<ui::DetailsDialog> details([&](ui::DetailsDialog& dialog) {
    auto* box = dialog.findChild<ui::ErrorBox*>();
    EXPECT_TRUE(waitUntil([box] { return box->isVisible(); }));
    cause = box->causeText();
    QTest::keyClick(&dialog, Qt::Key_Escape);
  });
  ASSERT_NE(card(), nullptr);
  card()->detailsButton()->click();
  ASSERT_TRUE(details.seen());
  EXPECT_EQ(cause, u"它不在那里。"_s);
}

TEST_F(DialogsTest, ImportByChooserAndCancellingItDoesNothing) {
  desktop.show();
  desktop.window->showPage(ui::Page::Models);
  QPushButton* import = buttonNamed(*desktop.window->models(), u"Import…"_s);
  ASSERT_NE(import, nullptr);
  {
    Whenever<QFileDialog> chooser([](QFileDialog& dialog) { dialog.reject(); });
    import->click();
    ASSERT_TRUE(chooser.seen());
  }
  QTest::qWait(50);
  EXPECT_TRUE(desktop.window->models()->cards().empty());
  writeModel(file("chosen.gguf"));
  Whenever<QFileDialog> chooser(
      [this](QFileDialog& dialog) { take(dialog, QString::fromStdString(file("chosen.gguf").string())); });
  import->click();
  ASSERT_TRUE(chooser.seen());
  EXPECT_TRUE(waitUntil([this] { return desktop.window->models()->cards().size() == 1; }));
}

TEST_F(DialogsTest, AFolderAddedByChooserIsListedInTheSettingsAndCanBeForgotten) {
  desktop.show();
  std::filesystem::create_directories(file("mine"));
  const QString folder = QString::fromStdString(file("mine").string());
  desktop.window->showPage(ui::Page::Models);
  Whenever<QFileDialog> chooser([&](QFileDialog& dialog) { take(dialog, folder); });
  buttonNamed(*desktop.window->models(), u"Add folder…"_s)->click();
  ASSERT_TRUE(chooser.seen());
  desktop.window->showPage(ui::Page::Settings);
  ui::SettingsPage* settings = desktop.window->settings();
  ASSERT_TRUE(waitUntil([&] { return buttonNamed(*settings, u"Remove"_s) != nullptr; }));
  ASSERT_EQ(desktop.host.library().folders().size(), 1U);
  EXPECT_EQ(std::filesystem::canonical(desktop.host.library().folders().front()), std::filesystem::canonical(file("mine")));
  buttonNamed(*settings, u"Remove"_s)->click();
  EXPECT_TRUE(waitUntil([&] { return buttonNamed(*settings, u"Remove"_s) == nullptr; }));
  EXPECT_TRUE(std::filesystem::exists(file("mine"))) << "only forgotten, not deleted";
}

TEST_F(DialogsTest, AFolderThatCannotBeAddedIsToldOnTheSettingsPage) {
  desktop.host.library().m_folderError = Error{ErrorCode::AlreadyExists, "no", {{"path", "/models"}}};
  desktop.show();
  desktop.window->showPage(ui::Page::Settings);
  Whenever<QFileDialog> chooser([this](QFileDialog& dialog) { take(dialog, desktop.folder.path()); });
  buttonNamed(*desktop.window->settings(), u"Add folder…"_s)->click();
  ASSERT_TRUE(chooser.seen());
  EXPECT_TRUE(waitUntil([this] { return desktop.window->settings()->findChild<ui::ErrorBox*>()->isVisible(); }));
}

class ChatListTest : public DialogsTest {
 protected:
  void SetUp() override {
    desktop.addModel();
    for (const char* title : {"First", "Second"}) ids.push_back(desktop.host.store().createConversation(title, "m")->id);
    desktop.show();
    panel = desktop.window->chat()->panel();
    ASSERT_TRUE(waitUntil([this] { return list().rowCount() == 3; }));
  }
  [[nodiscard]] ui::ConversationListModel& list() { return desktop.window->chat()->controller().list(); }
  [[nodiscard]] QPoint pointOf(ConversationId id) { return panel->view()->visualRect(list().indexOf(id)).center(); }
  void menuOn(ConversationId id, const QString& entry) {
    Whenever<QMenu> menu([&](QMenu& shown) { choose(shown, entry); });
    emit panel->view()->customContextMenuRequested(pointOf(id));
    ASSERT_TRUE(menu.seen());
  }
  [[nodiscard]] std::string titleOf(ConversationId id) { return desktop.host.store().conversation(id)->title; }
  ui::ConversationPanel* panel = nullptr;
  std::vector<ConversationId> ids;
};

TEST_F(ChatListTest, RenameByMenuKeepsTheNewNameAndEscapeTheOld) {
  menuOn(ids[0], u"Rename"_s);
  auto* editor = panel->view()->findChild<QLineEdit*>();
  ASSERT_NE(editor, nullptr);
  EXPECT_EQ(editor->text(), u"First"_s);
  editor->selectAll();
  QTest::keyClicks(editor, u"Better name"_s);
  QTest::keyClick(editor, Qt::Key_Return);
  ASSERT_TRUE(waitUntil([this] { return titleOf(ids[0]) == "Better name"; }));
  ASSERT_TRUE(waitUntil([this] { return panel->view()->findChild<QLineEdit*>() == nullptr; }));

  panel->view()->setFocus();
  QTest::mouseClick(panel->view()->viewport(), Qt::LeftButton, {}, pointOf(ids[1]));
  QTest::keyClick(panel->view(), Qt::Key_F2);
  editor = panel->view()->findChild<QLineEdit*>();
  ASSERT_NE(editor, nullptr) << "F2 renames as well";
  QTest::keyClicks(editor, u"x"_s);
  QTest::keyClick(editor, Qt::Key_Escape);
  QTest::qWait(50);
  EXPECT_EQ(titleOf(ids[1]), "Second");
}

TEST_F(ChatListTest, ARenameIsNotCutOffByAReplyThatEnds) {
  menuOn(ids[0], u"Rename"_s);
  ASSERT_NE(panel->view()->findChild<QLineEdit*>(), nullptr);
  desktop.window->chat()->controller().refreshList();
  QTest::qWait(100);
  EXPECT_NE(panel->view()->findChild<QLineEdit*>(), nullptr) << "nothing changed in the list, and the editor is gone";
}

TEST_F(ChatListTest, ThrowingAwayByMenuOrKeyCanBeUndone) {
  menuOn(ids[0], u"Move to the trash"_s);
  ASSERT_TRUE(waitUntil([this] { return list().rowCount() == 2 && panel->undoButton()->isVisible(); }));
  panel->undoButton()->click();
  ASSERT_TRUE(waitUntil([this] { return list().rowCount() == 3; }));
  QTest::mouseClick(panel->view()->viewport(), Qt::LeftButton, {}, pointOf(ids[1]));
  QTest::keyClick(panel->view(), Qt::Key_Delete);
  ASSERT_TRUE(waitUntil([this] { return list().rowCount() == 2 && panel->undoButton()->isVisible(); }));
  panel->undoButton()->click();
  EXPECT_TRUE(waitUntil([this] { return list().rowCount() == 3; }));
}

TEST_F(ChatListTest, TheSearchNarrowsTheList) {
  QTest::keyClicks(panel->search(), u"SEC"_s);
  EXPECT_EQ(list().rowCount(), 2);
  QTest::keyClicks(panel->search(), u"zzz"_s);
  EXPECT_EQ(list().rowCount(), 0);
  panel->search()->clear();
  EXPECT_EQ(list().rowCount(), 3);
}

TEST_F(DialogsTest, TheModelMenuOfAChatChoosesAndLoads) {
  desktop.addModel("one");
  desktop.addModel("two");
  InstalledModel broken;
  broken.id = "broken";
  broken.problem = Error{ErrorCode::Corrupt, "no", {}};
  desktop.host.library().add(broken);
  desktop.show();
  QPushButton* button = nullptr;
  for (QPushButton* each : desktop.window->chat()->findChildren<QPushButton*>()) {
    if (each->text().endsWith(u'▾')) button = each;
  }
  ASSERT_NE(button, nullptr);
  bool usable = true;
  Whenever<QMenu> menu([&](QMenu& shown) {
    usable = actionNamed(shown, u"broken"_s)->isEnabled();
    choose(shown, u"two"_s);
  });
  button->click();
  ASSERT_TRUE(menu.seen());
  EXPECT_FALSE(usable);
  EXPECT_TRUE(waitUntil([this] { return desktop.bridge->models().status(u"two"_s).state == ModelState::Ready; }));
  EXPECT_EQ(desktop.window->chat()->controller().model(), u"two"_s);
}

TEST_F(DialogsTest, TheStartupErrorRetriesOrQuits) {
  for (const auto& [name, result] :
       {std::pair(u"Try again"_s, QDialog::Accepted), std::pair(u"Quit"_s, QDialog::Rejected)}) {
    ui::StartupErrorDialog dialog({ErrorCode::DiskFull, "x", {{"path", "/d"}}}, u"/d"_s);
    Whenever<ui::StartupErrorDialog> driver([&name](ui::StartupErrorDialog& shown) { buttonNamed(shown, name)->click(); });
    EXPECT_EQ(dialog.exec(), result);
    EXPECT_TRUE(driver.seen());
  }
}

}  // namespace
}  // namespace hearth::test
