#pragma once

namespace hearth::ui {

class Bridge;
class LanguageManager;
class Preferences;
class ThemeManager;

/// What the window needs from the program; all outlive it.
struct WindowContext {
  Bridge& bridge;
  Preferences& preferences;
  ThemeManager& theme;
  LanguageManager& language;
};

}  // namespace hearth::ui
