#pragma once

#include <QTextBrowser>

#include <vector>

#include "ui/desktop/chat/math_spans.h"

namespace hearth::ui {

/// A piece of a message as rich text, exactly as high as its lines: with a caret that assistive programs follow, selection by
/// mouse and keyboard, and links that open only when they are clicked and safe, and formulas. Loads nothing. Qt thread only.
class TextBlock : public QTextBrowser {
  Q_OBJECT
 public:
  explicit TextBlock(QWidget* parent = nullptr);
  /// `math`: the formula of each kMathMark in the text.
  void setBlockHtml(const QString& html, const std::vector<MathSpan>& math = {});
  void setBlockText(const QString& text);  ///< plain
  /// Marks each occurrence (any case; empty = none) and gives their number.
  int mark(const QString& words);
  /// Where the first marked occurrence stands, in this widget; null when there is none.
  [[nodiscard]] QRect firstMark() const;

  [[nodiscard]] bool hasHeightForWidth() const override { return true; }
  [[nodiscard]] int heightForWidth(int width) const override;
  [[nodiscard]] QSize sizeHint() const override;
  [[nodiscard]] QSize minimumSizeHint() const override;
  [[nodiscard]] int naturalWidth() const;  ///< of the longest line, unwrapped
  [[nodiscard]] QVariant loadResource(int, const QUrl&) override { return {}; }

 protected:
  void wheelEvent(QWheelEvent* event) override;
  void changeEvent(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  /// Formulas are copied as they were written.
  [[nodiscard]] QMimeData* createMimeDataFromSelection() const override;

 private:
  void contentChanged();
  void putFormulas(const std::vector<MathSpan>& math);
  QString m_words;
};

}  // namespace hearth::ui
