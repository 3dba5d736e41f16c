// hearth-desktop as the system sees it: a process that is started, told to end, and leaves a data folder behind.
#include <gtest/gtest.h>

#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>

#include <signal.h>

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
  Program first;
  ASSERT_TRUE(first.waitForLog("Hearth "));
  QProcess second;
  second.start(QStringLiteral(HEARTH_DESKTOP_BINARY), {u"--data-dir"_s, first.folder()});
  ASSERT_TRUE(second.waitForStarted());
  QTest::qWait(1000);
  EXPECT_EQ(second.state(), QProcess::Running) << "the dialog waits for an answer";
  second.terminate();
  ASSERT_TRUE(second.waitForFinished(2000));
  EXPECT_EQ(second.exitStatus(), QProcess::NormalExit);
  EXPECT_EQ(second.exitCode(), 1);
  EXPECT_EQ(first.process().state(), QProcess::Running);
}

}  // namespace
}  // namespace hearth::test
