#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <QTranslator>

namespace hearth::ui {

/// Installs translators so that every widget gets LanguageChange and retranslates itself, live. Qt thread only.
class LanguageManager : public QObject {
  Q_OBJECT
 public:
  explicit LanguageManager(QObject* parent = nullptr);
  ~LanguageManager() override;

  /// "en", "zh_CN", or "" for the system's language (English where we lack it).
  void setLanguage(const QString& code);
  [[nodiscard]] QString language() const { return m_choice; }
  [[nodiscard]] QString effective() const { return m_effective; }
  /// Codes of the languages that exist, and each one's own name.
  [[nodiscard]] static QList<std::pair<QString, QString>> available();

 private:
  QString m_choice;
  QString m_effective;
  QTranslator m_ours;
  QTranslator m_qt;
};

}  // namespace hearth::ui
