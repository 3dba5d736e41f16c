#pragma once

#include <QAbstractButton>
#include <QFrame>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>

#include <functional>
#include <vector>

#include "ui/desktop/common/error_text.h"

class QHBoxLayout;
class QVBoxLayout;

namespace hearth::ui {

/// Sets the property "role" that the style sheet looks at, and restyles.
void setRole(QWidget* widget, const char* role);
[[nodiscard]] QLabel* makeLabel(const char* role, QWidget* parent = nullptr);
[[nodiscard]] QPushButton* makeButton(const char* role = "", QWidget* parent = nullptr);

/// One line that elides to the width it has and shows the whole text as tooltip when it had to.
class ElidedLabel : public QLabel {
  Q_OBJECT
 public:
  explicit ElidedLabel(QWidget* parent = nullptr);
  void setFullText(const QString& text);
  [[nodiscard]] QString fullText() const { return m_full; }
  [[nodiscard]] QSize sizeHint() const override;
  [[nodiscard]] QSize minimumSizeHint() const override;

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  void elide();
  QString m_full;
};

/// A switch: on or off at once, unlike a check box in a form.
class ToggleSwitch : public QAbstractButton {
  Q_OBJECT
 public:
  explicit ToggleSwitch(QWidget* parent = nullptr);
  [[nodiscard]] QSize sizeHint() const override { return {44, 24}; }

 protected:
  void paintEvent(QPaintEvent* event) override;
};

/// A thin bar of coloured parts (weights, KV cache, others) out of a total.
class UsageBar : public QWidget {
  Q_OBJECT
 public:
  enum class Part { A, B, C, Other };
  explicit UsageBar(QWidget* parent = nullptr);
  void setParts(double total, std::vector<std::pair<Part, double>> parts);
  [[nodiscard]] QSize sizeHint() const override { return {120, 8}; }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  double m_total = 0;
  std::vector<std::pair<Part, double>> m_parts;
};

/// Says what went wrong, shows the evidence, offers the fix; sits where the error happened.
class ErrorBox : public QFrame {
  Q_OBJECT
 public:
  explicit ErrorBox(QWidget* parent = nullptr);
  void showError(const Error& error);
  void clear();
  /// The one-click fix; an empty text hides the button.
  void setAction(const QString& text, std::function<void()> action);
  [[nodiscard]] QString causeText() const;
  [[nodiscard]] QPushButton* actionButton() const { return m_action; }

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  Error m_error;
  QLabel* m_cause;
  QLabel* m_evidence;
  QLabel* m_fix;
  QPushButton* m_action;
  std::function<void()> m_run;
};

/// What a page is for and the next step, shown while there is nothing else.
class EmptyState : public QWidget {
  Q_OBJECT
 public:
  explicit EmptyState(QWidget* parent = nullptr);
  void setTexts(const QString& title, const QString& text, const QString& button);
  void setIcon(QLatin1StringView name);
  [[nodiscard]] QPushButton* button() const { return m_button; }

 signals:
  void activated();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void drawIcon();
  QLatin1StringView m_iconName;
  QLabel* m_icon;
  QLabel* m_title;
  QLabel* m_text;
  QPushButton* m_button;
};

/// A page body that scrolls vertically and never horizontally. Returns the layout to fill.
[[nodiscard]] QVBoxLayout* makeScrollBody(QScrollArea* area, int margin);
/// A page that scrolls as a whole: gives `page`, which has no layout yet, its column.
[[nodiscard]] QVBoxLayout* makeScrollPage(QWidget* page);
/// Removes and deletes everything a layout holds.
void clearLayout(QLayout* layout);

}  // namespace hearth::ui
