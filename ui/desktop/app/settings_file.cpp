#include "ui/desktop/app/settings_file.h"

#include <QFile>
#include <QFileInfo>
#include <QSettings>

#include <optional>

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

const auto kEnd = "~end/complete"_L1;  // the last line of the file
const auto kCopy = ".before"_L1;

struct Read {
  QVariantMap values;
  bool whole = false;
};

// QSettings writes under a lock file. One that was killed between making it and writing its number into it leaves an empty
// one, for which everybody else would wait half a minute.
void dropEmptyLock(const QString& file) {
  const QFileInfo lock(file + ".lock"_L1);
  if (lock.exists() && lock.size() == 0) QFile::remove(lock.filePath());
}

Read read(const QString& file) {
  Read result;
  if (!QFileInfo::exists(file)) return result;
  const QSettings settings(file, QSettings::IniFormat);
  for (const QString& key : settings.allKeys()) result.values.insert(key, settings.value(key));
  result.whole = settings.status() == QSettings::NoError && result.values.value(kEnd).toBool();
  result.values.remove(kEnd);
  return result;
}

void writeWhole(const QString& file, const QVariantMap& values) {
  QSettings settings(file, QSettings::IniFormat);  // writes beside the file and renames
  settings.clear();
  for (auto entry = values.begin(); entry != values.end(); ++entry) settings.setValue(entry.key(), entry.value());
  settings.setValue(kEnd, true);
  settings.sync();
}

}  // namespace

SettingsFile::SettingsFile(const QString& file) : m_file(file) {
  dropEmptyLock(file);
  dropEmptyLock(file + kCopy);
  Read found = read(file);
  // One that a person wrote may have no end line; but where we have written before, a missing line is a missing end. A file
  // that is not there at all was taken away on purpose.
  if (QFileInfo::exists(file) && !found.whole) {
    Read copy = read(file + kCopy);
    if (copy.whole) {
      found = std::move(copy);
      m_recovered = true;
    }
  }
  m_values = std::move(found.values);
  m_writer = std::thread([this] { write(); });
}

SettingsFile::~SettingsFile() {
  {
    const std::scoped_lock lock(m_mutex);
    m_ending = true;
  }
  m_changed.notify_all();
  m_writer.join();
}

void SettingsFile::setValue(const QString& key, const QVariant& value) {
  if (m_values.contains(key) && m_values.value(key) == value) return;
  m_values.insert(key, value);
  {
    const std::scoped_lock lock(m_mutex);
    m_next = m_values;
    m_dirty = true;
  }
  m_changed.notify_all();
}

void SettingsFile::flush() {
  std::unique_lock lock(m_mutex);
  m_written.wait(lock, [this] { return !m_dirty && !m_busy; });
}

void SettingsFile::write() {
  std::unique_lock lock(m_mutex);
  for (;;) {
    m_changed.wait(lock, [this] { return m_dirty || m_ending; });
    if (!m_dirty) return;
    const QVariantMap values = std::move(m_next);
    m_dirty = false;
    m_busy = true;
    lock.unlock();
    writeWhole(m_file, values);
    writeWhole(m_file + kCopy, values);
    lock.lock();
    m_busy = false;
    m_written.notify_all();
  }
}

}  // namespace hearth::ui
