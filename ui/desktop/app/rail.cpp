#include "ui/desktop/app/rail.h"

#include <QButtonGroup>
#include <QEvent>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/desktop/common/icons.h"
#include "ui/desktop/common/theme.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {
constexpr QLatin1StringView kIcons[] = {"chat"_L1, "models"_L1, "dashboard"_L1, "server"_L1, "settings"_L1};
}

std::optional<Page> pageNamed(const QString& name) {
  for (std::size_t i = 0; i < std::size(kIcons); ++i) {
    if (name == kIcons[i]) return static_cast<Page>(i);
  }
  return std::nullopt;
}

Rail::Rail(QWidget* parent) : QFrame(parent), m_group(new QButtonGroup(this)) {
  setObjectName(u"rail"_s);
  setFixedWidth(Metrics::kRailWidth);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(6, 12, 6, 12);
  column->setSpacing(4);
  for (int i = 0; i < 5; ++i) {
    auto* button = new QToolButton;
    button->setCheckable(true);
    button->setToolButtonStyle(Qt::ToolButtonTextUnderIcon);
    button->setIconSize({20, 20});
    button->setFixedSize(Metrics::kRailWidth - 13, 54);
    button->setCursor(Qt::PointingHandCursor);
    button->setFocusPolicy(Qt::TabFocus);
    m_group->addButton(button, i);
    m_buttons.push_back(button);
    if (i == 4) column->addStretch(1);
    column->addWidget(button);
  }
  m_group->setExclusive(true);
  m_buttons.front()->setChecked(true);
  connect(m_group, &QButtonGroup::idClicked, this, [this](int id) { emit picked(static_cast<Page>(id)); });
  drawIcons();
  retranslate();
}

void Rail::setPage(Page page) { button(page)->setChecked(true); }

void Rail::drawIcons() {
  for (std::size_t i = 0; i < m_buttons.size(); ++i) m_buttons[i]->setIcon(themedIcon(kIcons[i]));
}

void Rail::retranslate() {
  const QString names[] = {tr("Chat"), tr("Models"), tr("Dashboard"), tr("Server"), tr("Settings")};
  for (std::size_t i = 0; i < m_buttons.size(); ++i) {
    m_buttons[i]->setText(names[i]);
    m_buttons[i]->setAccessibleName(names[i]);
    m_buttons[i]->setToolTip(i == 4 ? tr("%1 (Ctrl+,)").arg(names[i]) : tr("%1 (Ctrl+%2)").arg(names[i]).arg(i + 1));
  }
  setAccessibleName(tr("Pages"));
}

void Rail::changeEvent(QEvent* event) {
  QFrame::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
  if (event->type() == QEvent::PaletteChange) drawIcons();
}

}  // namespace hearth::ui
