#include "ui/desktop/dashboard/chart_card.h"

#include <QAreaSeries>
#include <QChart>
#include <QChartView>
#include <QEvent>
#include <QHBoxLayout>
#include <QLineSeries>
#include <QPen>
#include <QToolTip>
#include <QVBoxLayout>
#include <QValueAxis>

#include <cmath>

#include "ui/desktop/common/format.h"
#include "ui/desktop/common/theme.h"
#include "ui/desktop/common/widgets.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr int kAxisWidth = 60;  ///< the same in all cards, so that their time lines are equally long

/// The next of 1, 2, 5, 10, 20, 50 …
double niceMaximum(double value) {
  const double power = std::pow(10.0, std::floor(std::log10(value)));
  for (const double step : {1.0, 2.0, 5.0, 10.0}) {
    if (value <= step * power * 1.0001) return step * power;
  }
  return value;
}

}  // namespace

ChartCard::ChartCard(Shape shape, QWidget* parent)
    : QFrame(parent),
      m_shape(std::move(shape)),
      m_title(new ElidedLabel),
      m_figure(makeLabel("heading")),
      m_ago(makeLabel("small")),
      m_now(makeLabel("small")),
      m_chart(new QChart),
      m_view(new QChartView(m_chart)),
      m_x(new QValueAxis),
      m_y(new QValueAxis) {
  setProperty("role", u"card"_s);
  m_title->setProperty("role", u"heading"_s);
  m_chart->legend()->hide();
  m_chart->setBackgroundVisible(false);
  m_chart->setMargins({0, 0, 0, 0});
  m_chart->layout()->setContentsMargins(0, 0, 0, 0);
  m_chart->setAnimationOptions(QChart::NoAnimation);
  m_chart->addAxis(m_x, Qt::AlignBottom);
  m_chart->addAxis(m_y, Qt::AlignRight);
  m_x->setVisible(false);
  m_y->setTickCount(3);
  m_y->setLineVisible(false);
  m_y->setLabelFormat((m_shape.wholeNumbers || m_shape.fixedMaximum > 10 ? u"%.0f"_s : u"%g"_s) + (m_shape.unit == "%"_L1 ? u"%%"_s : m_shape.unit.isEmpty() || m_shape.unit.startsWith(u'°') ? QString() : u' ' + m_shape.unit));
  m_y->setRange(0, m_shape.fixedMaximum > 0 ? m_shape.fixedMaximum : m_shape.leastMaximum);
  QLineSeries* below = nullptr;
  for (std::size_t i = 0; i < m_shape.series.size(); ++i) {
    auto* line = new QLineSeries;
    m_lines.push_back(line);
    QAbstractSeries* drawn = line;
    if (m_shape.stacked) {
      auto* area = new QAreaSeries(line, below);
      line->setParent(area);
      m_areas.push_back(area);
      drawn = area;
      below = line;
    }
    m_chart->addSeries(drawn);
    drawn->attachAxis(m_x);
    drawn->attachAxis(m_y);
    if (!m_shape.stacked) {
      connect(line, &QLineSeries::hovered, this, [this, i](const QPointF& point, bool on) {
        const QString name = i < m_names.size() ? m_names[i] : QString();
        if (on) QToolTip::showText(QCursor::pos(), u"%1 %2 %3"_s.arg(name, figureText(point.y()), m_shape.unit).trimmed(), this);
      });
    }
    m_legend.push_back(makeLabel("small"));
    m_legend.back()->setTextFormat(Qt::RichText);
  }
  m_view->setFrameShape(QFrame::NoFrame);
  m_view->setMinimumHeight(132);
  m_view->setBackgroundBrush(Qt::NoBrush);
  m_view->setStyleSheet(u"background: transparent"_s);
  m_view->setRenderHint(QPainter::Antialiasing);
  m_view->setFocusPolicy(Qt::NoFocus);
  m_view->installEventFilter(this);

  auto* head = new QHBoxLayout;
  head->setSpacing(8);
  head->addWidget(m_title, 1);
  head->addWidget(m_figure);
  auto* legend = new QHBoxLayout;
  legend->setSpacing(12);
  for (QLabel* label : m_legend) {
    legend->addWidget(label);
    label->setVisible(m_legend.size() > 1);
  }
  legend->addStretch(1);
  auto* foot = new QHBoxLayout;
  foot->addWidget(m_ago);
  foot->addStretch(1);
  foot->addWidget(m_now);
  foot->addSpacing(kAxisWidth - 4);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(16, 14, 16, 10);
  column->setSpacing(4);
  column->addLayout(head);
  column->addLayout(legend);
  column->addWidget(m_view, 1);
  column->addLayout(foot);
  paint();
}

