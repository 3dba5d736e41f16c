#include "ui/desktop/common/language.h"

#include <QCoreApplication>
#include <QLibraryInfo>
#include <QLocale>

namespace hearth::ui {

using namespace Qt::StringLiterals;

LanguageManager::LanguageManager(QObject* parent) : QObject(parent) {}

LanguageManager::~LanguageManager() {
  QCoreApplication::removeTranslator(&m_ours);
  QCoreApplication::removeTranslator(&m_qt);
}

QList<std::pair<QString, QString>> LanguageManager::available() {
  return {{u"en"_s, u"English"_s}, {u"zh_CN"_s, u"简体中文"_s}};
}

void LanguageManager::setLanguage(const QString& code) {
  m_choice = code;
  QString wanted = code;
  if (wanted.isEmpty()) wanted = QLocale::system().language() == QLocale::Chinese ? u"zh_CN"_s : u"en"_s;
  if (wanted == m_effective) return;
  m_effective = wanted;
  QLocale::setDefault(wanted == "zh_CN"_L1 ? QLocale(QLocale::Chinese, QLocale::China) : QLocale(QLocale::English, QLocale::UnitedStates));
  QCoreApplication::removeTranslator(&m_ours);
  QCoreApplication::removeTranslator(&m_qt);
  if (wanted == "en"_L1) return;
  // Ours last: the newest translator is asked first.
  if (m_qt.load("qtbase_"_L1 + wanted, QLibraryInfo::path(QLibraryInfo::TranslationsPath))) QCoreApplication::installTranslator(&m_qt);
  if (m_ours.load(":/translations/hearth_"_L1 + wanted + ".qm"_L1)) QCoreApplication::installTranslator(&m_ours);
}

}  // namespace hearth::ui
