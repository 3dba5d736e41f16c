#include <QApplication>
#include <QCommandLineParser>
#include <QEventLoop>
#include <QLabel>
#include <QDir>
#include <QSocketNotifier>
#include <QTimer>

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <thread>

#include "core/base/paths.h"
#include "core/base/platform/platform.h"
#include "core/base/platform/termination.h"
#include "core/host/host.h"
#include "ui/desktop/app/main_window.h"
#include "ui/desktop/app/preferences.h"
#include "ui/desktop/app/resources.h"
#include "ui/desktop/app/startup_error.h"
#include "ui/desktop/bridge/bridge.h"
#include "ui/desktop/common/language.h"
#include "ui/desktop/common/motion.h"
#include "ui/desktop/common/theme.h"
#include "ui/desktop/shell/shell.h"
#include "ui/desktop/shell/single_instance.h"

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
  parser.addOption({u"background"_s, QCoreApplication::translate("main", "Start in the tray, or minimised where there is none.")});
  parser.addPositionalArgument(u"open"_s, QCoreApplication::translate("main", "GGUF files and hearth:// links to open; asked about first."),
                               QCoreApplication::translate("main", "[file or link…]"));
}

/// What is needed before there is an application object: its size on the screen is chosen then.
QString dataFolderOption(int argc, char** argv) {
  QStringList arguments;
  for (int i = 0; i < argc; ++i) arguments << QString::fromLocal8Bit(argv[i]);
  QCommandLineParser parser;
  describe(parser);
  (void)parser.parse(arguments);  // options of Qt are strangers here; mistakes are told later
  return parser.value(u"data-dir"_s);
}

ui::StartRequest requestOf(const QCommandLineParser& parser) {
  ui::StartRequest request;
  for (const QString& argument : parser.positionalArguments()) {
    const bool link = argument.contains("://"_L1) || argument.startsWith("hearth:"_L1);
    request.open << (link ? argument : QDir::current().absoluteFilePath(argument));
  }
  request.page = parser.value(u"page"_s);
  request.background = parser.isSet(u"background"_s);
  request.activationToken = qEnvironmentVariable("XDG_ACTIVATION_TOKEN");
  qunsetenv("XDG_ACTIVATION_TOKEN");  // good for one window, and not for programs that this one starts
  return request;
}

/// True when a start before this one took the request over.
bool handedOver(ui::SingleInstance& instance, const QCommandLineParser& parser, const ui::StartRequest& request) {
  if (instance.first()) return false;
  constexpr int kPatience = 5000;
  if (!instance.handOver(request, kPatience)) return false;  // it does not answer: the folder's owner is told as always
  for (const QString& option : {u"threads"_s, u"context"_s, u"model"_s}) {
    if (parser.isSet(option)) std::fprintf(stderr, "hearth-desktop: it runs already; --%s holds for a start only\n", qPrintable(option));
  }
  return true;
}

ui::Autostart autostartFor(const QString& dataOption) {
  QStringList arguments{u"--background"_s};
  if (!dataOption.isEmpty()) arguments << u"--data-dir"_s << QDir::current().absoluteFilePath(dataOption);
  return {QString::fromStdString(platform::executablePath().string()), arguments};
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
  const QString dataOption = dataFolderOption(argc, argv);
  const DataPaths paths = chooseDataPaths(dataOption.toStdString());
  const QString folder = QString::fromStdString(paths.root.string());
  if (paths.portable) ui::keepQtSettingsIn(folder + "/config"_L1);
  ui::Preferences preferences(folder);
  const int scale = preferences.scale();
  const auto unscale = ui::scaleEverything(scale);
  QApplication app(argc, argv);
  unscale();
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

  (void)prepareDataPaths(paths);  // for the lock; where it fails, the Host says why
  ui::SingleInstance instance(folder);
  const ui::StartRequest request = requestOf(parser);
  if (handedOver(instance, parser, request)) return 0;
  ui::LanguageManager language;
  language.setLanguage(preferences.language());
  ui::ThemeManager theme(app);
  theme.setChoice(preferences.theme());
  ui::MotionManager motion(app);
  motion.setChoice(preferences.motion());

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
    ui::Shell shell(bridge, preferences, motion, window, {autostartFor(dataOption), {}, scale});
    shell.start(request);
    instance.setHandler([&shell](const ui::StartRequest& other) { shell.handle(other); });
    status = QApplication::exec();
    instance.close();
    window.hide();
    preferences.flush();
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
