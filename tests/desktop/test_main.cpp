#include <QApplication>

#include <gtest/gtest.h>

#include "ui/desktop/app/resources.h"

int main(int argc, char** argv) {
  if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  testing::InitGoogleTest(&argc, argv);
  QApplication app(argc, argv);
  hearth::ui::initialiseResources();
  return RUN_ALL_TESTS();
}
