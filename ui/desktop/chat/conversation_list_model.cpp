#include "ui/desktop/chat/conversation_list_model.h"

#include <QDateTime>

#include <algorithm>

#include "ui/desktop/common/format.h"

namespace hearth::ui {

void ConversationListModel::setConversations(std::vector<Conversation> conversations) {
  const auto same = [](const Conversation& a, const Conversation& b) {
    return a.id == b.id && a.title == b.title && groupOf(a) == groupOf(b);
  };
  // A reset would take a name that is being edited away from under the user.
  const bool unchanged = m_rowsOf == QDate::currentDate() && std::ranges::equal(m_all, conversations, same);
  m_all = std::move(conversations);
  if (!unchanged) rebuild();
}

ConversationListModel::Group ConversationListModel::groupOf(const Conversation& conversation) {
  const qint64 days = QDateTime::fromMSecsSinceEpoch(conversation.updatedMs).date().daysTo(QDate::currentDate());
  return days <= 0 ? Group::Today : days < 7 ? Group::Week : Group::Older;
}

void ConversationListModel::setFilter(const QString& text) {
  m_filter = text.trimmed();
  rebuild();
}

void ConversationListModel::retranslate() {
  if (!m_rows.empty()) emit dataChanged(index(0), index(static_cast<int>(m_rows.size()) - 1));
}

void ConversationListModel::rebuild() {
  beginResetModel();
  m_rows.clear();
  m_rowsOf = QDate::currentDate();
  bool first = true;
  Group last = Group::Today;
  for (int i = 0; i < static_cast<int>(m_all.size()); ++i) {
    const Conversation& conversation = m_all[static_cast<std::size_t>(i)];
    if (!m_filter.isEmpty() && !q(conversation.title).contains(m_filter, Qt::CaseInsensitive)) continue;
    const Group group = groupOf(conversation);
    if (first || group != last) m_rows.push_back({group, -1});
    first = false;
    last = group;
    m_rows.push_back({group, i});
  }
  endResetModel();
}

QModelIndex ConversationListModel::indexOf(ConversationId id) const {
  for (std::size_t row = 0; row < m_rows.size(); ++row) {
    const int i = m_rows[row].conversation;
    if (i >= 0 && m_all[static_cast<std::size_t>(i)].id == id) return index(static_cast<int>(row));
  }
  return {};
}

const Conversation* ConversationListModel::find(ConversationId id) const {
  const auto it = std::ranges::find(m_all, id, &Conversation::id);
  return it == m_all.end() ? nullptr : &*it;
}

int ConversationListModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }

QVariant ConversationListModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  const Row& row = m_rows[static_cast<std::size_t>(index.row())];
  if (row.conversation < 0) {
    if (role == HeaderRole) return true;
    if (role != Qt::DisplayRole) return {};
    return row.group == Group::Today ? tr("Today") : row.group == Group::Week ? tr("This week") : tr("Older");
  }
  const Conversation& conversation = m_all[static_cast<std::size_t>(row.conversation)];
  switch (role) {
    case Qt::DisplayRole:
    case Qt::EditRole: return q(conversation.title);
    case Qt::ToolTipRole: return q(conversation.title);
    case IdRole: return QVariant::fromValue<qint64>(conversation.id);
    case HeaderRole: return false;
    default: return {};
  }
}

bool ConversationListModel::setData(const QModelIndex& index, const QVariant& value, int role) {
  const QString title = value.toString().simplified();
  if (role != Qt::EditRole || !index.isValid() || title.isEmpty()) return false;
  const Row& row = m_rows[static_cast<std::size_t>(index.row())];
  if (row.conversation < 0) return false;
  Conversation& conversation = m_all[static_cast<std::size_t>(row.conversation)];
  if (q(conversation.title) == title) return false;
  conversation.title = title.toStdString();
  emit dataChanged(index, index);
  emit renamed(conversation.id, title);
  return true;
}

Qt::ItemFlags ConversationListModel::flags(const QModelIndex& index) const {
  if (!index.isValid() || m_rows[static_cast<std::size_t>(index.row())].conversation < 0) return Qt::NoItemFlags;
  return Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsEditable;
}

}  // namespace hearth::ui
