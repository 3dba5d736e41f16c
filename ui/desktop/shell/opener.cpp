#include "ui/desktop/shell/opener.h"

#include <QFileInfo>

#include <algorithm>

#include "core/library/hub.h"
#include "ui/desktop/app/main_window.h"
#include "ui/desktop/bridge/bridge.h"
#include "ui/desktop/bridge/hub_bridge.h"
#include "ui/desktop/bridge/models_bridge.h"
#include "ui/desktop/chat/chat_page.h"
#include "ui/desktop/common/format.h"
#include "ui/desktop/library/discover_view.h"
#include "ui/desktop/library/models_page.h"
#include "ui/desktop/shell/question_dialog.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr std::size_t kMostWaiting = 16;  // a page that fires links does not bury the user in questions
constexpr qsizetype kMostNamed = 6;

}  // namespace

Opener::Opener(Bridge& bridge, MainWindow& window) : m_bridge(bridge), m_window(window) {}

QuestionDialog* Opener::question() const { return m_dialog; }

void Opener::open(const QStringList& arguments) {
  Asked files;
  for (const QString& argument : arguments) {
    const auto opening = parseOpening(argument, QString());
    if (!opening) {
      add({.refused = argument.left(200)});
    } else if (opening->kind == Opening::Kind::File) {
      if (!files.files.contains(opening->text)) files.files << opening->text;
    } else {
      add({.kind = opening->kind, .text = opening->text, .chat = opening->chat});
    }
  }
  if (!files.files.isEmpty()) add(std::move(files));
}

void Opener::add(Asked asked) {
  if (m_asking && asked == m_now) return;
  if (std::ranges::find(m_waiting, asked) != m_waiting.end() || m_waiting.size() >= kMostWaiting) return;
  m_waiting.push_back(std::move(asked));
  next();
}

void Opener::next() {
  if (m_asking || m_waiting.empty()) return;
  m_asking = true;
  m_now = std::move(m_waiting.front());
  m_waiting.pop_front();
  if (m_now.files.isEmpty()) {
    ask(m_now);
  } else {
    askFiles(m_now);
  }
}

void Opener::show(QuestionDialog* dialog) {
  m_dialog = dialog;
  connect(dialog, &QDialog::finished, this, [this] {
    m_asking = false;
    // The answer is acted on first.
    QMetaObject::invokeMethod(this, &Opener::next, Qt::QueuedConnection);
  });
  dialog->open();
}

void Opener::ask(const Asked& asked) {
  if (!asked.refused.isEmpty()) {
    show(new QuestionDialog(tr("Hearth cannot open this"), asked.refused,
                            tr("Hearth opens GGUF models, links to a hub's model (hearth://model/…) and links to a chat (hearth://chat/…)."), {}, &m_window));
    return;
  }
  if (asked.kind == Opening::Kind::Chat) {
    auto* dialog = new QuestionDialog(tr("Open a chat?"), tr("Chat %1").arg(asked.chat), tr("A link asks Hearth to show this chat. It stays on this computer."),
                                      tr("Show the chat"), &m_window);
    connect(dialog, &QDialog::accepted, this, [this, id = asked.chat] {
      m_window.showPage(Page::Chat);
      m_window.chat()->controller().open(id);
    });
    show(dialog);
    return;
  }
  QString hub = u"Hugging Face"_s;
  if (const auto reference = parseModelReference(asked.text.toStdString())) {
    hub = q(reference->hub);
    if (hub == "ollama"_L1) hub = tr("Ollama's registry");
    for (const HubBridge::HubName& each : m_bridge.hubs().hubs()) {
      if (each.id == q(reference->hub)) hub = each.name;
    }
  }
  auto* dialog = new QuestionDialog(tr("Look at a model?"), asked.text,
                                    tr("A link proposes this model. If you go on, Hearth asks %1 what it has and shows sizes and whether they fit. Nothing is "
                                       "downloaded before you choose it there.").arg(hub),
                                    tr("Show the model"), &m_window);
  connect(dialog, &QDialog::accepted, this, [this, text = asked.text] {
    m_window.showPage(Page::Models);
    m_window.models()->showTab(ModelsPage::Tab::Discover);
    m_window.models()->discover()->searchFor(text);
  });
  show(dialog);
}

void Opener::askFiles(const Asked& asked) {
  struct Found {
    QString path;
    qint64 bytes = -1;
  };
  const auto look = [files = asked.files] {
    QList<Found> found;
    for (const QString& file : files) {
      const QFileInfo info(file);
      found << Found{info.isFile() ? info.canonicalFilePath() : file, info.isFile() ? info.size() : -1};
    }
    return found;
  };
  m_bridge.worker().run(this, look, [this](const QList<Found>& found) {
    QStringList names, files;
    qint64 bytes = 0;
    for (const Found& each : found) {
      const QString name = QFileInfo(each.path).fileName();
      if (names.size() < kMostNamed) names << (each.bytes < 0 ? tr("%1: there is no such file").arg(each.path) : name);
      if (each.bytes < 0) continue;
      files << each.path;
      bytes += each.bytes;
    }
    if (found.size() > kMostNamed) names << tr("and %1 more").arg(found.size() - kMostNamed);
    if (files.isEmpty()) {
      show(new QuestionDialog(tr("Hearth cannot open this"), names.join(u'\n'), tr("It may have been moved or removed."), {}, &m_window));
      return;
    }
    // What the library has already is only shown.
    const bool known = std::ranges::all_of(files, [this](const QString& file) {
      return std::ranges::any_of(m_bridge.models().models(), [&](const InstalledModel& model) { return q(model.path.string()) == file; });
    });
    if (known) {
      m_asking = false;
      m_window.showPage(Page::Models);
      m_window.models()->showTab(ModelsPage::Tab::Library);
      next();
      return;
    }
    auto* dialog = new QuestionDialog(files.size() == 1 ? tr("Import this model?") : tr("Import these %1 models?").arg(files.size()), names.join(u'\n'),
                                      tr("Hearth checks each file and copies it into its data folder (%1). The original stays where it is.")
                                          .arg(bytesText(static_cast<quint64>(bytes))),
                                      tr("Import"), &m_window);
    connect(dialog, &QDialog::accepted, this, [this, files] {
      m_window.showPage(Page::Models);
      m_window.models()->showTab(ModelsPage::Tab::Library);
      m_window.models()->importFiles(files);
    });
    show(dialog);
  });
}

}  // namespace hearth::ui
