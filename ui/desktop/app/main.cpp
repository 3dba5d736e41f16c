#include <QApplication>
#include <QCommandLineParser>
#include <QEventLoop>
#include <QLabel>
#include <QSocketNotifier>
#include <QTimer>

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <thread>

#include "core/base/platform/termination.h"
#include "core/host/host.h"
#include "ui/desktop/app/main_window.h"
#include "ui/desktop/app/preferences.h"
#include "ui/desktop/app/resources.h"
#include "ui/desktop/app/startup_error.h"
#include "ui/desktop/bridge/bridge.h"
#include "ui/desktop/common/language.h"
#include "ui/desktop/common/theme.h"

namespace {

using namespace hearth;
using namespace Qt::StringLiterals;

/// Ends the event loop, however deep (a dialog may be open), when the system asks the program to end. What must be saved
/// is saved by those who own it: the window before the loop ends, chats and database when the Host is taken down.
class QuitOnSignal {
 public:
  explicit QuitOnSignal(QApplication& app) {
    const int descriptor = platform::watchTermination();
    if (descriptor < 0) return;
    m_notifier = std::make_unique<QSocketNotifier>(descriptor, QSocketNotifier::Read);
    QObject::connect(m_notifier.get(), &QSocketNotifier::activated, &app, [this] {
      m_notifier->setEnabled(false);
      m_asked = true;
      QApplication::exit(0);
    });
  }
  /// True once it was asked, also before QApplication::exec(), which would start anew.
  [[nodiscard]] bool asked() const noexcept { return m_asked; }

 private:
  std::unique_ptr<QSocketNotifier> m_notifier;
  bool m_asked = false;
};

void describe(QCommandLineParser& parser) {
  parser.setApplicationDescription(QCoreApplication::translate("main", "Language models on your own machine."));
  parser.addHelpOption();
  parser.addVersionOption();
  parser.addOption({u"data-dir"_s, QCoreApplication::translate("main", "Keep models, chats and settings in this folder."),
                    QCoreApplication::translate("main", "folder")});
  parser.addOption({u"threads"_s, QCoreApplication::translate("main", "Compute threads; 0 = automatic."),
                    QCoreApplication::translate("main", "count"), u"0"_s});
  parser.addOption({u"context"_s, QCoreApplication::translate("main", "Longest conversation in tokens; 0 = as the settings say."),
                    QCoreApplication::translate("main", "tokens"), u"0"_s});
  parser.addOption({u"model"_s, QCoreApplication::translate("main", "Load this model: a name, or a file in a model folder."),
                    QCoreApplication::translate("main", "model")});
  parser.addOption({u"page"_s, QCoreApplication::translate("main", "Open this page first: chat, models, dashboard, server or settings."),
                    QCoreApplication::translate("main", "page")});
}

bool asksForText(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    for (const char* flag : {"-h", "--help", "--help-all", "-v", "--version"}) {
      if (std::strcmp(argv[i], flag) == 0) return true;
    }
  }
  return false;
}

/// Makes the Host on a thread of its own: checking a large database takes time, and a window must be there meanwhile.
Result<std::unique_ptr<Host>> createHost(const HostOptions& options) {
  std::optional<Result<std::unique_ptr<Host>>> made;
  QEventLoop loop;
  std::thread thread([&made, &options, &loop] {
    made.emplace(Host::create(options));
    QMetaObject::invokeMethod(&loop, "quit", Qt::QueuedConnection);
  });
  QLabel waiting(QCoreApplication::translate("main", "Opening the data folder…"));
  waiting.setWindowTitle(u"Hearth"_s);
  waiting.setAlignment(Qt::AlignCenter);
  waiting.resize(360, 120);
  QTimer::singleShot(300, &loop, [&waiting] { waiting.show(); });
  loop.exec();
  thread.join();
  return std::move(*made);
}

ui::Page pageOf(const QString& name) {
  const QStringList names{u"chat"_s, u"models"_s, u"dashboard"_s, u"server"_s, u"settings"_s};
  return static_cast<ui::Page>(std::max<qsizetype>(0, names.indexOf(name)));
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication::setApplicationName(u"hearth-desktop"_s);
  QCoreApplication::setApplicationVersion(QString::fromLatin1(versionString()));
  if (asksForText(argc, argv)) {  // needs no display
    const QCoreApplication app(argc, argv);
    QCommandLineParser parser;
    describe(parser);
    parser.process(app);
    return 0;
  }
  platform::ignoreWriteSignals();
  QApplication app(argc, argv);
  const QuitOnSignal quit(app);
  QApplication::setDesktopFileName(u"hearth-desktop"_s);
  ui::initialiseResources();
  QCommandLineParser parser;
  describe(parser);
  parser.process(app);
  bool number = false;
  HostOptions options;
  options.dataDir = parser.value(u"data-dir"_s).toStdString();
  options.threads = parser.value(u"threads"_s).toInt(&number);
  options.leaveOneCore = true;
  if (!number || options.threads < 0) {
    std::fputs("hearth-desktop: --threads must be a number, 0 or more\n", stderr);
    return 2;
  }
  options.contextTokens = parser.value(u"context"_s).toInt(&number);
  if (!number || options.contextTokens < 0 || (options.contextTokens > 0 && options.contextTokens < 512)) {
    std::fputs("hearth-desktop: --context must be 0, or 512 and more\n", stderr);
    return 2;
  }

  const QString folder = QString::fromStdString(chooseDataPaths(options.dataDir).root.string());
  ui::Preferences preferences(folder);
  ui::LanguageManager language;
  language.setLanguage(preferences.language());
  ui::ThemeManager theme(app);
  theme.setChoice(preferences.theme());

  QApplication::setQuitOnLastWindowClosed(false);
  Result<std::unique_ptr<Host>> host = createHost(options);
  while (!host && !quit.asked()) {
    ui::StartupErrorDialog dialog(host.error(), folder);
    if (dialog.exec() != QDialog::Accepted) return 1;
    host = createHost(options);
  }
  if (quit.asked()) return host ? 0 : 1;
  QApplication::setQuitOnLastWindowClosed(true);

  int status = 0;
  {
    ui::Bridge bridge(**host);
    ui::MainWindow window({bridge, preferences, theme, language});
    window.setStartModel(parser.value(u"model"_s));
    if (parser.isSet(u"page"_s)) window.showPage(pageOf(parser.value(u"page"_s)));
    window.show();
    status = QApplication::exec();
    window.hide();
    // What is to be kept is kept first. Then memory is given back; a model in the middle of a long step would hold that up,
    // and nobody waits longer than this for a program that has nothing left to say.
    (*host)->chat().shutdown();
    std::thread([status] {
      std::this_thread::sleep_for(std::chrono::milliseconds(700));
      ::_exit(status);
    }).detach();
  }
  host->reset();
  return status;
}
