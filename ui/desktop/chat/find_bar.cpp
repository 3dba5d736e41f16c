#include "ui/desktop/chat/find_bar.h"

#include <QElapsedTimer>
#include <QEvent>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>

#include "ui/desktop/common/format.h"
#include "ui/desktop/common/widgets.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {
constexpr qint64 kStepMilliseconds = 6;
}

FindBar::FindBar(ChatController& controller, QWidget* parent)
    : QFrame(parent),
      m_controller(controller),
      m_field(new QLineEdit),
      m_count(makeLabel("small")),
      m_previous(makeButton("quiet")),
      m_next(makeButton("quiet")),
      m_close(makeButton("quiet")) {
  setProperty("role", u"card"_s);
  m_field->setFixedWidth(200);
  m_field->installEventFilter(this);
  m_count->setMinimumWidth(64);
  m_previous->setText(u"↑"_s);
  m_next->setText(u"↓"_s);
  m_close->setText(u"✕"_s);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(8, 6, 8, 6);
  row->setSpacing(4);
  row->addWidget(m_field, 1);
  row->addWidget(m_count);
  for (QPushButton* button : {m_previous, m_next, m_close}) row->addWidget(button);
  m_work.setSingleShot(true);
  m_work.setInterval(0);
  connect(&m_work, &QTimer::timeout, this, &FindBar::work);
  connect(m_field, &QLineEdit::textChanged, this, &FindBar::start);
  connect(m_previous, &QPushButton::clicked, this, [this] { step(+1); });
  connect(m_next, &QPushButton::clicked, this, [this] { step(-1); });
  connect(m_close, &QPushButton::clicked, this, &FindBar::close);
  hide();
  retranslate();
}

void FindBar::open() {
  const bool was = isVisible();
  show();
  m_field->setFocus();
  m_field->selectAll();
  if (!was && !m_field->text().isEmpty()) start();
}

void FindBar::close() {
  if (isHidden()) return;
  hide();
  m_work.stop();
  m_hits.clear();
  emit wordsChanged({});
  emit closed();
}

QString FindBar::words() const { return isHidden() ? QString() : m_field->text(); }

void FindBar::itemsChanged(bool otherChat) {
  if (otherChat) {
    close();
  } else if (!isHidden() && !m_field->text().isEmpty()) {
    m_hits.clear();
    m_current = -1;
    m_left = m_controller.items().size();
    m_work.start();
  }
}

void FindBar::start() {
  m_hits.clear();
  m_current = -1;
  m_left = m_controller.items().size();
  emit wordsChanged(words());
  if (m_field->text().isEmpty()) {
    m_work.stop();
  } else {
    m_work.start();
  }
  showCount();
}

void FindBar::work() {
  const std::vector<TranscriptItem>& items = m_controller.items();
  m_left = std::min(m_left, items.size());
  const QString wanted = m_field->text();
  QElapsedTimer clock;
  clock.start();
  while (m_left > 0 && clock.elapsed() < kStepMilliseconds) {
    --m_left;
    const Message& message = items[m_left].message;
    if (q(message.text).contains(wanted, Qt::CaseInsensitive)) m_hits.push_back(m_left);
  }
  if (m_left > 0) m_work.start();
  if (m_current < 0 && !m_hits.empty()) {
    m_current = 0;
    emit found(m_hits.front());
  }
  showCount();
}

void FindBar::step(int direction) {
  if (m_hits.empty()) return;
  const auto count = static_cast<std::ptrdiff_t>(m_hits.size());
  m_current = (std::max<std::ptrdiff_t>(m_current, 0) + direction + count) % count;
  emit found(m_hits[static_cast<std::size_t>(m_current)]);
  showCount();
}

void FindBar::showCount() {
  if (m_field->text().isEmpty()) {
    m_count->clear();
  } else if (m_hits.empty()) {
    m_count->setText(m_work.isActive() ? tr("searching…") : tr("not found"));
  } else {
    m_count->setText(tr("%1 of %2").arg(m_current + 1).arg(m_hits.size()));
  }
  m_count->setAccessibleName(m_count->text());
  m_previous->setEnabled(!m_hits.empty());
  m_next->setEnabled(!m_hits.empty());
}

void FindBar::retranslate() {
  m_field->setPlaceholderText(tr("Find in this chat"));
  m_field->setAccessibleName(tr("Find in this chat"));
  m_count->setToolTip(tr("Messages with these words"));
  m_previous->setAccessibleName(tr("Earlier message"));
  m_previous->setToolTip(tr("Earlier message (Enter)"));
  m_next->setAccessibleName(tr("Later message"));
  m_next->setToolTip(tr("Later message (Shift+Enter)"));
  m_close->setAccessibleName(tr("Close the search"));
  m_close->setToolTip(tr("Close the search (Esc)"));
  showCount();
}

void FindBar::changeEvent(QEvent* event) {
  QFrame::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
}

bool FindBar::eventFilter(QObject* watched, QEvent* event) {
  if (watched != m_field) return QFrame::eventFilter(watched, event);
  const bool pressed = event->type() == QEvent::KeyPress;
  if (!pressed && event->type() != QEvent::ShortcutOverride) return QFrame::eventFilter(watched, event);
  const auto* key = static_cast<QKeyEvent*>(event);
  if (key->key() == Qt::Key_Escape) {
    event->accept();  // not the window's Esc, which stops a reply
    if (pressed) close();
    return true;
  }
  if (!pressed) return QFrame::eventFilter(watched, event);
  if (key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter || key->key() == Qt::Key_Up || key->key() == Qt::Key_Down) {
    const bool later = key->key() == Qt::Key_Down || (key->key() != Qt::Key_Up && (key->modifiers() & Qt::ShiftModifier));
    step(later ? -1 : +1);
    return true;
  }
  return QFrame::eventFilter(watched, event);
}

}  // namespace hearth::ui
