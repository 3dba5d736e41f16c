#include "ui/desktop/dashboard/dashboard_page.h"

#include <QButtonGroup>
#include <QEvent>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QVBoxLayout>

#include <cmath>

#include "ui/desktop/bridge/bridge.h"
#include "ui/desktop/bridge/monitor_bridge.h"
#include "ui/desktop/common/error_text.h"
#include "ui/desktop/common/format.h"
#include "ui/desktop/common/theme.h"
#include "ui/desktop/common/widgets.h"
#include "ui/desktop/dashboard/chart_card.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr int kRanges[] = {60, 300};
constexpr double kGiga = 1e9;
using Color = ChartCard::Color;

/// The top of a memory axis: an even number, so that the line in the middle is whole as well.
double wholeGigabytes(double value) { return value < 4 ? value : 2 * std::ceil(value / 2 - 0.05); }

}  // namespace

DashboardPage::DashboardPage(Bridge& bridge, QWidget* parent)
    : QWidget(parent),
      m_bridge(bridge),
      m_title(makeLabel("title")),
      m_ranges(new QButtonGroup(this)),
      m_pause(makeButton()),
      m_grid(new QGridLayout),
      m_gpuCard(new QFrame),
      m_gpuTitle(makeLabel("heading")),
      m_gpuText(makeLabel("")),
      m_gpuMessage(makeLabel("small")) {
  setObjectName(u"page"_s);
  QVBoxLayout* column = makeScrollPage(this);
  auto* header = new QHBoxLayout;
  header->setSpacing(8);
  header->addWidget(m_title);
  header->addStretch(1);
  for (int i = 0; i < 2; ++i) {
    QPushButton* button = makeButton();
    button->setCheckable(true);
    m_ranges->addButton(button, i);
    header->addWidget(button);
  }
  m_ranges->button(0)->setChecked(true);
  m_pause->setCheckable(true);
  header->addWidget(m_pause);
  column->addLayout(header);
  m_grid->setSpacing(12);
  column->addLayout(m_grid);
  m_gpuCard->setProperty("role", u"card"_s);
  auto* gpu = new QVBoxLayout(m_gpuCard);
  gpu->setContentsMargins(16, 14, 16, 14);
  gpu->setSpacing(6);
  for (QLabel* label : {m_gpuTitle, m_gpuText, m_gpuMessage}) {
    label->setWordWrap(true);
    gpu->addWidget(label);
  }
  m_gpuMessage->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  column->addWidget(m_gpuCard);
  column->addStretch(1);

  m_rates = addCard(new ChartCard({.series = {Color::A, Color::B}, .leastMaximum = 10, .unit = u"tok/s"_s}));
  m_queue = addCard(new ChartCard({.series = {Color::A, Color::B}, .leastMaximum = 2, .wholeNumbers = true, .unit = {}}));
  m_cpu = addCard(new ChartCard({.series = {Color::A}, .fixedMaximum = 100, .unit = u"%"_s}));
  m_memory = addCard(new ChartCard({.series = {Color::A, Color::Other}, .stacked = true, .leastMaximum = 4, .unit = u"GB"_s}));

  connect(m_ranges, &QButtonGroup::idClicked, this, [this] {
    retranslate();
    draw();
  });
  connect(m_pause, &QPushButton::toggled, this, [this] {
    retranslate();
    draw();
  });
  connect(&bridge.monitor(), &MonitorBridge::sampled, this, &DashboardPage::draw);
  retranslate();
}

ChartCard* DashboardPage::addCard(ChartCard* card) {
  m_cards.push_back(card);
  m_columns = 0;
  return card;
}

void DashboardPage::fitGpus(std::size_t count) {
  if (count == m_gpus.size()) return;
  while (m_gpus.size() > count) {
    for (int i = 0; i < 4; ++i) {
      m_cards.back()->deleteLater();
      m_cards.pop_back();
    }
    m_gpus.pop_back();
  }
  while (m_gpus.size() < count) {
    GpuCards gpu{};
    gpu.memory = addCard(new ChartCard({.series = {Color::A, Color::Other}, .stacked = true, .leastMaximum = 4, .unit = u"GB"_s}));
    gpu.use = addCard(new ChartCard({.series = {Color::A}, .fixedMaximum = 100, .unit = u"%"_s}));
    gpu.heat = addCard(new ChartCard({.series = {Color::A}, .fixedMaximum = 100, .unit = u"°C"_s}));
    gpu.power = addCard(new ChartCard({.series = {Color::A}, .leastMaximum = 50, .unit = u"W"_s}));
    m_gpus.push_back(gpu);
  }
  m_columns = 0;
  place();
  retranslate();
}

