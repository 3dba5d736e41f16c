#pragma once

#include <QAbstractListModel>
#include <QDate>

#include <vector>

#include "core/store/store.h"

namespace hearth::ui {

/// Chats under the headings Today, This week, Older; filtered by title. Holds copies, no widgets. Qt thread only.
class ConversationListModel : public QAbstractListModel {
  Q_OBJECT
 public:
  enum Roles { IdRole = Qt::UserRole, HeaderRole };
  using QAbstractListModel::QAbstractListModel;

  void setConversations(std::vector<Conversation> conversations);
  void setFilter(const QString& text);
  void retranslate();
  [[nodiscard]] QModelIndex indexOf(ConversationId id) const;
  [[nodiscard]] const Conversation* find(ConversationId id) const;
  [[nodiscard]] bool isEmpty() const noexcept { return m_all.empty(); }
  [[nodiscard]] const std::vector<Conversation>& all() const noexcept { return m_all; }

  [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
  [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
  [[nodiscard]] bool setData(const QModelIndex& index, const QVariant& value, int role) override;
  [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;

 signals:
  void renamed(qint64 id, const QString& title);

 private:
  enum class Group { Today, Week, Older };
  struct Row {
    Group group = Group::Today;
    int conversation = -1;  ///< index in m_all; −1 = the group's heading
  };
  [[nodiscard]] static Group groupOf(const Conversation& conversation);
  void rebuild();

  std::vector<Conversation> m_all;
  std::vector<Row> m_rows;
  QDate m_rowsOf;  ///< the day for which the rows were grouped
  QString m_filter;
};

}  // namespace hearth::ui
