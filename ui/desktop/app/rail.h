#pragma once

#include <QFrame>
#include <QString>

#include <optional>
#include <vector>

class QButtonGroup;
class QToolButton;

namespace hearth::ui {

enum class Page { Chat, Models, Dashboard, Server, Settings };

/// "chat", "models", … as the command line names them.
[[nodiscard]] std::optional<Page> pageNamed(const QString& name);

/// The left rail: one button for each page, settings at the bottom. Qt thread only.
class Rail : public QFrame {
  Q_OBJECT
 public:
  explicit Rail(QWidget* parent = nullptr);
  void setPage(Page page);
  [[nodiscard]] QToolButton* button(Page page) const { return m_buttons[static_cast<std::size_t>(page)]; }

 signals:
  void picked(Page page);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  void drawIcons();
  QButtonGroup* m_group;
  std::vector<QToolButton*> m_buttons;
};

}  // namespace hearth::ui