void DashboardPage::place() {
  const int columns = width() >= 1100 && m_cards.size() > 4 ? 3 : 2;
  if (columns == m_columns) return;
  m_columns = columns;
  while (QLayoutItem* item = m_grid->takeAt(0)) delete item;
  for (int i = 0; i < static_cast<int>(m_cards.size()); ++i) {
    m_grid->addWidget(m_cards[static_cast<std::size_t>(i)], i / columns, i % columns);
    m_cards[static_cast<std::size_t>(i)]->show();
  }
  for (int i = 0; i < 3; ++i) m_grid->setColumnStretch(i, i < columns ? 1 : 0);
}

void DashboardPage::draw() {
  if (!isVisible() || window()->isMinimized() || m_pause->isChecked()) return;
  const auto& history = m_bridge.monitor().history();
  const GpuDriverState state = m_bridge.monitor().gpuDriver().state;
  const bool noGpu = history.empty() ? state != GpuDriverState::Ready : history.back().hardware.gpus.empty();
  m_gpuCard->setVisible(noGpu);
  if (history.empty()) return;
  ++m_draws;
  const MonitorSample& now = history.back();
  fitGpus(now.hardware.gpus.size());
  const int range = kRanges[m_ranges->checkedId()];

  const auto series = [&history, &now, range](auto value) {
    std::vector<QPointF> points;
    for (const MonitorSample& sample : history) {
      const double x = sample.hardware.time - now.hardware.time;
      if (x >= -range - 1) points.emplace_back(x, value(sample));
    }
    return points;
  };
  const double total = static_cast<double>(now.hardware.memoryTotal) / kGiga;
  const auto used = [](const HardwareSample& sample) {
    return static_cast<double>(sample.memoryTotal - std::min(sample.memoryTotal, sample.memoryAvailable)) / kGiga;
  };
  const auto resident = [](const HardwareSample& sample) { return static_cast<double>(sample.processResident) / kGiga; };

  m_cpu->setData({series([](const MonitorSample& s) { return s.hardware.cpuPercent; })}, range);
  m_cpu->setFigure(u"%1 %"_s.arg(figureText(now.hardware.cpuPercent)));
  m_memory->setMaximum(wholeGigabytes(total));
  m_memory->setData({series([&](const MonitorSample& s) { return resident(s.hardware); }),
                     series([&](const MonitorSample& s) { return std::max(0.0, used(s.hardware) - resident(s.hardware)); })},
                    range);
  m_memory->setFigure(tr("%1 of %2 GB").arg(figureText(used(now.hardware)), figureText(total)));
  m_rates->setData({series([](const MonitorSample& s) { return s.engines.decodeTokensPerSecond; }),
                    series([](const MonitorSample& s) { return s.engines.prefillTokensPerSecond; })},
                   range);
  m_rates->setFigure(u"%1 · %2"_s.arg(figureText(now.engines.decodeTokensPerSecond), figureText(now.engines.prefillTokensPerSecond)));
  m_queue->setData({series([](const MonitorSample& s) { return s.engines.running; }), series([](const MonitorSample& s) { return s.engines.waiting; })},
                   range);
  m_queue->setFigure(u"%1 · %2"_s.arg(now.engines.running).arg(now.engines.waiting));

  for (std::size_t i = 0; i < m_gpus.size(); ++i) {
    const GpuCards& cards = m_gpus[i];
    const GpuSample& gpu = now.hardware.gpus[i];
    const auto of = [i](auto value) {
      return [i, value](const MonitorSample& s) { return i < s.hardware.gpus.size() ? value(s.hardware.gpus[i]) : 0.0; };
    };
    cards.use->setData({series(of([](const GpuSample& g) { return g.utilisation; }))}, range);
    cards.use->setFigure(u"%1 %"_s.arg(figureText(gpu.utilisation)));
    cards.memory->setMaximum(wholeGigabytes(static_cast<double>(gpu.memoryTotal) / kGiga));
    cards.memory->setData({series(of([](const GpuSample& g) { return static_cast<double>(g.memoryOurs) / kGiga; })),
                           series(of([](const GpuSample& g) { return static_cast<double>(g.memoryOthers) / kGiga; }))},
                          range);
    cards.memory->setFigure(tr("%1 of %2 GB").arg(figureText(static_cast<double>(gpu.memoryOurs + gpu.memoryOthers) / kGiga),
                                                  figureText(static_cast<double>(gpu.memoryTotal) / kGiga)));
    cards.heat->setData({series(of([](const GpuSample& g) { return std::max(0.0, g.temperatureC); }))}, range);
    cards.heat->setFigure(gpu.temperatureC < 0 ? tr("not reported") : u"%1 °C"_s.arg(figureText(gpu.temperatureC)));
    cards.power->setMaximum(gpu.powerLimitWatts);
    cards.power->setData({series(of([](const GpuSample& g) { return std::max(0.0, g.powerWatts); }))}, range);
    cards.power->setFigure(gpu.powerWatts < 0 ? tr("not reported") : u"%1 W"_s.arg(figureText(gpu.powerWatts)));
  }
}

