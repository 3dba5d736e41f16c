#include "core/store/team_store_sqlite.h"

#include <fmt/format.h>

#include <charconv>
#include <mutex>

#include "core/store/sqlite_file.h"
#include "core/store/team_sql.h"

namespace hearth::store {

std::vector<std::string> splitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string joinLines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    if (!text.empty()) text += '\n';
    text += line;
  }
  return text;
}

std::int64_t readTeamVersion(SQLite::Database& database) {
  SQLite::Statement query(database, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'team_version'");
  return query.executeStep() ? query.getColumn(0).getInt64() : 0;
}

// meta keeps it as "<seq> <hash in hex>".
TeamStore::AuditHead readAuditHead(SQLite::Database& database) {
  TeamStore::AuditHead head;
  SQLite::Statement query(database, "SELECT value FROM meta WHERE key = 'audit_head'");
  if (!query.executeStep()) return head;
  const std::string text = query.getColumn(0).getString();
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), head.seq);
  const std::string_view hex =
      std::string_view(text).substr(std::min<std::size_t>(static_cast<std::size_t>(end - text.data()) + 1, text.size()));
  if (problem != std::errc() || hex.size() != 2 * head.hash.size()) return {};
  for (std::size_t i = 0; i < head.hash.size(); ++i) {
    if (std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, head.hash[i], 16).ec != std::errc()) return {};
  }
  return head;
}

