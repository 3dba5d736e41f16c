#include "ui/desktop/shell/system_card.h"

#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QSignalBlocker>
#include <QVBoxLayout>

#include <algorithm>
#include <vector>

#include "ui/desktop/common/motion.h"
#include "ui/desktop/common/widgets.h"
#include "ui/desktop/settings/setting_row.h"

namespace hearth::ui {

namespace {
constexpr int kScales[] = {100, 110, 125, 150, 175, 200};
constexpr int kFieldWidth = 240;
}  // namespace

SystemCard::SystemCard(QWidget* parent)
    : QWidget(parent),
      m_title(makeLabel("heading")),
      m_error(new ErrorBox),
      m_scale(new QComboBox),
      m_motion(new QComboBox),
      m_tray(new QCheckBox),
      m_autostart(new QCheckBox) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  QVBoxLayout* card = addSettingCard(column, m_title);
  card->addWidget(m_error);
  m_scaleLabel = addSettingRow(card, m_scale, &m_scaleNote);
  m_motionLabel = addSettingRow(card, m_motion, nullptr);
  m_trayLabel = addSettingRow(card, m_tray, &m_trayNote);
  m_autostartLabel = addSettingRow(card, m_autostart, &m_autostartNote);
  for (QComboBox* box : {m_scale, m_motion}) box->setFixedWidth(kFieldWidth);
  for (QCheckBox* box : {m_tray, m_autostart}) box->setMinimumHeight(30);  // on the line of its label
  connect(m_scale, &QComboBox::activated, this, [this] {
    setScale(m_scale->currentData().toInt(), m_appliedScale);
    emit scaleChosen(m_chosenScale);
  });
  connect(m_motion, &QComboBox::activated, this, [this] {
    m_chosenMotion = m_motion->currentData().toInt();
    emit motionChosen(m_chosenMotion);
  });
  connect(m_tray, &QCheckBox::clicked, this, &SystemCard::trayChosen);
  m_autostart->setEnabled(false);  // until it is known how it stands
  connect(m_autostart, &QCheckBox::clicked, this, [this](bool on) {
    m_autostart->setEnabled(false);
    emit autostartChosen(on);
  });
  retranslate();
}

void SystemCard::setScale(int percent, int applied) {
  m_chosenScale = percent;
  m_appliedScale = applied;
  retranslate();
}

void SystemCard::setMotion(int choice) {
  m_chosenMotion = choice;
  retranslate();
}

void SystemCard::setTray(bool wanted, bool available) {
  m_tray->setChecked(wanted);
  m_trayAvailable = available;
  m_tray->setEnabled(available || wanted);
  retranslate();
}

void SystemCard::setAutostart(bool on) {
  m_autostart->setChecked(on);
  m_autostart->setEnabled(true);
}

void SystemCard::retranslate() {
  m_title->setText(tr("Window and session"));
  m_scaleLabel->setText(tr("Size of text and controls"));
  m_scaleNote->setText(m_chosenScale == m_appliedScale ? tr("On top of what the system's own setting gives.")
                                                       : tr("Holds from the next start of Hearth."));
  m_motionLabel->setText(tr("Motion"));
  m_trayLabel->setText(tr("Tray"));
  m_tray->setText(tr("Show an icon in the tray"));
  m_trayNote->setText(m_trayAvailable ? tr("Then closing the window leaves Hearth, its models and its server running; Quit in the icon's menu ends it.")
                                      : tr("This desktop shows no tray icons: closing the window ends Hearth. On GNOME, the extension AppIndicator adds them."));
  m_autostartLabel->setText(tr("Start with the session"));
  m_autostart->setText(tr("Start Hearth when I sign in"));
  m_autostartNote->setText(tr("In the tray where there is one, else as a minimised window. Loads the model of last time; the server stays off."));
  const QSignalBlocker a(m_scale), b(m_motion);
  std::vector<int> scales(std::begin(kScales), std::end(kScales));
  if (std::ranges::find(scales, m_chosenScale) == scales.end()) scales.insert(std::ranges::upper_bound(scales, m_chosenScale), m_chosenScale);
  m_scale->clear();
  for (const int percent : scales) m_scale->addItem(tr("%1%").arg(percent), percent);
  m_scale->setCurrentIndex(m_scale->findData(m_chosenScale));
  m_motion->clear();
  m_motion->addItem(tr("As the system"), static_cast<int>(MotionChoice::System));
  m_motion->addItem(tr("Full"), static_cast<int>(MotionChoice::Full));
  m_motion->addItem(tr("Reduced"), static_cast<int>(MotionChoice::Reduced));
  m_motion->setCurrentIndex(m_motion->findData(m_chosenMotion));
  const std::pair<QWidget*, QLabel*> named[] = {{m_scale, m_scaleLabel}, {m_motion, m_motionLabel}};
  for (const auto& [field, label] : named) field->setAccessibleName(label->text());
  m_tray->setAccessibleName(m_tray->text());
  m_tray->setAccessibleDescription(m_trayNote->text());
  m_autostart->setAccessibleName(m_autostart->text());
  m_autostart->setAccessibleDescription(m_autostartNote->text());
}

void SystemCard::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
}

}  // namespace hearth::ui
