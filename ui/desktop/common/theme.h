#pragma once

#include <QColor>
#include <QObject>
#include <QString>

class QApplication;
class QDBusVariant;

namespace hearth::ui {

/// Every colour and size of the desktop (DESIGN section 11): pages name tokens, never colours.
struct Theme {
  bool dark = false;
  QColor window;      ///< page background
  QColor rail;        ///< left rail, status strip, quoted and sunken areas
  QColor card;        ///< cards, inputs
  QColor border;
  QColor text;
  QColor muted;       ///< secondary text; still ≥ 4.5:1 on window, rail and card
  QColor accent;      ///< the one primary action, the selected thing
  QColor onAccent;    ///< text on accent
  QColor accentSoft;  ///< background of the selected thing
  QColor hover;       ///< background under the pointer
  QColor good, warn, bad;      ///< states, as text and dots
  QColor seriesA, seriesB, seriesC, seriesOther;  ///< chart lines and bars
  QColor codeWord, codeValue, codeComment, codeName;  ///< code highlighting

  [[nodiscard]] static const Theme& light();
  [[nodiscard]] static const Theme& dark_();
};

/// Sizes on the 8-px grid; three type sizes.
struct Metrics {
  static constexpr int kGrid = 8;
  static constexpr int kRadius = 8;
  static constexpr int kRailWidth = 88;
  static constexpr int kPageMargin = 24;
  int base = 13, small = 11, title = 20;  ///< pixels, from the system's font
};

/// WCAG 2 contrast ratio of two opaque colours, 1…21.
[[nodiscard]] double contrastRatio(const QColor& a, const QColor& b);

enum class ThemeChoice { System, Light, Dark };

/// Owns which theme is shown: the user's choice, or the system's (XDG desktop portal, else the palette the program was
/// started with). Qt thread only. One for each application object; widgets get it through current().
class ThemeManager : public QObject {
  Q_OBJECT
 public:
  explicit ThemeManager(QApplication& app);
  ~ThemeManager() override;

  void setChoice(ThemeChoice choice);
  [[nodiscard]] ThemeChoice choice() const noexcept { return m_choice; }
  /// Tokens in force: the light ones before any manager exists.
  [[nodiscard]] static const Theme& current() noexcept;
  [[nodiscard]] static const Metrics& metrics() noexcept;

 signals:
  void changed();

 private slots:
  void onPortalSetting(const QString& group, const QString& key, const QDBusVariant& value);

 private:
  void askPortal();
  void apply();

  QApplication& m_app;
  ThemeChoice m_choice = ThemeChoice::System;
  bool m_systemDark = false;
};

}  // namespace hearth::ui
