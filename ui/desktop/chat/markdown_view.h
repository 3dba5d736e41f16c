#pragma once

#include <QWidget>

#include <vector>

#include "ui/desktop/chat/markdown.h"

class QVBoxLayout;

namespace hearth::ui {

/// Shows Markdown as a column of block widgets. setMarkdown() may be called 30 times a second while text grows: blocks that
/// stay the same are not touched, so nothing flickers and a selection in them survives. The arrow keys lead the caret from
/// one block to the next.
class MarkdownView : public QWidget {
  Q_OBJECT
 public:
  explicit MarkdownView(QWidget* parent = nullptr);
  void setMarkdown(const QString& source);
  [[nodiscard]] const QString& markdown() const noexcept { return m_source; }
  [[nodiscard]] int blockCount() const noexcept { return static_cast<int>(m_blocks.size()); }
  [[nodiscard]] QWidget* blockWidget(int index) const { return m_widgets.at(static_cast<std::size_t>(index)); }
  /// Marks the words in all blocks; gives how often they were found.
  int mark(const QString& words);
  [[nodiscard]] QRect firstMark() const;  ///< in this widget
  /// Puts the caret at the start (or the end) of the text. False: there is none.
  bool takeCaret(bool atEnd);

 signals:
  void caretLeaves(int direction);  ///< the caret went past the end (+1) or the start (−1)

 protected:
  void changeEvent(QEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  [[nodiscard]] QWidget* makeWidget(const MarkdownBlock& block);
  void updateBlock(QWidget* widget, const MarkdownBlock& block);
  void moveCaret(QWidget* from, int direction);

  QString m_source, m_marked;
  QVBoxLayout* m_column;
  std::vector<MarkdownBlock> m_blocks;
  std::vector<QWidget*> m_widgets;
};

}  // namespace hearth::ui
