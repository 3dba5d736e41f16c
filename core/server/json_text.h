#pragma once

#include <string>
#include <string_view>

namespace hearth {

/// Appends `text` as a JSON string with its quotes. Invalid UTF-8 becomes U+FFFD, so that the result is always valid JSON.
void appendJsonString(std::string& out, std::string_view text);
[[nodiscard]] std::string jsonString(std::string_view text);

/// Appends a finite number in the shortest form that reads back the same; NaN and infinities become null.
void appendJsonNumber(std::string& out, double value);

}  // namespace hearth
