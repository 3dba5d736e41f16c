#include "ui/desktop/app/main_window.h"

#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QHBoxLayout>
#include <QMimeData>
#include <QShortcut>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <cstdio>
#include <filesystem>

#include "ui/desktop/app/preferences.h"
#include "ui/desktop/app/status_strip.h"
#include "ui/desktop/bridge/bridge.h"
#include "ui/desktop/bridge/models_bridge.h"
#include "ui/desktop/bridge/monitor_bridge.h"
#include "ui/desktop/bridge/server_bridge.h"
#include "ui/desktop/chat/chat_page.h"
#include "ui/desktop/chat/composer.h"
#include "ui/desktop/chat/transcript_view.h"
#include "ui/desktop/common/format.h"
#include "ui/desktop/dashboard/dashboard_page.h"
#include "ui/desktop/library/models_page.h"
#include "ui/desktop/server/server_page.h"
#include "ui/desktop/settings/settings_page.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

MainWindow::MainWindow(const WindowContext& context)
    : m_context(context),
      m_rail(new Rail),
      m_pages(new QStackedWidget),
      m_chat(new ChatPage(context.bridge)),
      m_models(new ModelsPage(context.bridge)),
      m_dashboard(new DashboardPage(context.bridge)),
      m_server(new ServerPage(context.bridge, context.preferences)),
      m_settings(new SettingsPage(context)),
      m_strip(new StatusStrip(context.bridge)) {
  setWindowTitle(u"Hearth"_s);
  setWindowIcon(QIcon(u":/icons/hearth.svg"_s));
  setMinimumSize(860, 560);
  setAcceptDrops(true);
  for (QWidget* page : std::initializer_list<QWidget*>{m_chat, m_models, m_dashboard, m_server, m_settings}) {
    page->setFocusPolicy(Qt::ClickFocus);
    m_pages->addWidget(page);
  }
  auto* body = new QWidget;
  auto* column = new QVBoxLayout(body);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  auto* row = new QHBoxLayout;
  row->setSpacing(0);
  row->addWidget(m_rail);
  row->addWidget(m_pages, 1);
  column->addLayout(row, 1);
  column->addWidget(m_strip);
  setCentralWidget(body);
  resize(1280, 800);
  restoreGeometry(context.preferences.geometry());

  connect(m_rail, &Rail::picked, this, &MainWindow::showPage);
  connect(m_strip, &StatusStrip::serverWanted, this, [this] { showPage(Page::Server); });
  connect(m_chat, &ChatPage::modelsPageWanted, this, [this] { showPage(Page::Models); });
  connect(m_models, &ModelsPage::chatWanted, this, [this](const QString& model) {
    m_chat->controller().setModel(model);
    showPage(Page::Chat);
  });
  connect(m_models, &ModelsPage::firstModelArrived, this, [this](const QString& model) {
    m_context.bridge.models().load(model);
    m_chat->controller().setModel(model);
    if (page() == Page::Models || page() == Page::Chat) showPage(Page::Chat);
  });
  connect(m_models, &ModelsPage::tokenWanted, this, [this] {
    showPage(Page::Settings);
    m_settings->focusToken();
  });
  connect(m_models, &ModelsPage::firstRunSkipped, this, [this] {
    m_context.preferences.setFirstRunSkipped(true);
    showPage(Page::Chat);
  });
  m_models->setFirstRun(!context.preferences.firstRunSkipped());
  ModelsBridge& models = context.bridge.models();
  connect(&models, &ModelsBridge::modelsChanged, this, [this] {
    if (!m_firstScanDone) afterFirstScan();
  });
  connect(&models, &ModelsBridge::statusChanged, this, [this](const QString& id) {
    if (m_context.bridge.models().status(id).state == ModelState::Ready) m_context.preferences.setLastModel(id);
  });
  // Also when the program is told to end from outside, and no window was closed.
  connect(qApp, &QCoreApplication::aboutToQuit, this, &MainWindow::remember);
  addShortcuts();
  models.scan();
  m_chat->composer()->setText(context.preferences.draft());
  m_chat->composer()->focusText();
}

