#pragma once

#include <QString>
#include <QVariantMap>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace hearth::ui {

/// Settings in an INI file that survive anything: values live in memory, a thread of its own writes them (file systems may
/// take their time, and the window waits for none), each time as a whole file that replaces the old one, then its copy
/// FILE.before. A last line says that the file is whole: one that lost its end is known, and the copy read. Qt thread only;
/// owns the thread.
class SettingsFile {
 public:
  explicit SettingsFile(const QString& file);
  /// Writes what is not written yet.
  ~SettingsFile();
  SettingsFile(const SettingsFile&) = delete;
  SettingsFile& operator=(const SettingsFile&) = delete;

  [[nodiscard]] QVariant value(const QString& key, const QVariant& otherwise = {}) const { return m_values.value(key, otherwise); }
  void setValue(const QString& key, const QVariant& value);
  /// Returns when everything so far is on the disk, or could not be written.
  void flush();
  [[nodiscard]] bool recovered() const noexcept { return m_recovered; }  ///< the copy was read: the file was damaged

 private:
  void write();

  const QString m_file;
  QVariantMap m_values;
  bool m_recovered = false;
  std::mutex m_mutex;
  std::condition_variable m_changed, m_written;
  QVariantMap m_next;            // guarded: what is to be written
  bool m_dirty = false;          // guarded
  bool m_busy = false;           // guarded
  bool m_ending = false;         // guarded
  std::thread m_writer;
};

}  // namespace hearth::ui
