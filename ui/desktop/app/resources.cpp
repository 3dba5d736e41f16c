#include "ui/desktop/app/resources.h"

#include <QDir>

// Q_INIT_RESOURCE must stand outside any namespace.
static void initialise() {
  Q_INIT_RESOURCE(desktop);
  Q_INIT_RESOURCE(hearth_translations);
}

namespace hearth::ui {

void initialiseResources() { initialise(); }

}  // namespace hearth::ui
