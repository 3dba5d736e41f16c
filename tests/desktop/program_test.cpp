// hearth-desktop as the system sees it: a process that is started, told to end, and leaves a data folder behind.
#include <gtest/gtest.h>

#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>

#include <signal.h>

#include "core/base/platform/file_lock.h"

namespace hearth::test {
namespace {

using namespace Qt::StringLiterals;

class Program {
 public:
  explicit Program(const QStringList& arguments = {}) {
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(u"QT_QPA_PLATFORM"_s, u"offscreen"_s);
    m_process.setProcessEnvironment(environment);
    m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    m_process.start(QStringLiteral(HEARTH_DESKTOP_BINARY), QStringList{u"--data-dir"_s, m_folder.path()} + arguments);
    EXPECT_TRUE(m_process.waitForStarted());
  }
  ~Program() {
    m_process.kill();
    m_process.waitForFinished();
  }
  [[nodiscard]] QString file(const QString& name) const { return m_folder.path() + u'/' + name; }
  /// The window loads its models once it is there; the log tells of the Host.
  [[nodiscard]] bool waitForLog(const QByteArray& text) {
    return QTest::qWaitFor(
        [&] {
          QFile log(file(u"logs/hearth.log"_s));
          return log.open(QIODevice::ReadOnly) && log.readAll().contains(text);
        },
        30'000);
  }
  [[nodiscard]] qint64 end(int signal) {
    QElapsedTimer clock;
    clock.start();
    ::kill(static_cast<pid_t>(m_process.processId()), signal);
    return m_process.waitForFinished(20'000) ? clock.elapsed() : 20'000;
  }
  [[nodiscard]] const QProcess& process() const { return m_process; }
  [[nodiscard]] QString folder() const { return m_folder.path(); }

 private:
  QTemporaryDir m_folder;
  QProcess m_process;
};

class EndBySignal : public testing::TestWithParam<int> {};

TEST_P(EndBySignal, SavesAndEndsCleanly) {
  Program program;
  ASSERT_TRUE(program.waitForLog("Hearth "));
  QTest::qWait(700);  // the window comes after the Host; a signal before it must work as well, see below
  EXPECT_LT(program.end(GetParam()), 2000);
  EXPECT_EQ(program.process().exitStatus(), QProcess::NormalExit);
  EXPECT_EQ(program.process().exitCode(), 0);
  // A database that was closed has no log beside it; the window's geometry was written.
  EXPECT_TRUE(QFile::exists(program.file(u"hearth.db"_s)));
  EXPECT_FALSE(QFile::exists(program.file(u"hearth.db-wal"_s)));
  EXPECT_FALSE(QSettings(program.file(u"desktop.ini"_s), QSettings::IniFormat).value(u"geometry"_s).toByteArray().isEmpty());
}
INSTANTIATE_TEST_SUITE_P(Program, EndBySignal, testing::Values(SIGTERM, SIGINT, SIGHUP));

TEST(ProgramTest, ASignalDuringTheStartEndsItToo) {
  for (const int delay : {150, 250, 350, 450}) {
    Program program;
    QTest::qWait(delay);
    EXPECT_LT(program.end(SIGTERM), 3000);
    if (program.process().exitStatus() == QProcess::NormalExit) {
      EXPECT_EQ(program.process().exitCode(), 0);
      EXPECT_FALSE(QFile::exists(program.file(u"hearth.db-wal"_s)));
    }  // else it came before main(): then nothing had been opened yet
  }
}

TEST(ProgramTest, ADataFolderInUseIsToldAndASignalEndsThatDialog) {
  // By a server without a window, that is: it holds the folder and can show nothing.
  const QTemporaryDir folder;
  const auto lock = platform::FileLock::take((folder.path() + "/hearth.lock"_L1).toStdString());
  ASSERT_TRUE(lock);
  QProcess program;
  program.start(QStringLiteral(HEARTH_DESKTOP_BINARY), {u"--data-dir"_s, folder.path()});
  ASSERT_TRUE(program.waitForStarted());
  QTest::qWait(1000);
  EXPECT_EQ(program.state(), QProcess::Running) << "the dialog waits for an answer";
  program.terminate();
  ASSERT_TRUE(program.waitForFinished(2000));
  EXPECT_EQ(program.exitStatus(), QProcess::NormalExit);
  EXPECT_EQ(program.exitCode(), 1);
}

int startAgain(const QString& folder, const QStringList& arguments, QByteArray* errors = nullptr) {
  QProcess second;
  second.start(QStringLiteral(HEARTH_DESKTOP_BINARY), QStringList{u"--data-dir"_s, folder} + arguments);
  if (!second.waitForStarted() || !second.waitForFinished(20'000)) return -1;
  if (errors) *errors = second.readAllStandardError();
  return second.exitStatus() == QProcess::NormalExit ? second.exitCode() : -2;
}

TEST(ProgramTest, ASecondStartHandsOverAndEnds) {
  Program first;
  ASSERT_TRUE(first.waitForLog("Hearth "));
  QByteArray errors;
  EXPECT_EQ(startAgain(first.folder(), {u"--page"_s, u"models"_s, u"--threads"_s, u"1"_s, u"hearth://chat/1"_s}, &errors), 0);
  EXPECT_TRUE(errors.contains("--threads holds for a start only")) << errors.toStdString();
  EXPECT_EQ(first.process().state(), QProcess::Running);
  // Another folder is another program.
  Program other;
  EXPECT_TRUE(other.waitForLog("Hearth "));
  EXPECT_EQ(other.process().state(), QProcess::Running);
  EXPECT_LT(first.end(SIGTERM), 3000);
}

TEST(ProgramTest, AfterAKillTheNextStartIsTheFirst) {
  const QTemporaryDir folder;
  for (int round = 0; round < 2; ++round) {
    QProcess program;
    program.start(QStringLiteral(HEARTH_DESKTOP_BINARY), {u"--data-dir"_s, folder.path()});
    ASSERT_TRUE(program.waitForStarted());
    // The lock of the one that was killed is still there: this one's number has to stand in it.
    const auto holdsLock = [&] {
      QFile lock(folder.path() + "/desktop.lock"_L1);
      return lock.open(QIODevice::ReadOnly) && lock.readLine().trimmed().toLongLong() == program.processId();
    };
    ASSERT_TRUE(QTest::qWaitFor(holdsLock, 20'000));
    EXPECT_EQ(startAgain(folder.path(), {}), 0);
    EXPECT_EQ(program.state(), QProcess::Running);
    program.kill();
    ASSERT_TRUE(program.waitForFinished(5000));
  }
}

}  // namespace
}  // namespace hearth::test
