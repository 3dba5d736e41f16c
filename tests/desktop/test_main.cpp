#include <QApplication>
#include <QTemporaryDir>

#include <gtest/gtest.h>

#include "ui/desktop/app/resources.h"

int main(int argc, char** argv) {
  if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  // Qt's choosers remember their last folder in the user's settings: a test neither reads nor changes those.
  const QTemporaryDir config;
  qputenv("XDG_CONFIG_HOME", config.path().toUtf8());
  testing::InitGoogleTest(&argc, argv);
  QApplication app(argc, argv);
  hearth::ui::initialiseResources();
  return RUN_ALL_TESTS();
}