void DashboardPage::retranslate() {
  const QString now = tr("now");
  const QString ago = m_ranges->checkedId() == 0 ? tr("−60 s") : tr("−5 min");
  m_title->setText(tr("Dashboard"));
  m_ranges->button(0)->setText(tr("60 s"));
  m_ranges->button(1)->setText(tr("5 min"));
  m_pause->setText(m_pause->isChecked() ? tr("Go on") : tr("Pause"));
  m_rates->setTexts(tr("Tokens per second"), {tr("written"), tr("read")}, now, ago);
  m_queue->setTexts(tr("Requests"), {tr("running"), tr("waiting")}, now, ago);
  m_cpu->setTexts(tr("CPU, all cores"), {tr("CPU")}, now, ago);
  m_memory->setTexts(tr("Memory"), {tr("Hearth"), tr("others")}, now, ago);
  for (std::size_t i = 0; i < m_gpus.size(); ++i) {
    const QString gpu = tr("GPU %1").arg(i);
    const auto& history = m_bridge.monitor().history();
    const QString name = !history.empty() && i < history.back().hardware.gpus.size() ? q(history.back().hardware.gpus[i].name) : QString();
    m_gpus[i].use->setTexts(tr("%1 utilisation").arg(gpu), {tr("utilisation")}, now, ago);
    m_gpus[i].memory->setTexts(tr("%1 memory").arg(gpu), {tr("Hearth"), tr("others")}, now, ago);
    m_gpus[i].heat->setTexts(tr("%1 temperature, °C").arg(gpu), {tr("temperature")}, now, ago);
    m_gpus[i].power->setTexts(tr("%1 power").arg(gpu), {tr("power")}, now, ago);
    for (QWidget* card : std::initializer_list<QWidget*>{m_gpus[i].use, m_gpus[i].memory, m_gpus[i].heat, m_gpus[i].power}) card->setToolTip(name);
  }
  m_gpuTitle->setText(tr("GPU"));
  const GpuDriver& driver = m_bridge.monitor().gpuDriver();
  m_gpuText->setText(driverText(driver));
  m_gpuMessage->setText(evidenceText(driver.evidence));
  m_gpuMessage->setVisible(!m_gpuMessage->text().isEmpty());
}

QString DashboardPage::driverText(const GpuDriver& driver) {
  switch (driver.state) {
    case GpuDriverState::NoDriver: return tr("No NVIDIA driver was found, so no GPU is shown here. Models run on the CPU.");
    case GpuDriverState::NotLoaded: return tr("The NVIDIA driver is installed but not running. Restart the machine, or load its kernel module.");
    case GpuDriverState::TooOld: return tr("The NVIDIA driver lacks something that is needed here. Update it to see the GPU.");
    case GpuDriverState::Failed: return tr("The NVIDIA driver is there but did not answer. Restarting the machine or reinstalling the driver often helps.");
    case GpuDriverState::Ready: break;
  }
  return driver.version.empty() ? tr("The NVIDIA driver is there, but it lists no GPU.")
                                : tr("The NVIDIA driver %1 is there, but it lists no GPU.").arg(q(driver.version));
}

void DashboardPage::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) {
    retranslate();
    draw();
  }
}

void DashboardPage::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  place();
}

void DashboardPage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  place();
  draw();
}

}  // namespace hearth::ui
