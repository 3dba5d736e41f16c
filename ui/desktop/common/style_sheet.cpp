#include "ui/desktop/common/style_sheet.h"

#include <utility>

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

// @name stands for a token. Qt style sheets know no variables.
const char* const kSheet = R"(
QWidget { color: @text; }
QMainWindow, QDialog, #page { background: @window; }
QToolTip { background: @rail; color: @text; border: 1px solid @border; padding: 4px; }
QLabel { background: transparent; }
QLabel[role="title"] { font-size: @titlepx; font-weight: 600; }
QLabel[role="heading"] { font-weight: 600; }
QLabel[role="muted"] { color: @muted; }
QLabel[role="small"] { color: @muted; font-size: @smallpx; }
QLabel[role="good"] { color: @good; font-size: @smallpx; }
QLabel[role="warn"] { color: @warn; font-size: @smallpx; }
QLabel[role="bad"] { color: @bad; font-size: @smallpx; }
QLabel[role="accent"] { color: @accent; font-size: @smallpx; }
QLabel[role="badge"] { color: @muted; font-size: @smallpx; border: 1px solid @border; border-radius: 4px; padding: 1px 6px; }
QLabel[role="badgeGood"] { color: @good; font-size: @smallpx; border: 1px solid @good; border-radius: 4px; padding: 1px 6px; }
QLabel[role="badgeWarn"] { color: @warn; font-size: @smallpx; border: 1px solid @warn; border-radius: 4px; padding: 1px 6px; }
QLabel[role="badgeBad"] { color: @bad; font-size: @smallpx; border: 1px solid @bad; border-radius: 4px; padding: 1px 6px; }

#rail, #statusStrip { background: @rail; }
#rail { border-right: 1px solid @border; }
#statusStrip { border-top: 1px solid @border; }
#rail QToolButton { background: transparent; border: none; border-radius: 8px; color: @muted; font-size: @smallpx; padding: 6px 0; }
#rail QToolButton:hover { background: @hover; color: @text; }
#rail QToolButton:checked { background: @accentSoft; color: @accent; font-weight: 600; }
#rail QToolButton:focus { border: 1px solid @accent; }
#sidePanel { background: @window; border-right: 1px solid @border; }
#rightPanel { background: @window; border-left: 1px solid @border; }
#pageHeader { border-bottom: 1px solid @border; background: @window; }

QFrame[role="card"] { background: @card; border: 1px solid @border; border-radius: 8px; }
QFrame[role="warnCard"] { background: @card; border: 1px solid @warn; border-radius: 8px; }
QFrame[role="badCard"] { background: @card; border: 1px solid @bad; border-radius: 8px; }
QFrame[role="sunken"] { background: @rail; border: 1px solid @border; border-radius: 8px; }
QFrame[role="bubble"] { background: @rail; border: none; border-radius: 12px; }
QFrame[role="composer"] { background: @card; border: 1px solid @border; border-radius: 8px; }
QFrame[role="composer"][focused="true"] { border: 1px solid @accent; }
QFrame[role="bar"] { background: @rail; border: 1px solid @border; border-radius: 8px; }
QFrame[role="line"] { background: @border; border: none; max-height: 1px; min-height: 1px; }

QPushButton { background: @card; color: @text; border: 1px solid @border; border-radius: 6px; padding: 7px 12px; }
QPushButton:hover { background: @hover; }
QPushButton:pressed { background: @border; }
QPushButton:disabled { color: @muted; background: @rail; }
QPushButton:focus { border: 1px solid @accent; }
QPushButton:checked { background: @accentSoft; color: @accent; border: 1px solid @accent; }
QPushButton[role="primary"] { background: @accent; color: @onAccent; border: 1px solid @accent; font-weight: 600; }
QPushButton[role="primary"]:hover, QPushButton[role="primary"]:pressed { background: @accentHover; border: 1px solid @accentHover; }
QPushButton[role="primary"]:focus { border: 1px solid @text; }
QPushButton[role="primary"]:disabled { background: @rail; color: @muted; border: 1px solid @border; }
QPushButton[role="quiet"] { background: transparent; border: 1px solid transparent; color: @muted; font-size: @smallpx; padding: 2px 6px; }
QPushButton[role="quiet"]:hover { background: @hover; color: @text; }
QPushButton[role="quiet"]:focus { border: 1px solid @accent; }
QPushButton[role="quiet"]:disabled { color: @border; }
QPushButton[role="strip"] { background: transparent; border: 1px solid transparent; color: @accent; font-size: @smallpx; padding: 1px 6px; border-radius: 4px; }
QPushButton[role="strip"]:hover { background: @hover; }
QPushButton[role="strip"]:focus { border: 1px solid @accent; }
QPushButton[role="tab"] { background: transparent; border: none; border-bottom: 2px solid transparent; border-radius: 0; color: @muted; padding: 2px 4px; outline: none; }
QPushButton[role="tab"]:checked { color: @accent; border-bottom: 2px solid @accent; background: transparent; }
QPushButton[role="tab"]:focus { color: @text; border-bottom: 2px solid @text; }
QPushButton[role="badgeGood"], QPushButton[role="badgeWarn"], QPushButton[role="badgeBad"] { background: transparent; font-size: @smallpx; border-radius: 4px; padding: 1px 6px; }
QPushButton[role="badgeGood"] { color: @good; border: 1px solid @good; }
QPushButton[role="badgeWarn"] { color: @warn; border: 1px solid @warn; }
QPushButton[role="badgeBad"] { color: @bad; border: 1px solid @bad; }
QPushButton[role="badgeGood"]:hover, QPushButton[role="badgeWarn"]:hover, QPushButton[role="badgeBad"]:hover,
QPushButton[role="badgeGood"]:checked, QPushButton[role="badgeWarn"]:checked, QPushButton[role="badgeBad"]:checked { background: @hover; }
QPushButton[role="badgeGood"]:focus, QPushButton[role="badgeWarn"]:focus, QPushButton[role="badgeBad"]:focus { border: 1px solid @text; }
QPushButton::menu-indicator { image: none; width: 0; }

QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit, QTextEdit {
  background: @card; color: @text; border: 1px solid @border; border-radius: 6px; padding: 6px 8px;
  selection-background-color: @accent; selection-color: @onAccent; }
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus { border: 1px solid @accent; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled { background: @rail; color: @muted; }
QPlainTextEdit[role="bare"], QTextEdit[role="bare"] { background: transparent; border: none; padding: 0; }
QComboBox::drop-down { border: none; width: 22px; }
QComboBox::down-arrow { image: url(:/icons/chevron_@mode.svg); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: @card; border: 1px solid @border; selection-background-color: @accentSoft; selection-color: @accent; outline: none; }
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { width: 0; border: none; }
QCheckBox:disabled { color: @muted; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid @muted; border-radius: 3px; background: @card; }
QCheckBox::indicator:checked { background: @accent; border: 1px solid @accent; image: url(:/icons/check_@mode.svg); }
QCheckBox::indicator:disabled { border: 1px solid @border; background: @rail; }
QCheckBox:focus { color: @accent; }
QCheckBox, QRadioButton { spacing: 8px; }
QRadioButton:disabled { color: @muted; }
QRadioButton::indicator { width: 13px; height: 13px; border: 1px solid @muted; border-radius: 7px; background: @card; }
QRadioButton::indicator:checked { border: 1px solid @accent;
  background: qradialgradient(cx: 0.5, cy: 0.5, radius: 0.5, fx: 0.5, fy: 0.5, stop: 0 @accent, stop: 0.55 @accent, stop: 0.65 @card, stop: 1 @card); }
QRadioButton::indicator:disabled { border: 1px solid @border; }
QRadioButton:focus { color: @accent; }

QListView { background: transparent; border: none; outline: none; }
QTableView, QTreeView { background: transparent; border: none; gridline-color: @border; outline: none; alternate-background-color: @rail;
  selection-background-color: @accentSoft; selection-color: @text; }
QHeaderView { background: transparent; }
QHeaderView::section { background: transparent; color: @muted; border: none; border-bottom: 1px solid @border; padding: 6px 11px; font-size: @smallpx; }
QTableView::item { border-bottom: 1px solid @border; padding: 0 8px; }
QTableCornerButton::section { background: transparent; border: none; }

QScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > #scrollBody { background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: @seriesOther; border-radius: 3px; min-height: 32px; min-width: 32px; margin: 2px; }
QScrollBar::handle:hover { background: @muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; }

QMenu { background: @card; border: 1px solid @border; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 4px; }
QMenu::item:selected { background: @accentSoft; color: @accent; }
QMenu::item:disabled { color: @muted; }
QMenu::separator { height: 1px; background: @border; margin: 4px 8px; }

QProgressBar { background: @border; border: none; border-radius: 4px; max-height: 8px; min-height: 8px; }
QProgressBar::chunk { background: @accent; border-radius: 4px; }
)";

}  // namespace

QString styleSheetOf(const Theme& theme, const Metrics& metrics) {
  QString sheet = QString::fromLatin1(kSheet);
  const std::pair<QLatin1StringView, QString> tokens[] = {
      // Longer names first, so that @accent does not eat @accentSoft.
      {"@accentHover"_L1, (theme.dark ? theme.accent.lighter(112) : theme.accent.darker(112)).name()},
      {"@accentSoft"_L1, theme.accentSoft.name()},
      {"@accent"_L1, theme.accent.name()},
      {"@onAccent"_L1, theme.onAccent.name()},
      {"@seriesOther"_L1, theme.seriesOther.name()},
      {"@window"_L1, theme.window.name()},
      {"@border"_L1, theme.border.name()},
      {"@titlepx"_L1, QString::number(metrics.title) + "px"_L1},
      {"@smallpx"_L1, QString::number(metrics.small) + "px"_L1},
      {"@muted"_L1, theme.muted.name()},
      {"@hover"_L1, theme.hover.name()},
      {"@rail"_L1, theme.rail.name()},
      {"@card"_L1, theme.card.name()},
      {"@text"_L1, theme.text.name()},
      {"@good"_L1, theme.good.name()},
      {"@warn"_L1, theme.warn.name()},
      {"@mode"_L1, theme.dark ? u"dark"_s : u"light"_s},
      {"@bad"_L1, theme.bad.name()},
  };
  for (const auto& [name, value] : tokens) sheet.replace(name, value);
  return sheet;
}

}  // namespace hearth::ui
