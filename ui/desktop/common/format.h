#pragma once

#include <QString>

#include <cstdint>
#include <string>

namespace hearth::ui {

[[nodiscard]] inline QString q(const std::string& text) { return QString::fromStdString(text); }

/// "1.1 GB" (decimal units, as disks and model pages count).
[[nodiscard]] QString bytesText(std::uint64_t bytes);
/// "12.4k" above 10,000, else "8,192".
[[nodiscard]] QString countText(std::int64_t count);
/// "1.5B", "135M" parameters.
[[nodiscard]] QString parametersText(std::int64_t parameters);
/// "3 ms", "0.21 s", "2 min 5 s".
[[nodiscard]] QString secondsText(double seconds);
/// A rate or figure with few digits: 0.84, 8.4, 84, 1,930.
[[nodiscard]] QString figureText(double value);

}  // namespace hearth::ui
