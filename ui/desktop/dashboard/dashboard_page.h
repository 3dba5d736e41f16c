#pragma once

#include <QWidget>

#include <vector>

class QButtonGroup;
class QGridLayout;
class QLabel;
class QPushButton;

namespace hearth {
struct GpuDriver;
}

namespace hearth::ui {

class Bridge;
class ChartCard;
struct MonitorSample;

/// Live charts of the machine and the engines. Drawn once a second, only while the page is visible and not paused. Qt
/// thread only.
class DashboardPage : public QWidget {
  Q_OBJECT
 public:
  explicit DashboardPage(Bridge& bridge, QWidget* parent = nullptr);
  [[nodiscard]] QPushButton* pauseButton() const { return m_pause; }
  [[nodiscard]] const std::vector<ChartCard*>& cards() const noexcept { return m_cards; }
  [[nodiscard]] QLabel* gpuText() const { return m_gpuText; }
  [[nodiscard]] QLabel* gpuMessage() const { return m_gpuMessage; }
  [[nodiscard]] int draws() const noexcept { return m_draws; }  ///< how often charts were drawn: for tests of "only when visible"

 protected:
  void changeEvent(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void showEvent(QShowEvent* event) override;

 private:
  void retranslate();
  [[nodiscard]] static QString driverText(const GpuDriver& driver);
  void draw();
  void place();
  void fitGpus(std::size_t count);
  [[nodiscard]] ChartCard* addCard(ChartCard* card);

  Bridge& m_bridge;
  QLabel* m_title;
  QButtonGroup* m_ranges;
  QPushButton* m_pause;
  QGridLayout* m_grid;
  QWidget* m_gpuCard;
  QLabel* m_gpuTitle;
  QLabel* m_gpuText;
  QLabel* m_gpuMessage;
  ChartCard* m_cpu;
  ChartCard* m_memory;
  ChartCard* m_rates;
  ChartCard* m_queue;
  struct GpuCards {
    ChartCard* use;
    ChartCard* memory;
    ChartCard* heat;
    ChartCard* power;
  };
  std::vector<GpuCards> m_gpus;
  std::vector<ChartCard*> m_cards;  ///< all, in order
  int m_columns = 0;
  int m_draws = 0;
};

}  // namespace hearth::ui