QColor ChartCard::color(Color which) const {
  const Theme& theme = ThemeManager::current();
  return which == Color::A ? theme.seriesA : which == Color::B ? theme.seriesB : theme.seriesOther;
}

void ChartCard::paint() {
  const Theme& theme = ThemeManager::current();
  QFont font = this->font();
  font.setPixelSize(ThemeManager::metrics().small);
  m_y->setLabelsFont(font);
  m_y->setLabelsColor(theme.muted);
  m_y->setGridLineColor(theme.border);
  for (std::size_t i = 0; i < m_lines.size(); ++i) {
    const QColor shade = color(m_shape.series[i]);
    m_lines[i]->setPen(QPen(shade, 2));
    if (m_shape.stacked) {
      m_areas[i]->setPen(Qt::NoPen);
      m_areas[i]->setBrush(shade);
    }
    if (i < m_names.size()) {
      m_legend[i]->setText(u"<span style=\"color:%1\">●</span> %2"_s.arg(shade.name(), m_names[i].toHtmlEscaped()));
    }
  }
}

void ChartCard::setTexts(const QString& title, const std::vector<QString>& seriesNames, const QString& nowText, const QString& agoText) {
  m_title->setFullText(title);
  m_names = seriesNames;
  m_now->setText(nowText);
  m_ago->setText(agoText);
  setAccessibleName(title);
  paint();
}

void ChartCard::setFigure(const QString& figure) {
  m_figure->setText(figure);
  setAccessibleDescription(figure);
}

QString ChartCard::figure() const { return m_figure->text(); }

void ChartCard::setMaximum(double maximum) {
  if (maximum <= 0 || maximum == m_shape.fixedMaximum) return;
  m_shape.fixedMaximum = maximum;
  m_y->setLabelFormat((maximum >= 10 ? u"%.0f "_s : u"%.1f "_s) + m_shape.unit);
  m_y->setRange(0, maximum);
}

void ChartCard::setData(const std::vector<std::vector<QPointF>>& columns, double seconds) {
  m_x->setRange(-seconds, 0);
  double most = m_shape.leastMaximum;
  std::vector<double> sum;
  for (std::size_t i = 0; i < columns.size() && i < m_lines.size(); ++i) {
    QList<QPointF> points(columns[i].begin(), columns[i].end());
    if (m_shape.stacked) {
      sum.resize(static_cast<std::size_t>(points.size()));
      for (qsizetype p = 0; p < points.size(); ++p) {
        sum[static_cast<std::size_t>(p)] += points[p].y();
        points[p].setY(sum[static_cast<std::size_t>(p)]);
      }
    }
    for (const QPointF& point : std::as_const(points)) most = std::max(most, point.y());
    m_lines[i]->replace(points);
  }
  if (m_shape.fixedMaximum <= 0) {
    double top = niceMaximum(most);
    if (m_shape.wholeNumbers && std::fmod(top, 2.0) != 0) top += 1;  // the middle tick stays whole
    if (top != m_y->max()) m_y->setRange(0, top);
  }
}

bool ChartCard::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_view && event->type() == QEvent::Resize) {
    m_chart->setPlotArea(QRectF(2, 8, std::max(20, m_view->width() - kAxisWidth), std::max(20, m_view->height() - 16)));
  }
  return QFrame::eventFilter(watched, event);
}

void ChartCard::changeEvent(QEvent* event) {
  QFrame::changeEvent(event);
  if (event->type() == QEvent::PaletteChange && m_y) paint();
}

}  // namespace hearth::ui