void MainWindow::addShortcuts() {
  const auto add = [this](const QKeySequence& keys, auto action) {
    auto* shortcut = new QShortcut(keys, this);
    connect(shortcut, &QShortcut::activated, this, action);
  };
  add(QKeySequence(Qt::CTRL | Qt::Key_N), [this] {
    showPage(Page::Chat);
    m_chat->newChat();
  });
  for (int i = 0; i < 5; ++i) {
    add(QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + i)), [this, i] { showPage(static_cast<Page>(i)); });
  }
  add(QKeySequence(Qt::CTRL | Qt::Key_Comma), [this] { showPage(Page::Settings); });
  add(QKeySequence(Qt::CTRL | Qt::Key_F), [this] {
    if (page() == Page::Chat) m_chat->transcript()->openFind();
  });
  add(QKeySequence(Qt::Key_Escape), [this] {
    if (page() == Page::Chat) m_chat->stop();
  });
  add(QKeySequence(Qt::CTRL | Qt::Key_Q), [this] { emit quitWanted(); });
}

void MainWindow::showPage(Page page) {
  m_pages->setCurrentIndex(static_cast<int>(page));
  m_rail->setPage(page);
  if (page == Page::Chat) {
    m_chat->composer()->focusText();
  } else {
    m_pages->currentWidget()->setFocus();  // not its first button: that would look chosen
  }
}

Page MainWindow::page() const { return static_cast<Page>(m_pages->currentIndex()); }

void MainWindow::afterFirstScan() {
  m_firstScanDone = true;
  ModelsBridge& models = m_context.bridge.models();
  if (!models.loadedModel().isEmpty()) return;
  if (models.models().empty() && page() == Page::Chat && !m_context.preferences.firstRunSkipped()) showPage(Page::Models);
  // Never a dead end: the model of last time, or the only one, is there without a click.
  QString wanted = m_context.preferences.lastModel();
  if (!m_startModel.isEmpty()) {
    const std::filesystem::path path(m_startModel.toStdString());
    bool known = false;
    for (const InstalledModel& model : models.models()) {
      std::error_code noSuchFile;
      if (q(model.id) != m_startModel && !std::filesystem::equivalent(model.path, path, noSuchFile)) continue;
      wanted = q(model.id);
      known = true;
    }
    // It was named on the command line: that is where its absence is told.
    if (!known) std::fprintf(stderr, "hearth-desktop: no model %s in the model folders\n", path.c_str());
  }
  if (const InstalledModel* last = models.find(wanted); !last || last->problem) {
    wanted.clear();
    int usable = 0;
    for (const InstalledModel& model : models.models()) {
      if (model.problem) continue;
      ++usable;
      wanted = q(model.id);
    }
    if (usable != 1) return;
  }
  models.load(wanted);
}

void MainWindow::remember() {
  // A field that is being edited hands over its value when it loses the focus.
  if (QWidget* field = focusWidget()) field->clearFocus();
  m_context.preferences.setDraft(m_chat->composer()->text());
  m_context.preferences.setGeometry(saveGeometry());
}

void MainWindow::setWatched(bool watched) {
  m_context.bridge.monitor().setWatched(watched);
  m_context.bridge.server().setWatched(watched);
}

void MainWindow::changeEvent(QEvent* event) {
  QMainWindow::changeEvent(event);
  if (event->type() == QEvent::WindowStateChange) setWatched(isVisible() && !isMinimized());
}

void MainWindow::showEvent(QShowEvent* event) {
  QMainWindow::showEvent(event);
  setWatched(!isMinimized());
}

void MainWindow::hideEvent(QHideEvent* event) {
  QMainWindow::hideEvent(event);
  setWatched(false);
}

void MainWindow::closeEvent(QCloseEvent* event) {
  remember();
  event->accept();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (!ModelsPage::modelFiles(event->mimeData()).isEmpty()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  const QStringList files = ModelsPage::modelFiles(event->mimeData());
  if (files.isEmpty()) return;
  event->acceptProposedAction();
  showPage(Page::Models);
  m_models->importFiles(files);
}

}  // namespace hearth::ui
