#include "ui/desktop/chat/conversation_panel.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QPainter>
#include <QTimer>
#include <QVBoxLayout>

#include "ui/desktop/common/theme.h"
#include "ui/desktop/common/widgets.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {
constexpr int kUndoMilliseconds = 10'000;
}

void ConversationDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
  const Theme& theme = ThemeManager::current();
  painter->save();
  painter->setRenderHint(QPainter::Antialiasing);
  QRect text = option.rect.adjusted(12, 0, -12, 0);
  QFont font = option.font;
  if (index.data(ConversationListModel::HeaderRole).toBool()) {
    font.setPixelSize(ThemeManager::metrics().small);
    painter->setFont(font);
    painter->setPen(theme.muted);
    painter->drawText(text.adjusted(-4, 8, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, index.data().toString());
  } else {
    const bool selected = option.state & QStyle::State_Selected;
    const bool hover = option.state & QStyle::State_MouseOver;
    if (selected || hover) {
      painter->setPen(option.state & QStyle::State_HasFocus && selected ? QPen(theme.accent) : QPen(Qt::NoPen));
      painter->setBrush(selected ? theme.accentSoft : theme.hover);
      painter->drawRoundedRect(QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    }
    painter->setFont(font);
    painter->setPen(theme.text);
    painter->drawText(text, Qt::AlignVCenter | Qt::AlignLeft,
                      QFontMetrics(font).elidedText(index.data().toString(), Qt::ElideRight, text.width()));
  }
  painter->restore();
}

QSize ConversationDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const {
  return {40, ThemeManager::metrics().base + 18};
}

ConversationPanel::ConversationPanel(ChatController& controller, QWidget* parent)
    : QFrame(parent),
      m_controller(controller),
      m_new(makeButton("primary")),
      m_search(new QLineEdit),
      m_view(new QListView),
      m_nothing(makeLabel("small")),
      m_undoBar(new QFrame),
      m_undoText(new ElidedLabel),
      m_undo(makeButton("quiet")),
      m_undoTimer(new QTimer(this)) {
  setObjectName(u"sidePanel"_s);
  setFixedWidth(232);
  m_view->setModel(&m_controller.list());
  m_view->setItemDelegate(new ConversationDelegate(m_view));
  m_view->setEditTriggers(QAbstractItemView::EditKeyPressed);
  m_view->setMouseTracking(true);
  m_view->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  m_view->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_view->setContextMenuPolicy(Qt::CustomContextMenu);
  m_view->installEventFilter(this);
  m_search->setClearButtonEnabled(true);
  m_nothing->setWordWrap(true);
  m_undoBar->setProperty("role", u"bar"_s);
  m_undoBar->hide();
  auto* undoRow = new QHBoxLayout(m_undoBar);
  undoRow->setContentsMargins(10, 4, 4, 4);
  undoRow->addWidget(m_undoText, 1);
  undoRow->addWidget(m_undo);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(12, 12, 12, 12);
  column->setSpacing(10);
  column->addWidget(m_new);
  column->addWidget(m_search);
  column->addWidget(m_nothing);
  column->addWidget(m_view, 1);
  column->addWidget(m_undoBar);
  connect(m_new, &QPushButton::clicked, this, &ConversationPanel::newChat);
  connect(m_search, &QLineEdit::textChanged, this, [this](const QString& text) {
    m_controller.list().setFilter(text);
    selectCurrent();
    retranslate();
  });
  connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& index) {
    if (const qint64 id = index.data(ConversationListModel::IdRole).toLongLong(); id != 0) m_controller.open(id);
  });
  connect(m_view, &QListView::customContextMenuRequested, this, &ConversationPanel::menuAt);
  connect(&m_controller, &ChatController::listChanged, this, [this] {
    selectCurrent();
    retranslate();
  });
  connect(&m_controller, &ChatController::conversationChanged, this, &ConversationPanel::selectCurrent);
  connect(&m_controller, &ChatController::trashed, this, [this](qint64 id, const QString& title) {
    m_trashed = id;
    m_undoText->setProperty("title", title);
    m_undoBar->show();
    m_undoTimer->start(kUndoMilliseconds);
    retranslate();
  });
  m_undoTimer->setSingleShot(true);
  connect(m_undoTimer, &QTimer::timeout, m_undoBar, &QWidget::hide);
  connect(m_undo, &QPushButton::clicked, this, [this] {
    m_undoBar->hide();
    m_controller.restore(m_trashed);
  });
  retranslate();
}

ConversationId ConversationPanel::chosen() const { return m_view->currentIndex().data(ConversationListModel::IdRole).toLongLong(); }

void ConversationPanel::selectCurrent() {
  const QModelIndex index = m_controller.list().indexOf(m_controller.conversation().id);
  const QSignalBlocker quiet(m_view->selectionModel());
  if (index.isValid()) {
    m_view->setCurrentIndex(index);
  } else {
    m_view->selectionModel()->clear();
  }
  m_view->viewport()->update();
}

void ConversationPanel::menuAt(const QPoint& point) {
  const QModelIndex index = m_view->indexAt(point);
  const qint64 id = index.data(ConversationListModel::IdRole).toLongLong();
  if (id == 0) return;
  QMenu menu(this);
  const QAction* rename = menu.addAction(tr("Rename"));
  const QAction* trash = menu.addAction(tr("Move to the trash"));
  const QAction* picked = menu.exec(m_view->viewport()->mapToGlobal(point));
  if (picked == rename) {
    m_view->edit(index);
  } else if (picked == trash) {
    m_controller.trash(id);
  }
}

void ConversationPanel::retranslate() {
  m_new->setText(tr("New chat"));
  m_new->setToolTip(tr("New chat (Ctrl+N)"));
  m_search->setPlaceholderText(tr("Search chats"));
  m_search->setAccessibleName(tr("Search chats"));
  m_view->setAccessibleName(tr("Chats"));
  const bool empty = m_controller.list().isEmpty();
  const bool noneFound = !empty && m_controller.list().rowCount() == 0;
  m_nothing->setVisible(empty || noneFound);
  m_nothing->setText(empty ? tr("Your chats will be listed here. They stay on this machine.") : tr("No chat has this in its title."));
  m_search->setVisible(!empty);
  m_undoText->setFullText(tr("“%1” is in the trash").arg(m_undoText->property("title").toString()));
  m_undo->setText(tr("Undo"));
}

void ConversationPanel::changeEvent(QEvent* event) {
  QFrame::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) {
    m_controller.list().retranslate();
    retranslate();
  }
}

bool ConversationPanel::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_view && event->type() == QEvent::KeyPress && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Delete && chosen() != 0) {
    m_controller.trash(chosen());
    return true;
  }
  return QFrame::eventFilter(watched, event);
}

}  // namespace hearth::ui
