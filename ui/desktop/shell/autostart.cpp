#include "ui/desktop/shell/autostart.h"

#include <QFile>
#include <QStandardPaths>

#include <filesystem>

#include "core/base/platform/small_file.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr std::size_t kMostBytes = 64 * 1024;

QString quoted(const QString& argument) {
  // Desktop Entry Specification, "The Exec key": quoted as for a shell, then escaped as every string value, % doubled.
  QString text = u"\""_s;
  for (const QChar c : argument) {
    if (c == u'"' || c == u'`' || c == u'$' || c == u'\\') text += u'\\';
    text += c;
  }
  text += u'"';
  text.replace(u'\\', u"\\\\"_s).replace(u'%', u"%%"_s);
  text.replace(u'\n', u"\\n"_s).replace(u'\t', u"\\t"_s).replace(u'\r', u"\\r"_s);
  return text;
}

}  // namespace

QString desktopExec(const QString& program, const QStringList& arguments) {
  QString line = quoted(program);
  for (const QString& each : arguments) line += u' ' + quoted(each);
  return line;
}

QString Autostart::usualFolder() { return QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation) + "/autostart"_L1; }

Autostart::Autostart(QString program, QStringList arguments, QString folder)
    : m_program(std::move(program)), m_arguments(std::move(arguments)), m_folder(std::move(folder)) {}

QString Autostart::file() const { return m_folder + "/hearth-desktop.desktop"_L1; }

QByteArray Autostart::text() const {
  return "[Desktop Entry]\nType=Application\nName=Hearth\nIcon=hearth-desktop\nTerminal=false\nX-GNOME-Autostart-enabled=true\nExec=" +
         desktopExec(m_program, m_arguments).toUtf8() + '\n';
}

bool Autostart::enabled() const {
  const auto found = platform::readSmallFile(file().toStdString(), kMostBytes);
  // Desktops switch an entry off by these lines, and leave the file.
  if (!found) return false;
  const QByteArray text = QByteArray::fromStdString(*found);
  return !text.contains("\nHidden=true") && !text.contains("\nX-GNOME-Autostart-enabled=false");
}

Result<void> Autostart::setEnabled(bool wanted) const {
  std::error_code code;
  if (!wanted) {
    std::filesystem::remove(file().toStdString(), code);
    if (code) return fail(errorFromErrno(code.value(), "cannot remove", file().toStdString()));
    return {};
  }
  std::filesystem::create_directories(m_folder.toStdString(), code);
  if (code) return fail(errorFromErrno(code.value(), "cannot make the folder", m_folder.toStdString()));
  return platform::replaceFile(file().toStdString(), text().toStdString(), false);
}

Result<void> Autostart::refresh() const {
  if (!enabled()) return {};
  const auto found = platform::readSmallFile(file().toStdString(), kMostBytes);
  if (found && QByteArray::fromStdString(*found) == text()) return {};
  return setEnabled(true);
}

}  // namespace hearth::ui
