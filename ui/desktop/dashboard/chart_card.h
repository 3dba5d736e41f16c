#pragma once

#include <QFrame>

#include <functional>
#include <vector>

#include <QPointF>

class QAreaSeries;
class QChart;
class QChartView;
class QLabel;
class QLineSeries;
class QValueAxis;

namespace hearth::ui {

class ElidedLabel;

/// A card with title, current figure, legend (from two series on) and a chart over the last seconds. The y axis carries its
/// unit; pointing at a line shows its value. Qt thread only.
class ChartCard : public QFrame {
  Q_OBJECT
 public:
  enum class Color { A, B, Other };
  struct Shape {
    std::vector<Color> series;   ///< one or two
    bool stacked = false;        ///< areas on top of one another
    double fixedMaximum = 0;     ///< 0 = from the data
    double leastMaximum = 1;     ///< of an axis that follows the data
    bool wholeNumbers = false;
    QString unit;                ///< on the axis (Latin letters and %) and in tooltips
  };
  explicit ChartCard(Shape shape, QWidget* parent = nullptr);

  void setTexts(const QString& title, const std::vector<QString>& seriesNames, const QString& nowText, const QString& agoText);
  void setFigure(const QString& figure);
  void setMaximum(double maximum);
  /// One list of points for each series; x in seconds before now (≤ 0), rising.
  void setData(const std::vector<std::vector<QPointF>>& columns, double seconds);
  [[nodiscard]] QString figure() const;

 protected:
  void changeEvent(QEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void paint();
  [[nodiscard]] QColor color(Color color) const;

  Shape m_shape;
  ElidedLabel* m_title;
  QLabel* m_figure;
  std::vector<QLabel*> m_legend;
  std::vector<QString> m_names;
  QLabel* m_ago;
  QLabel* m_now;
  QChart* m_chart;
  QChartView* m_view;
  QValueAxis* m_x;
  QValueAxis* m_y;
  std::vector<QLineSeries*> m_lines;
  std::vector<QAreaSeries*> m_areas;
};

}  // namespace hearth::ui
