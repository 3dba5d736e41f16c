#include "ui/desktop/server/request_log_model.h"

#include <QDateTime>
#include <QLocale>

#include "ui/desktop/common/format.h"
#include "ui/desktop/common/theme.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

/// Without the port that the client's system happened to pick: "127.0.0.1", "::1".
QString addressOnly(const std::string& client) {
  QString text = q(client);
  const qsizetype colon = text.lastIndexOf(u':');
  if (text.startsWith(u'[')) return text.mid(1, text.indexOf(u']') - 1);
  return text.count(u':') == 1 ? text.left(colon) : text;
}

}  // namespace

void RequestLogModel::add(const std::vector<RequestRecord>& records) {
  std::vector<const RequestRecord*> fresh;
  for (const RequestRecord& record : records) {
    const auto known = std::ranges::find(m_rows, record.id, &RequestRecord::id);
    if (known != m_rows.end()) {
      *known = record;
      const int row = static_cast<int>(known - m_rows.begin());
      emit dataChanged(index(row, 0), index(row, Columns - 1));
      continue;
    }
    const auto twice = std::ranges::find_if(fresh, [&record](const RequestRecord* each) { return each->id == record.id; });
    if (twice != fresh.end()) {
      *twice = &record;
    } else {
      fresh.push_back(&record);
    }
  }
  if (fresh.empty()) return;
  beginInsertRows({}, 0, static_cast<int>(fresh.size()) - 1);
  for (const RequestRecord* record : fresh) m_rows.push_front(*record);
  endInsertRows();
  if (m_rows.size() > kRows) {
    beginRemoveRows({}, static_cast<int>(kRows), static_cast<int>(m_rows.size()) - 1);
    m_rows.resize(kRows);
    endRemoveRows();
  }
}

void RequestLogModel::clear() {
  beginResetModel();
  m_rows.clear();
  endResetModel();
}

void RequestLogModel::retranslate() {
  emit headerDataChanged(Qt::Horizontal, 0, Columns - 1);
  if (!m_rows.empty()) emit dataChanged(index(0, 0), index(rowCount() - 1, Columns - 1));
}

int RequestLogModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }
int RequestLogModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : Columns; }

QVariant RequestLogModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  const RequestRecord& record = m_rows[static_cast<std::size_t>(index.row())];
  if (role == Qt::ForegroundRole && index.column() == State && record.finished && record.status >= 400) return ThemeManager::current().bad;
  if (role == Qt::ToolTipRole && index.column() == State && !record.error.empty()) return q(record.error);
  if (role != Qt::DisplayRole && role != Qt::ToolTipRole) return {};  // what a narrow column cuts off, the tooltip says
  switch (index.column()) {
    case Time: return QLocale().toString(QDateTime::fromMSecsSinceEpoch(static_cast<qint64>(record.time * 1000)).time(), u"HH:mm:ss"_s);
    case Request: return u"%1 %2"_s.arg(q(record.method), q(record.target));
    case Client: return role == Qt::DisplayRole ? addressOnly(record.client) : q(record.client);
    case Model: return record.model.empty() ? u"—"_s : q(record.model);
    case State:
      if (!record.finished) return tr("running");
      if (record.status < 400) return tr("done · %1").arg(record.status);
      return tr("failed · %1").arg(record.errorCode.empty() ? QString::number(record.status) : u"%1 %2"_s.arg(record.status).arg(q(record.errorCode)));
    case Tokens:
      if (record.promptTokens == 0 && record.generatedTokens == 0) return u"—"_s;
      return u"%1 → %2"_s.arg(countText(record.promptTokens), countText(record.generatedTokens));
    case Seconds: return record.finished ? secondsText(record.seconds) : u"…"_s;
    default: return {};
  }
}

QVariant RequestLogModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole) return QVariant(Qt::AlignLeft | Qt::AlignVCenter);
  if (role != Qt::DisplayRole) return {};
  switch (section) {
    case Time: return tr("Time");
    case Request: return tr("Request");
    case Client: return tr("From");
    case Model: return tr("Model");
    case State: return tr("State");
    case Tokens: return tr("Tokens in → out");
    case Seconds: return tr("Took");
    default: return {};
  }
}

}  // namespace hearth::ui
