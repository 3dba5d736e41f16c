#pragma once

namespace hearth::ui {

/// Names the resources of the static library, so that the linker keeps them. Once, after the application object exists.
void initialiseResources();

}  // namespace hearth::ui
