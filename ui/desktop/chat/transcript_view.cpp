#include "ui/desktop/chat/transcript_view.h"

#include <QEvent>
#include <QKeyEvent>
#include <QScrollBar>

#include <algorithm>

#include "ui/desktop/chat/find_bar.h"
#include "ui/desktop/chat/message_widget.h"
#include "ui/desktop/common/theme.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {
constexpr int kWidest = 760;
constexpr int kSide = 24;
constexpr int kGap = 20;              ///< between messages; part of the upper one's height
constexpr int kNearEnd = 24;          ///< pixels from the end that still count as being there
constexpr std::size_t kBeside = 3;    ///< messages made ahead of those in sight, on each side
constexpr std::size_t kMostSpare = 8;
constexpr int kMostRounds = 12;
constexpr int kAway = -30'000;        ///< where a widget is measured that has no place yet
}  // namespace

TranscriptView::TranscriptView(ChatController& controller, QWidget* parent)
    : QAbstractScrollArea(parent), m_controller(controller), m_find(new FindBar(controller, this)) {
  setFrameShape(QFrame::NoFrame);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setFocusPolicy(Qt::StrongFocus);
  viewport()->setAutoFillBackground(false);
  viewport()->setObjectName(u"scrollBody"_s);
  verticalScrollBar()->setSingleStep(40);
  setAccessibleName(tr("Conversation"));
  m_prefetch.setSingleShot(true);
  m_prefetch.setInterval(0);
  connect(&m_prefetch, &QTimer::timeout, this, &TranscriptView::prefetch);
  connect(verticalScrollBar(), &QScrollBar::actionTriggered, this, [this] {
    m_follow = verticalScrollBar()->sliderPosition() >= verticalScrollBar()->maximum() - kNearEnd;
  });
  connect(&m_controller, &ChatController::itemsChanged, this, &TranscriptView::sync);
  connect(&m_controller, &ChatController::busyChanged, this, [this] {
    for (const auto& [index, entry] : m_live) entry.widget->setActionsEnabled(!m_controller.busy());
  });
  connect(&m_controller, &ChatController::textGrew, this, &TranscriptView::onText);
  connect(&m_controller, &ChatController::progressChanged, this, &TranscriptView::onText);
  connect(m_find, &FindBar::found, this, &TranscriptView::showFound);
  connect(m_find, &FindBar::wordsChanged, this, [this](const QString& words) {
    for (const auto& [index, entry] : m_live) entry.widget->mark(words);
  });
  connect(m_find, &FindBar::closed, this, [this] {
    setViewportMargins({});
    setFocus();
  });
}

TranscriptView::~TranscriptView() {
  // They tell of their layouts' end, which nobody shall answer.
  for (const auto& [index, entry] : m_live) entry.widget->removeEventFilter(this);
  for (MessageWidget* widget : m_spare) widget->removeEventFilter(this);
}

std::vector<MessageWidget*> TranscriptView::messages() const {
  std::vector<MessageWidget*> all;
  for (const auto& [index, entry] : m_live) all.push_back(entry.widget);
  return all;
}

std::size_t TranscriptView::widgetCount() const noexcept { return m_live.size() + m_spare.size(); }

int TranscriptView::columnWidth() const { return std::clamp(viewport()->width() - 2 * kSide, 120, kWidest); }

std::optional<std::size_t> TranscriptView::indexOf(qint64 message) const {
  // The message that something happens to is nearly always the last.
  const auto it = std::find(m_ids.rbegin(), m_ids.rend(), message);
  if (it == m_ids.rend()) return std::nullopt;
  return static_cast<std::size_t>(m_ids.rend() - it) - 1;
}

