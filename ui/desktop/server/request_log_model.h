#pragma once

#include <QAbstractTableModel>

#include <deque>
#include <vector>

#include "core/server/server.h"

namespace hearth::ui {

/// The newest kRows requests, newest first. A finished request takes the row of its start. No widgets; Qt thread only.
class RequestLogModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { Time, Request, Client, Model, State, Tokens, Seconds, Columns };
  static constexpr std::size_t kRows = 1000;
  using QAbstractTableModel::QAbstractTableModel;

  void add(const std::vector<RequestRecord>& records);
  void clear();
  void retranslate();
  [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
  [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
  [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
  [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  std::deque<RequestRecord> m_rows;
};

}  // namespace hearth::ui