void writeAuditHead(SQLite::Database& database, const TeamStore::AuditHead& head) {
  std::string value = std::to_string(head.seq) + ' ';
  for (const std::uint8_t byte : head.hash) value += fmt::format("{:02x}", byte);
  SQLite::Statement put(
      database,
      "INSERT INTO meta (key, value) VALUES ('audit_head', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
  put.bind(1, value);
  put.exec();
}

namespace {

/// Constant after construction: m_path, m_writer. The rest is guarded by m_mutex.
class SqliteTeamStore final : public TeamStore {
 public:
  SqliteTeamStore(Writer& writer, SQLite::Database reader, std::filesystem::path path)
      : m_path(std::move(path)), m_writer(writer), m_reader(std::move(reader)), m_changes(m_reader, "PRAGMA data_version") {}

  Result<std::int64_t> version() override {
    return read([&](SQLite::Database& database) -> Result<std::int64_t> {
      // The number changes with each commit of another connection, the writer's and other processes' alike.
      m_changes.reset();
      m_changes.executeStep();
      const std::int64_t changes = m_changes.getColumn(0).getInt64();
      m_changes.reset();
      if (changes != m_seenChanges) {
        m_version = readTeamVersion(database);
        m_seenChanges = changes;
      }
      return m_version;
    });
  }

  Result<TeamData> load() override {
    return read([&](SQLite::Database& database) -> Result<TeamData> {
      SQLite::Transaction snapshot(database);  // one moment for all tables
      TeamData data = TeamTransaction(&database).load();
      snapshot.commit();
      return data;
    });
  }

  Result<void> change(const std::function<Result<void>(TeamTransaction&)>& body) override {
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      TeamTransaction transaction(&database);
      return body(transaction);
    });
  }

  Result<void> charge(const Charges& charges) override {
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      SQLite::Statement usage(
          database,
          "INSERT INTO usage (period, start_ms, user_id, key_id, model, requests, prompt_tokens, generated_tokens, "
          "compute_ms)"
          " VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (period, start_ms, user_id, key_id, model) DO UPDATE SET"
          " requests = requests + excluded.requests, prompt_tokens = prompt_tokens + excluded.prompt_tokens,"
          " generated_tokens = generated_tokens + excluded.generated_tokens, compute_ms = compute_ms + excluded.compute_ms");
      for (const UsageRow& row : charges.usage) {
        usage.bind(1, row.period);
        usage.bind(2, row.startMs);
        usage.bind(3, row.userId);
        usage.bind(4, row.keyId);
        usage.bind(5, row.model);
        usage.bind(6, row.requests);
        usage.bind(7, row.promptTokens);
        usage.bind(8, row.generatedTokens);
        usage.bind(9, row.computeMs);
        usage.exec();
        usage.reset();
      }
      SQLite::Statement counter(
          database,
          "INSERT INTO quota_counters (subject, subject_id, month_ms, requests, tokens, compute_ms) VALUES (?,?,?,?,?,?)"
          " ON CONFLICT (subject, subject_id, month_ms) DO UPDATE SET requests = requests + excluded.requests,"
          " tokens = tokens + excluded.tokens, compute_ms = compute_ms + excluded.compute_ms");
      for (const QuotaCounterRow& row : charges.counters) {
        counter.bind(1, row.subject);
        counter.bind(2, row.subjectId);
        counter.bind(3, row.monthMs);
        counter.bind(4, row.requests);
        counter.bind(5, row.tokens);
        counter.bind(6, row.computeMs);
        counter.exec();
        counter.reset();
      }
      const auto stamp = [&](const char* sql, const std::vector<std::pair<std::int64_t, std::int64_t>>& used) {
        SQLite::Statement update(database, sql);
        for (const auto& [id, time] : used) {
          update.bind(1, time);
          update.bind(2, id);
          update.exec();
          update.reset();
        }
      };
      stamp("UPDATE api_keys SET used_ms = max(used_ms, ?) WHERE id = ?", charges.keysUsed);
      stamp("UPDATE sessions SET used_ms = max(used_ms, ?) WHERE id = ?", charges.sessionsUsed);
      return {};
    });
  }

  Result<std::vector<QuotaCounterRow>> counters(std::int64_t monthMs) override {
    return read([&](SQLite::Database& database) -> Result<std::vector<QuotaCounterRow>> {
      SQLite::Statement query(
          database,
          "SELECT subject, subject_id, month_ms, requests, tokens, compute_ms FROM quota_counters WHERE month_ms = ?");
      query.bind(1, monthMs);
      std::vector<QuotaCounterRow> rows;
      while (query.executeStep()) {
        rows.push_back({query.getColumn(0).getInt(), query.getColumn(1).getInt64(), query.getColumn(2).getInt64(),
                        query.getColumn(3).getInt64(), query.getColumn(4).getInt64(), query.getColumn(5).getInt64()});
      }
      return rows;
    });
  }

  Result<std::vector<UsageRow>> usage(const UsageQuery& wanted) override {
    return read([&](SQLite::Database& database) -> Result<std::vector<UsageRow>> {
      const std::string time = !wanted.byTime        ? "0"
                               : wanted.bucketMs > 0 ? fmt::format("start_ms - start_ms % {}", wanted.bucketMs)
                                                     : "start_ms";
      SQLite::Statement query(
          database,
          fmt::format(
              "SELECT {} AS t, {} AS u, {} AS k, {} AS m, sum(requests), sum(prompt_tokens), sum(generated_tokens), "
              "sum(compute_ms)"
              " FROM usage WHERE period = ? AND start_ms >= ? AND start_ms < ? AND (? OR user_id = ?) AND (? OR key_id = ?)"
              " GROUP BY t, u, k, m ORDER BY t, u, k, m",
              time, wanted.byUser ? "user_id" : "0", wanted.byKey ? "key_id" : "0", wanted.byModel ? "model" : "''"));
      query.bind(1, wanted.period);
      query.bind(2, wanted.fromMs);
      query.bind(3, wanted.toMs);
      query.bind(4, wanted.userId ? 0 : 1);
      query.bind(5, wanted.userId.value_or(0));
      query.bind(6, wanted.keyId ? 0 : 1);
      query.bind(7, wanted.keyId.value_or(0));
      std::vector<UsageRow> rows;
      while (query.executeStep()) {
        rows.push_back({wanted.period, query.getColumn(0).getInt64(), query.getColumn(1).getInt64(),
                        query.getColumn(2).getInt64(), query.getColumn(3).getString(), query.getColumn(4).getInt64(),
                        query.getColumn(5).getInt64(), query.getColumn(6).getInt64(), query.getColumn(7).getInt64()});
      }
      return rows;
    });
  }

  Result<std::vector<AuditRow>> audit(std::int64_t after, int limit) override {
    return read([&](SQLite::Database& database) -> Result<std::vector<AuditRow>> {
      SQLite::Statement query(database,
                              "SELECT seq, time_ms, actor, client, action, subject, details, hash FROM audit WHERE seq > ? "
                              "ORDER BY seq LIMIT ?");
      query.bind(1, after);
      query.bind(2, limit > 0 ? limit : -1);
      std::vector<AuditRow> rows;
      while (query.executeStep()) {
        rows.push_back({query.getColumn(0).getInt64(), query.getColumn(1).getInt64(), query.getColumn(2).getString(),
                        query.getColumn(3).getString(), query.getColumn(4).getString(), query.getColumn(5).getString(),
                        query.getColumn(6).getString(), readDigest(query.getColumn(7))});
      }
      return rows;
    });
  }

  Result<AuditHead> auditHead() override {
    return read([&](SQLite::Database& database) -> Result<AuditHead> { return readAuditHead(database); });
  }

  Result<void> removeUsage(std::int64_t minutesBeforeMs, std::int64_t monthsBeforeMs) override {
    return m_writer.run([&](SQLite::Database& database) -> Result<void> {
      for (const auto& [period, before] : {std::pair(0, minutesBeforeMs), std::pair(1, monthsBeforeMs)}) {
        SQLite::Statement remove(database, "DELETE FROM usage WHERE period = ? AND start_ms < ?");
        remove.bind(1, period);
        remove.bind(2, before);
        remove.exec();
      }
      return {};
    });
  }

  Result<std::int64_t> removeConversations(std::int64_t untouchedSinceMs) override {
    std::int64_t removed = 0;
    HEARTH_CHECK(m_writer.run([&](SQLite::Database& database) -> Result<void> {
      SQLite::Statement remove(database, "DELETE FROM conversations WHERE owner IS NOT NULL AND updated_ms < ?");
      remove.bind(1, untouchedSinceMs);
      removed = remove.exec();
      return {};
    }));
    return removed;
  }

 private:
  template <class Body>
  auto read(Body&& body) -> decltype(body(std::declval<SQLite::Database&>())) {
    const std::lock_guard lock(m_mutex);
    return guarded(m_path, [&] { return body(m_reader); });
  }

  std::filesystem::path m_path;
  Writer& m_writer;
  std::mutex m_mutex;
  SQLite::Database m_reader;
  SQLite::Statement m_changes;
  std::int64_t m_seenChanges = -1;
  std::int64_t m_version = 0;
};

}  // namespace

std::unique_ptr<TeamStore> makeTeamStore(Writer& writer, const std::filesystem::path& path) {
  SQLite::Database reader = openConnection(path, SQLite::OPEN_READONLY);
  reader.exec("PRAGMA query_only=ON");
  return std::make_unique<SqliteTeamStore>(writer, std::move(reader), path);
}

}  // namespace hearth::store