MessageWidget* TranscriptView::make(const TranscriptItem& item) {
  const auto fits = std::ranges::find_if(m_spare, [&item](MessageWidget* spare) { return spare->canShow(item); });
  if (fits != m_spare.end()) {
    MessageWidget* widget = *fits;
    m_spare.erase(fits);
    widget->setItem(item);
    return widget;
  }
  auto* widget = new MessageWidget(item, viewport());
  widget->installEventFilter(this);
  connect(widget, &MessageWidget::branchStep, &m_controller, &ChatController::switchBranch);
  connect(widget, &MessageWidget::regenerate, &m_controller, &ChatController::regenerate);
  connect(widget, &MessageWidget::edited, &m_controller, &ChatController::edit);
  connect(widget, &MessageWidget::stepped, this, &TranscriptView::step);
  return widget;
}

TranscriptView::Live& TranscriptView::live(std::size_t index) {
  Live& entry = m_live[index];
  if (entry.widget) return entry;
  entry.widget = make(m_controller.items()[index]);
  entry.widget->setActionsEnabled(!m_controller.busy());
  entry.widget->mark(m_find->words());
  entry.stale = true;
  // Shown, so that it has its final fonts, where nobody sees it.
  entry.widget->setGeometry(0, kAway, columnWidth(), std::max(1, m_layout.height(index) - kGap));
  entry.widget->show();
  entry.widget->stackUnder(m_find);
  return entry;
}

bool TranscriptView::measure(std::size_t index, Live& entry) {
  if (!entry.stale && m_layout.measured(index)) return false;
  const int height = entry.widget->heightAt(columnWidth()) + kGap;
  entry.stale = false;
  const bool changed = m_layout.height(index) != height;
  m_layout.setMeasured(index, height);
  return changed;
}

void TranscriptView::release(MessageWidget* widget) {
  widget->hide();
  if (m_spare.size() >= kMostSpare) {
    widget->removeEventFilter(this);
    widget->deleteLater();
  } else {
    m_spare.push_back(widget);
  }
}

void TranscriptView::releaseFar(std::size_t first, std::size_t last) {
  const std::size_t low = first > kBeside ? first - kBeside : 0;
  for (auto it = m_live.begin(); it != m_live.end();) {
    // What is being written into, or read by the caret, stays.
    if ((it->first >= low && it->first <= last + kBeside) || it->second.widget->inUse()) {
      ++it;
      continue;
    }
    release(it->second.widget);
    it = m_live.erase(it);
  }
}

void TranscriptView::estimateFrom(std::size_t index) {
  const std::vector<TranscriptItem>& items = m_controller.items();
  const int width = columnWidth();
  const int font = ThemeManager::metrics().base;
  for (std::size_t i = index; i < items.size(); ++i) {
    const std::string& text = items[i].message.text;
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
    m_layout.setEstimate(i, estimatedHeight(text.size(), lines, items[i].message.role == Role::User ? width * 2 / 3 : width, font));
  }
}

void TranscriptView::sync() {
  const std::vector<TranscriptItem>& items = m_controller.items();
  const bool otherChat = m_controller.conversation().id != m_conversation;
  if (otherChat) {
    m_conversation = m_controller.conversation().id;
    m_follow = true;
  }
  const Anchor before = anchor();
  std::size_t same = 0;
  while (same < m_ids.size() && same < items.size() && m_ids[same] == items[same].message.id) ++same;
  const bool grew = items.size() > same;
  if (grew && items.back().running()) m_follow = true;  // what one sends, one wants to see

  m_ids.resize(same);
  m_ids.reserve(items.size());
  for (std::size_t i = same; i < items.size(); ++i) m_ids.push_back(items[i].message.id);
  // Nothing above the first message that is another one is made again.
  for (auto it = m_live.lower_bound(same); it != m_live.end(); it = m_live.erase(it)) release(it->second.widget);
  m_layout.resize(same);
  m_layout.resize(items.size());
  estimateFrom(same);
  for (auto& [index, entry] : m_live) {
    entry.widget->setItem(items[index]);
    entry.widget->setActionsEnabled(!m_controller.busy());
    entry.stale = true;
  }
  m_find->itemsChanged(otherChat);
  placeAround(before.index < items.size() ? before : Anchor{});
}

