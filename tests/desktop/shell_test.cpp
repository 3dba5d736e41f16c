// The window and the desktop around it: links and files from outside, one instance, tray, autostart, settings that survive,
// the place of the window, motion.
#include <gtest/gtest.h>

#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QLabel>
#include <QLocalSocket>
#include <QProcess>
#include <QPushButton>
#include <QSettings>

#include <thread>

#include "hub_scene.h"
#include "ui/desktop/app/settings_file.h"
#include "ui/desktop/app/status_strip.h"
#include "ui/desktop/chat/chat_page.h"
#include "ui/desktop/common/motion.h"
#include "ui/desktop/common/widgets.h"
#include "ui/desktop/library/discover_view.h"
#include "ui/desktop/library/models_page.h"
#include "ui/desktop/library/repository_card.h"
#include "ui/desktop/settings/settings_page.h"
#include "ui/desktop/shell/opener.h"
#include "ui/desktop/shell/question_dialog.h"
#include "ui/desktop/shell/shell.h"
#include "ui/desktop/shell/single_instance.h"
#include "ui/desktop/shell/system_card.h"
#include "ui/desktop/shell/tray.h"
#include "ui/desktop/shell/window_place.h"

namespace hearth::test {
namespace {

using namespace Qt::StringLiterals;
using Kind = ui::Opening::Kind;

TEST(OpeningTest, LinksAndFilesAreUnderstood) {
  const std::pair<QString, ui::Opening> good[] = {
      {u"hearth://model/Qwen/Qwen3-4B-GGUF"_s, {Kind::Model, u"Qwen/Qwen3-4B-GGUF"_s, 0}},
      {u"hearth://model/Qwen/Qwen3-4B-GGUF:Q4_K_M"_s, {Kind::Model, u"Qwen/Qwen3-4B-GGUF:Q4_K_M"_s, 0}},
      {u"HEARTH://Model/ollama:llama3.2:1b"_s, {Kind::Model, u"ollama:llama3.2:1b"_s, 0}},
      {u"hearth://chat/12"_s, {Kind::Chat, {}, 12}},
      {u"/models/a b.gguf"_s, {Kind::File, u"/models/a b.gguf"_s, 0}},
      {u"x.GGUF"_s, {Kind::File, u"/here/x.GGUF"_s, 0}},
      {u"../x.gguf"_s, {Kind::File, u"/x.gguf"_s, 0}},
      {u"file:///models/%E6%A8%A1.gguf"_s, {Kind::File, u"/models/模.gguf"_s, 0}},
  };
  for (const auto& [text, wanted] : good) {
    const auto opening = ui::parseOpening(text, u"/here"_s);
    ASSERT_TRUE(opening) << qPrintable(text);
    EXPECT_EQ(*opening, wanted) << qPrintable(text);
  }
}

TEST(OpeningTest, EverythingElseIsRefused) {
  for (const char* bad :
       {"", "hearth:", "hearth://", "hearth://model", "hearth://model/", "hearth://chat/", "hearth://chat/0", "hearth://chat/-1", "hearth://chat/01",
        "hearth://chat/99999999999999999999", "hearth://chat/1x", "hearth://run/rm", "hearth://model/https://evil.example/x.gguf",
        "hearth://model/https://huggingface.co/a/b/resolve/main/x.gguf", "hearth://model/a/b?x=1", "hearth://model/a/b#x", "hearth://model/a/%2e%2e",
        "hearth://model/a/b c", "hearth://model/a/b\"", "hearth://model/<b>/x", "hearth://user@model/a/b", "/etc/passwd", "file:///etc/passwd",
        "https://example.org/x.gguf.html", "hearth:model/a/b"}) {
    const auto opening = ui::parseOpening(QString::fromLatin1(bad), u"/here"_s);
    ASSERT_FALSE(opening) << bad;
    EXPECT_EQ(opening.error().code, ErrorCode::InvalidArgument);
  }
  EXPECT_FALSE(ui::parseOpening(u"hearth://model/a/"_s + QString(600, u'b'), {}));
}

TEST(StartRequestTest, TravelsAsOneLine) {
  const ui::StartRequest request{.open = {u"hearth://chat/1"_s, u"/a\nb.gguf"_s, u"模"_s}, .page = u"models"_s, .activationToken = u"t"_s, .background = true};
  const QByteArray line = request.toLine();
  EXPECT_EQ(line.count('\n'), 1);
  const auto back = ui::StartRequest::fromLine(line);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->open, request.open);
  EXPECT_EQ(back->page, request.page);
  EXPECT_EQ(back->activationToken, request.activationToken);
  EXPECT_TRUE(back->background);
  for (const QByteArray& bad : {QByteArray(), QByteArray("{"), QByteArray("[]\n"), QByteArray("null\n"), QByteArray("{\"open\":[") + QByteArray(300'000, ' ') + "]}\n"})
    EXPECT_FALSE(ui::StartRequest::fromLine(bad)) << bad.left(20).toStdString();
  // What a later version may add is passed over, what is of another kind left out.
  const auto odd = ui::StartRequest::fromLine("{\"version\":9,\"new\":{},\"open\":[1,null,\"x.gguf\"],\"page\":7}\n");
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->open, QStringList{u"x.gguf"_s});
  EXPECT_TRUE(odd->page.isEmpty());
}

/// A second start on a thread of its own: the first one's event loop goes on.
bool handOver(const QString& folder, const ui::StartRequest& request, int patience = 5000) {
  std::atomic<bool> done = false;
  bool handed = false;
  std::thread other([&] {
    ui::SingleInstance second(folder);
    EXPECT_FALSE(second.first());
    handed = second.handOver(request, patience);
    done = true;
  });
  (void)waitUntil([&] { return done.load(); }, patience + 5000);
  other.join();
  return handed;
}

TEST(SingleInstanceTest, TheSecondStartHandsItsRequestToTheFirst) {
  const QTemporaryDir folder;
  ui::SingleInstance first(folder.path());
  ASSERT_TRUE(first.first());
  EXPECT_TRUE(handOver(folder.path(), {.open = {u"hearth://chat/7"_s}, .page = u"server"_s}));
  // Nobody listens inside yet: kept until then.
  std::vector<ui::StartRequest> seen;
  first.setHandler([&](const ui::StartRequest& request) { seen.push_back(request); });
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].open, QStringList{u"hearth://chat/7"_s});
  EXPECT_EQ(seen[0].page, u"server"_s);
  EXPECT_TRUE(handOver(folder.path(), {}));
  EXPECT_EQ(seen.size(), 2u);
  // Another data folder is another Hearth; another name of this one is not.
  const QTemporaryDir other;
  EXPECT_TRUE(ui::SingleInstance(other.path()).first());
  const QString link = other.path() + "/link"_L1;
  ASSERT_TRUE(QFile::link(folder.path(), link));
  EXPECT_EQ(ui::SingleInstance::socketOf(link), ui::SingleInstance::socketOf(folder.path()));
  EXPECT_FALSE(ui::SingleInstance(link).first());
}

TEST(SingleInstanceTest, NobodyElseMayReachTheSocketAndNonsenseIsDropped) {
  const QTemporaryDir folder;
  ui::SingleInstance first(folder.path());
  int calls = 0;
  first.setHandler([&](const ui::StartRequest&) { ++calls; });
  const QString path = ui::SingleInstance::socketOf(folder.path());
  ASSERT_TRUE(QFile::exists(path));
  EXPECT_EQ(QFile::permissions(path) & (QFile::ReadOther | QFile::WriteOther | QFile::ReadGroup | QFile::WriteGroup), QFile::Permissions());
  for (const QByteArray& words : {QByteArray("GET / HTTP/1.1\n"), QByteArray("{\"open\":"), QByteArray(600'000, 'x'), QByteArray("\n")}) {
    QLocalSocket socket;
    socket.connectToServer(path);
    ASSERT_TRUE(socket.waitForConnected(2000));
    socket.write(words);
    socket.flush();
    QTest::qWait(30);
    EXPECT_EQ(socket.readAll(), QByteArray());
  }
  EXPECT_EQ(calls, 0);
  EXPECT_TRUE(handOver(folder.path(), {}));
  EXPECT_EQ(calls, 1);
}

TEST(SingleInstanceTest, AfterAnEndTheNextStartIsTheFirst) {
  const QTemporaryDir folder;
  {
    ui::SingleInstance first(folder.path());
    ASSERT_TRUE(first.first());
  }
  // One that was killed leaves its socket and its lock file behind; neither is in the way.
  QFile stale(ui::SingleInstance::socketOf(folder.path()));
  ASSERT_TRUE(stale.open(QIODevice::WriteOnly));
  stale.close();
  ui::SingleInstance next(folder.path());
  EXPECT_TRUE(next.first());
  EXPECT_TRUE(handOver(folder.path(), {}));
}

TEST(SingleInstanceTest, AStartDuringTheEndOfTheFirstBecomesTheFirst) {
  const QTemporaryDir folder;
  auto first = std::make_unique<ui::SingleInstance>(folder.path());
  first->close();
  std::atomic<bool> done = false, became = false, handed = true;
  std::thread other([&] {
    ui::SingleInstance second(folder.path());
    handed = second.handOver({}, 10'000);
    became = second.first();
    done = true;
  });
  QTest::qWait(200);
  EXPECT_FALSE(done);
  first.reset();
  EXPECT_TRUE(waitUntil([&] { return done.load(); }, 10'000));
  other.join();
  EXPECT_FALSE(handed);
  EXPECT_TRUE(became);
}

QByteArray bytesOf(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void putBytes(const QString& path, const QByteArray& bytes) {
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
  file.write(bytes);
}

TEST(SettingsFileTest, AFileThatLostItsEndLosesNoSetting) {
  const QTemporaryDir folder;
  const QString path = folder.filePath(u"desktop.ini"_s);
  {
    ui::SettingsFile file(path);
    file.setValue(u"language"_s, u"zh_CN"_s);
    file.setValue(u"draft"_s, u"half a\nthought; \"模\""_s);
    file.setValue(u"geometry"_s, QByteArray("\x01\xd9\x00\xff", 4));
    file.setValue(u"tray"_s, true);
    file.setValue(u"zoom/level"_s, 3);
  }
  const QByteArray whole = bytesOf(path);
  ASSERT_GT(whole.size(), 40);
  for (qsizetype kept = 0; kept < whole.size() - 1; ++kept) {
    putBytes(path, whole.left(kept));
    const ui::SettingsFile file(path);
    ASSERT_EQ(file.value(u"draft"_s).toString(), u"half a\nthought; \"模\""_s) << kept;
    ASSERT_EQ(file.value(u"geometry"_s).toByteArray(), QByteArray("\x01\xd9\x00\xff", 4)) << kept;
    ASSERT_TRUE(file.value(u"tray"_s).toBool()) << kept;
    ASSERT_EQ(file.value(u"zoom/level"_s).toInt(), 3) << kept;
  }
  // Blocks that never reached the disk read as zeros.
  putBytes(path, QByteArray(whole.size(), '\0'));
  EXPECT_EQ(ui::SettingsFile(path).value(u"language"_s).toString(), u"zh_CN"_s);
  // Both gone: the defaults, and it can be written again.
  ASSERT_TRUE(QFile::remove(path));
  ASSERT_TRUE(QFile::remove(path + ".before"_L1));
  {
    ui::SettingsFile file(path);
    EXPECT_FALSE(file.value(u"language"_s).isValid());
    file.setValue(u"language"_s, u"en"_s);
    file.flush();
    EXPECT_EQ(QSettings(path, QSettings::IniFormat).value(u"language"_s).toString(), u"en"_s);
  }
}

TEST(SettingsFileTest, WhatAPersonWroteIsReadAndAFolderThatCannotBeWrittenIsNoMatter) {
  const QTemporaryDir folder;
  const QString path = folder.filePath(u"desktop.ini"_s);
  putBytes(path, "[General]\nlanguage=zh_CN\ntheme=dark\n");
  {
    const ui::SettingsFile file(path);
    EXPECT_EQ(file.value(u"theme"_s).toString(), u"dark"_s);
    EXPECT_FALSE(file.recovered());
  }
  ui::SettingsFile nowhere(u"/proc/nowhere/desktop.ini"_s);
  nowhere.setValue(u"theme"_s, u"dark"_s);
  nowhere.flush();
  EXPECT_EQ(nowhere.value(u"theme"_s).toString(), u"dark"_s);
}

TEST(SettingsFileTest, KilledAtAnyMomentItKeepsWhatWasWritten) {
  const QTemporaryDir folder;
  const QString path = folder.filePath(u"desktop.ini"_s);
  int last = 0;
  for (int round = 0; round < 25; ++round) {
    QProcess writer;
    writer.start(QStringLiteral(HEARTH_SETTINGS_WRITER), {path});
    ASSERT_TRUE(writer.waitForStarted());
    // What came while it was waited for the start does not come again.
    ASSERT_TRUE(writer.bytesAvailable() > 0 || writer.waitForReadyRead(20'000));
    QTest::qWait(3 + round * 7 % 50);
    writer.kill();
    writer.waitForFinished();
    const ui::SettingsFile file(path);
    const int now = file.value(u"first"_s).toInt();
    // A group of three values may be cut between them, a value not, and none gets older.
    EXPECT_GE(now, last);
    EXPECT_GE(file.value(u"last"_s).toInt(), now - 1);
    EXPECT_LE(file.value(u"last"_s).toInt(), now);
    if (now > 0) {
      EXPECT_EQ(file.value(u"text"_s).toString().size(), file.value(u"text"_s).isValid() ? 2000 : 0);
    }
    last = now;
  }
  EXPECT_GT(last, 3);
}

TEST(SettingsFileTest, ALockThatAKilledOneLeftEmptyHoldsNobody) {
  const QTemporaryDir folder;
  const QString path = folder.filePath(u"desktop.ini"_s);
  for (const QString& lock : {path + u".lock"_s, path + u".before.lock"_s}) {
    QFile file(lock);
    ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  }
  QElapsedTimer timer;
  timer.start();
  ui::SettingsFile file(path);
  file.setValue(u"first"_s, 1);
  file.flush();
  EXPECT_LT(timer.elapsed(), 10'000);
  EXPECT_EQ(ui::SettingsFile(path).value(u"first"_s).toInt(), 1);
}

TEST(WindowPlaceTest, AWindowIsNeverOffScreen) {
  const QRect left(0, 0, 1920, 1080), right(1920, 0, 2560, 1440), laptop(0, 24, 1024, 576);
  const struct {
    QRect wanted;
    QList<QRect> screens;
  } cases[] = {
      {{100, 100, 1280, 800}, {left}},         {{3000, 200, 1280, 800}, {left}},  {{-5000, -5000, 1280, 800}, {left, right}},
      {{1900, 900, 1280, 800}, {left, right}}, {{0, 0, 3000, 2000}, {left}},      {{0, 0, 1280, 800}, {laptop}},
      {{4000, 1300, 860, 560}, {left, right}}, {{100, -300, 1280, 800}, {left}},  {{2000, 100, 5000, 500}, {left, right}},
  };
  for (const auto& [wanted, screens] : cases) {
    const QRect placed = ui::placeOnScreens(wanted, screens);
    EXPECT_TRUE(std::ranges::any_of(screens, [&](const QRect& screen) { return screen.contains(placed); }))
        << placed.x() << ',' << placed.y() << ' ' << placed.width() << 'x' << placed.height();
    EXPECT_LE(placed.width(), wanted.width());
  }
  EXPECT_EQ(ui::placeOnScreens({100, 100, 1280, 800}, {left}), QRect(100, 100, 1280, 800));
  EXPECT_EQ(ui::placeOnScreens({2000, 100, 1280, 800}, {left, right}), QRect(2000, 100, 1280, 800));
  EXPECT_EQ(ui::placeOnScreens({1, 2, 3, 4}, {}), QRect(1, 2, 3, 4));
  EXPECT_EQ(ui::leastSize({860, 560}, {laptop}), QSize(860, 544));
  EXPECT_EQ(ui::leastSize({860, 560}, {laptop, left}), QSize(860, 560));
}

TEST(AutostartTest, TheFileIsThereWhileItIsOnAndGoneAfter) {
  const QTemporaryDir config;
  const QString folder = config.filePath(u"autostart"_s);
  const ui::Autostart autostart(u"/opt/my \"$apps\"/100%/hearth-desktop"_s, {u"--background"_s, u"--data-dir"_s, u"/d\\e"_s}, folder);
  EXPECT_FALSE(autostart.enabled());
  EXPECT_FALSE(QDir(folder).exists()) << "nothing without a yes";
  ASSERT_TRUE(autostart.refresh());
  EXPECT_FALSE(QDir(folder).exists());
  ASSERT_TRUE(autostart.setEnabled(true));
  EXPECT_TRUE(autostart.enabled());
  EXPECT_TRUE(bytesOf(autostart.file()).contains(
      R"(Exec="/opt/my \\"\\$apps\\"/100%%/hearth-desktop" "--background" "--data-dir" "/d\\\\e")")) << bytesOf(autostart.file()).toStdString();
  // Moved: the next start by hand mends it. Switched off in the desktop's own list: stays off.
  const ui::Autostart moved(u"/new/hearth-desktop"_s, {u"--background"_s}, folder);
  ASSERT_TRUE(moved.refresh());
  EXPECT_TRUE(bytesOf(moved.file()).contains("Exec=\"/new/hearth-desktop\" \"--background\"\n"));
  putBytes(moved.file(), moved.text() + "Hidden=true\n");
  EXPECT_FALSE(moved.enabled());
  ASSERT_TRUE(moved.refresh());
  EXPECT_FALSE(moved.enabled());
  ASSERT_TRUE(moved.setEnabled(true));
  EXPECT_TRUE(moved.enabled());
  ASSERT_TRUE(moved.setEnabled(false));
  EXPECT_FALSE(QFile::exists(moved.file()));
  ASSERT_TRUE(moved.setEnabled(false)) << "twice is no error";
  EXPECT_FALSE(ui::Autostart(u"/x"_s, {}, u"/proc/nowhere/autostart"_s).setEnabled(true));
}

/// The window with its shell; the tray is there or not as the test says.
struct Shelled : Desktop {
  bool tray = true;
  int quits = 0;
  QTemporaryDir config;
  ui::MotionManager motion{*qApp};
  std::unique_ptr<ui::Shell> shell;
  ~Shelled() {
    shell.reset();
    QApplication::setQuitOnLastWindowClosed(true);
  }
  ui::Autostart autostart() const { return {u"/usr/bin/hearth-desktop"_s, {u"--background"_s}, config.filePath(u"autostart"_s)}; }
  void start(const ui::StartRequest& request = {}) {
    show();
    window->hide();
    shell = std::make_unique<ui::Shell>(*bridge, preferences, motion, *window, ui::Shell::Options{autostart(), [this] { return tray; }, 100});
    shell->start(request);
  }
  ui::QuestionDialog* question() {
    (void)waitUntil([&] { return shell->opener().question() != nullptr && shell->opener().question()->isVisible(); });
    return shell->opener().question();
  }
};

TEST(ShellTest, WithATrayClosingHidesAndTheIconBringsItBack) {
  Shelled desktop;
  desktop.preferences.setTray(true);
  desktop.start();
  EXPECT_TRUE(desktop.window->isVisible());
  desktop.window->close();
  EXPECT_FALSE(desktop.window->isVisible());
  EXPECT_FALSE(QApplication::quitOnLastWindowClosed());
  ui::Tray& tray = desktop.shell->tray();
  EXPECT_EQ(tray.statusLine()->text(), u"Sharing is off"_s);
  EXPECT_EQ(tray.shareAction()->text(), u"Share…"_s);
  tray.shareAction()->trigger();
  EXPECT_TRUE(desktop.window->isVisible());
  EXPECT_EQ(desktop.window->page(), ui::Page::Server);
  EXPECT_FALSE(desktop.bridge->server().running()) << "the switch is the user's";
  desktop.window->close();
  desktop.bridge->server().start(18080, {}, false);
  ASSERT_TRUE(waitUntil([&] { return desktop.bridge->server().running(); }));
  EXPECT_EQ(tray.statusLine()->text(), ui::StatusStrip::serverText(desktop.bridge->server()));
  EXPECT_EQ(tray.shareAction()->text(), u"Stop the server"_s);
  tray.shareAction()->trigger();
  EXPECT_TRUE(waitUntil([&] { return !desktop.bridge->server().running(); }));
  tray.openAction()->trigger();
  EXPECT_TRUE(desktop.window->isVisible());
  desktop.language.setLanguage(u"zh_CN"_s);
  QCoreApplication::processEvents();
  EXPECT_EQ(tray.quitAction()->text(), u"退出"_s);
}

TEST(ShellTest, WithoutATrayClosingEndsAndTheOptionSaysWhy) {
  Shelled desktop;
  desktop.tray = false;
  desktop.preferences.setTray(true);  // it was there once
  desktop.start();
  EXPECT_TRUE(QApplication::quitOnLastWindowClosed());
  EXPECT_TRUE(desktop.shell->card()->trayNote()->text().startsWith(u"This desktop shows no tray icons"_s));
  EXPECT_TRUE(desktop.shell->card()->trayBox()->isChecked());
  desktop.shell->card()->trayBox()->click();
  EXPECT_FALSE(desktop.preferences.tray());
  EXPECT_FALSE(desktop.shell->card()->trayBox()->isEnabled()) << "off stays off";
  desktop.window->close();
  EXPECT_FALSE(desktop.window->isVisible());
}

TEST(ShellTest, NothingIsSwitchedOnByItself) {
  Shelled desktop;
  desktop.start();
  ui::SystemCard* card = desktop.shell->card();
  EXPECT_FALSE(card->trayBox()->isChecked());
  EXPECT_FALSE(card->autostartBox()->isChecked());
  EXPECT_FALSE(desktop.shell->tray().shown());
  EXPECT_FALSE(QFile::exists(desktop.autostart().file()));
  card->trayBox()->click();
  EXPECT_TRUE(desktop.preferences.tray());
  EXPECT_TRUE(desktop.shell->tray().shown());
  ASSERT_TRUE(waitUntil([&] { return card->autostartBox()->isEnabled(); }));
  card->autostartBox()->click();
  EXPECT_TRUE(waitUntil([&] { return QFile::exists(desktop.autostart().file()) && card->autostartBox()->isEnabled(); }));
  EXPECT_TRUE(card->autostartBox()->isChecked());
  card->autostartBox()->click();
  EXPECT_TRUE(waitUntil([&] { return !QFile::exists(desktop.autostart().file()); }));
}

TEST(ShellTest, AnAutostartThatCannotBeWrittenIsToldWhereItWasAsked) {
  Shelled desktop;
  putBytes(desktop.config.filePath(u"autostart"_s), "a file");
  desktop.start();
  desktop.window->showPage(ui::Page::Settings);
  ui::SystemCard* card = desktop.shell->card();
  ASSERT_TRUE(waitUntil([&] { return card->autostartBox()->isEnabled(); }));
  card->autostartBox()->click();
  EXPECT_TRUE(waitUntil([&] { return card->errorBox()->isVisible() && !card->autostartBox()->isChecked(); }));
}

TEST(ShellTest, StartedWithTheSessionItWaitsInTheTray) {
  {
    Shelled desktop;
    desktop.preferences.setTray(true);
    desktop.start({.background = true});
    EXPECT_FALSE(desktop.window->isVisible());
    desktop.shell->handle({.page = u"dashboard"_s});
    EXPECT_TRUE(desktop.window->isVisible());
    EXPECT_EQ(desktop.window->page(), ui::Page::Dashboard);
  }
  Shelled desktop;
  desktop.tray = false;
  desktop.start({.background = true});
  EXPECT_TRUE(desktop.window->isMinimized());
  desktop.shell->handle({});
  EXPECT_FALSE(desktop.window->isMinimized());
}

TEST(ShellTest, ScaleAndMotionAreChosenAndKept) {
  Shelled desktop;
  desktop.start();
  ui::SystemCard* card = desktop.shell->card();
  const QString before = card->scaleNote()->text();
  const auto choose = [](QComboBox* box, const QVariant& value) {
    box->setCurrentIndex(box->findData(value));
    emit box->activated(box->currentIndex());
  };
  choose(card->scaleBox(), 150);
  EXPECT_EQ(desktop.preferences.scale(), 150);
  EXPECT_NE(card->scaleNote()->text(), before) << "says that it holds from the next start";
  const int flash = QApplication::cursorFlashTime();
  choose(card->motionBox(), static_cast<int>(ui::MotionChoice::Reduced));
  EXPECT_TRUE(ui::MotionManager::reduced());
  EXPECT_EQ(QApplication::cursorFlashTime(), 0);
  EXPECT_EQ(desktop.preferences.motion(), ui::MotionChoice::Reduced);
  choose(card->motionBox(), static_cast<int>(ui::MotionChoice::Full));
  EXPECT_FALSE(ui::MotionManager::reduced());
  EXPECT_EQ(QApplication::cursorFlashTime(), flash);
  desktop.preferences.setScale(5000);
  EXPECT_EQ(desktop.preferences.scale(), 200);
}

TEST(OpenerTest, AModelLinkAsksBeforeAHubIsAsked) {
  Shelled desktop;
  HubScene scene(desktop);
  desktop.start({.open = {u"hearth://model/Qwen/Qwen3-4B-GGUF:Q4_K_M"_s}});
  ui::QuestionDialog* question = desktop.question();
  ASSERT_NE(question, nullptr);
  EXPECT_EQ(question->subjectLabel()->text(), u"Qwen/Qwen3-4B-GGUF:Q4_K_M"_s);
  EXPECT_TRUE(question->noButton()->isDefault());
  const auto* discover = desktop.window->models()->discover();
  question->noButton()->click();
  QTest::qWait(50);
  EXPECT_TRUE(discover->results().empty());
  EXPECT_NE(desktop.window->models()->tab(), ui::ModelsPage::Tab::Discover);
  desktop.shell->handle({.open = {u"hearth://model/Qwen/Qwen3-4B-GGUF:Q4_K_M"_s}});
  question = desktop.question();
  ASSERT_NE(question, nullptr);
  question->yesButton()->click();
  ASSERT_TRUE(waitUntil([&] { return discover->results().size() == 1 && discover->results().front()->isOpen(); }));
  EXPECT_EQ(desktop.window->page(), ui::Page::Models);
  EXPECT_TRUE(desktop.host.downloads().list().empty()) << "looking at it is not downloading it";
}

TEST(OpenerTest, AChatIsShownAfterAYes) {
  Shelled desktop;
  const auto chat = desktop.host.store().createConversation("Sea", "m");
  ASSERT_TRUE(chat);
  desktop.start();
  desktop.window->showPage(ui::Page::Server);
  desktop.shell->handle({.open = {u"hearth://chat/%1"_s.arg(chat->id)}});
  ui::QuestionDialog* question = desktop.question();
  ASSERT_NE(question, nullptr);
  EXPECT_EQ(desktop.window->page(), ui::Page::Server);
  question->yesButton()->click();
  EXPECT_TRUE(waitUntil([&] { return desktop.window->chat()->controller().conversation().id == chat->id; }));
  EXPECT_EQ(desktop.window->page(), ui::Page::Chat);
}

TEST(OpenerTest, FilesAreOneQuestionAndImportedAfterAYes) {
  Shelled desktop;
  const QString a = desktop.folder.filePath(u"a.gguf"_s), b = desktop.folder.filePath(u"b.gguf"_s);
  putBytes(a, "GGUF");
  putBytes(b, "GGUF");
  desktop.start({.open = {a, b, desktop.folder.filePath(u"gone.gguf"_s), a}});
  ui::QuestionDialog* question = desktop.question();
  ASSERT_NE(question, nullptr);
  EXPECT_EQ(question->windowTitle(), u"Import these 2 models?"_s);
  EXPECT_TRUE(question->subjectLabel()->text().contains(u"gone.gguf: there is no such file"_s));
  EXPECT_FALSE(desktop.bridge->models().importing());
  question->yesButton()->click();
  EXPECT_TRUE(waitUntil([&] { return desktop.host.library().models().size() == 2; }));
}

TEST(OpenerTest, AFloodOfLinksIsNoFloodOfQuestions) {
  Shelled desktop;
  desktop.start();
  QStringList links{u"hearth://run/rm"_s};
  for (int i = 1; i < 200; ++i) links << u"hearth://chat/%1"_s.arg(i);
  desktop.shell->handle({.open = links});
  desktop.shell->handle({.open = links});
  ui::QuestionDialog* question = desktop.question();
  ASSERT_NE(question, nullptr);
  EXPECT_FALSE(question->yesButton()->isVisible()) << "what is refused has no yes";
  EXPECT_LE(desktop.shell->opener().waiting(), 16u);
  question->noButton()->click();
  question = desktop.question();
  ASSERT_NE(question, nullptr);
  EXPECT_EQ(question->subjectLabel()->text(), u"Chat 1"_s);
}

}  // namespace
}  // namespace hearth::test