void TranscriptView::onText(qint64 message) {
  const std::optional<std::size_t> index = indexOf(message);
  if (!index) return;
  const auto it = m_live.find(*index);
  if (it == m_live.end()) return;  // out of sight: measured when it comes
  it->second.widget->updateText(m_controller.items()[*index]);
  it->second.stale = true;
  place();
}

TranscriptView::Anchor TranscriptView::anchor() const {
  if (m_layout.count() == 0) return {};
  const int value = verticalScrollBar()->value();
  const std::size_t first = m_layout.indexAt(value);
  // One whose height is known: what comes into sight above it grows upwards.
  const int bottom = value + viewport()->height();
  for (std::size_t i = first; i < m_layout.count() && m_layout.top(i) < bottom; ++i) {
    if (m_layout.measured(i) && m_live.contains(i)) return {i, m_layout.top(i) - value};
  }
  return {first, m_layout.top(first) - value};
}

void TranscriptView::place() { placeAround(anchor()); }

void TranscriptView::placeAround(const Anchor& kept) {
  if (m_placing) {
    m_placeWanted = true;
    return;
  }
  if (m_layout.count() != m_controller.items().size()) return;  // sync() is on its way
  m_placing = true;
  const int room = viewport()->height();
  const int width = columnWidth();
  if (width != m_width) {
    m_width = width;
    estimateFrom(0);
    for (auto& [index, entry] : m_live) entry.stale = true;
  }
  int value = 0;
  std::size_t first = 0;
  std::size_t last = 0;
  for (int round = 0; m_layout.count() > 0 && round < kMostRounds; ++round) {
    const int most = std::max(0, m_layout.total() - room);
    value = m_follow ? most : std::clamp(m_layout.top(kept.index) - kept.offset, 0, most);
    first = m_layout.indexAt(value);
    last = m_layout.indexAt(value + std::max(0, room - 1));
    bool changed = false;
    if (m_follow) {
      for (std::size_t i = last + 1; i-- > first;) changed = measure(i, live(i)) || changed;
    } else {
      for (std::size_t i = first; i <= last; ++i) changed = measure(i, live(i)) || changed;
    }
    if (!changed) break;
  }
  verticalScrollBar()->setPageStep(std::max(1, room - 48));
  verticalScrollBar()->setRange(0, std::max(0, m_layout.total() - room));
  verticalScrollBar()->setValue(value);
  const int left = std::max(kSide, (viewport()->width() - width) / 2);
  releaseFar(first, last);
  for (auto& [index, entry] : m_live) {
    entry.widget->setGeometry(left, m_layout.top(index) - value, width, std::max(1, m_layout.height(index) - kGap));
  }
  m_placing = false;
  m_prefetch.start();
  if (std::exchange(m_placeWanted, false)) QMetaObject::invokeMethod(this, &TranscriptView::place, Qt::QueuedConnection);
}

// One message for each turn of the event loop: the next wheel step finds them ready, and none has to wait for more than one.
void TranscriptView::prefetch() {
  if (m_layout.count() == 0 || m_layout.count() != m_controller.items().size() || !isVisible()) return;
  const int value = verticalScrollBar()->value();
  const std::size_t first = m_layout.indexAt(value);
  const std::size_t last = m_layout.indexAt(value + viewport()->height());
  const std::size_t low = first > kBeside ? first - kBeside : 0;
  const std::size_t high = std::min(last + kBeside, m_layout.count() - 1);
  for (std::size_t i = low; i <= high; ++i) {
    if (const auto at = m_live.find(i); at != m_live.end() && !at->second.stale) continue;
    const Anchor kept = anchor();
    if (measure(i, live(i))) {
      placeAround(kept);
    } else {
      const int left = std::max(kSide, (viewport()->width() - m_width) / 2);
      m_live[i].widget->setGeometry(left, m_layout.top(i) - value, m_width, std::max(1, m_layout.height(i) - kGap));
      m_prefetch.start();
    }
    return;
  }
}

MessageWidget* TranscriptView::reveal(std::size_t index) {
  if (index >= m_layout.count() || m_layout.count() != m_controller.items().size()) return nullptr;
  const int value = verticalScrollBar()->value();
  const int top = m_layout.top(index);
  const bool inSight = m_live.contains(index) && top >= value && top + std::min(m_layout.height(index), 120) <= value + viewport()->height();
  if (!inSight) {
    m_follow = false;
    placeAround({index, top < value ? 40 : std::max(40, viewport()->height() - m_layout.height(index) - 40)});
  }
  return live(index).widget;
}

void TranscriptView::step(qint64 message, int direction, bool caret) {
  const std::optional<std::size_t> from = indexOf(message);
  if (!from) return;
  const std::size_t next = *from + static_cast<std::size_t>(direction);  // one before the first is past the end, too
  if (next >= m_layout.count()) return;
  if (MessageWidget* widget = reveal(next)) {
    if (!caret || !widget->takeCaret(direction < 0)) widget->setFocus(Qt::OtherFocusReason);
  }
}

void TranscriptView::openFind() {
  m_find->open();
  m_find->raise();
  // Beside the messages, not on them: what was found may be the first line.
  setViewportMargins(0, m_find->sizeHint().height() + 16, 0, 0);
  resizeEvent(nullptr);
}

void TranscriptView::showFound(std::size_t index) {
  MessageWidget* widget = reveal(index);
  if (!widget) return;
  const QRect mark = widget->firstMark();
  if (mark.isNull()) return;
  // A long message is in sight, the words in it perhaps not.
  const int at = widget->y() + mark.y();
  if (at >= 48 && at + mark.height() <= viewport()->height()) return;
  m_follow = false;
  placeAround({index, viewport()->height() / 3 - mark.y()});
}

void TranscriptView::scrollContentsBy(int, int) {
  if (m_placing) return;
  m_follow = verticalScrollBar()->value() >= verticalScrollBar()->maximum() - kNearEnd;
  place();
}

bool TranscriptView::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::LayoutRequest && !m_placing) {
    for (auto& [index, entry] : m_live) {
      if (entry.widget != watched) continue;
      entry.stale = true;
      place();
      break;
    }
  }
  return QAbstractScrollArea::eventFilter(watched, event);
}

void TranscriptView::keyPressEvent(QKeyEvent* event) {
  QScrollBar* bar = verticalScrollBar();
  switch (event->key()) {
    case Qt::Key_Home: bar->triggerAction(QAbstractSlider::SliderToMinimum); return;
    case Qt::Key_End: bar->triggerAction(QAbstractSlider::SliderToMaximum); return;
    case Qt::Key_PageUp: bar->triggerAction(QAbstractSlider::SliderPageStepSub); return;
    case Qt::Key_PageDown: bar->triggerAction(QAbstractSlider::SliderPageStepAdd); return;
    case Qt::Key_Up:
    case Qt::Key_Down:
      // From the transcript itself into the message at the end of what is seen.
      if (m_layout.count() > 0) {
        const std::size_t index = m_layout.indexAt(bar->value() + viewport()->height() - 2 * kGap);
        if (MessageWidget* widget = reveal(index)) widget->setFocus(Qt::OtherFocusReason);
      }
      return;
    default: QAbstractScrollArea::keyPressEvent(event);
  }
}

void TranscriptView::changeEvent(QEvent* event) {
  QAbstractScrollArea::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) setAccessibleName(tr("Conversation"));
}

void TranscriptView::resizeEvent(QResizeEvent* event) {
  if (event) QAbstractScrollArea::resizeEvent(event);
  const QSize bar = m_find->sizeHint();
  m_find->setGeometry(std::max(8, viewport()->width() - bar.width() - 16), 8, std::min(bar.width(), viewport()->width() - 16), bar.height());
  place();
}

}  // namespace hearth::ui
