#pragma once

#include <QString>

#include "core/chat/chat_service.h"

namespace hearth::ui {

/// What the parameters panel edits: a chat's own sampling, kept with it as JSON. Fields that are not in the JSON keep the
/// defaults of SamplingParams.
struct ChatParameters {
  double temperature = SamplingParams{}.temperature;
  double topP = SamplingParams{}.topP;
  int topK = SamplingParams{}.topK;
  double minP = SamplingParams{}.minP;
  int maxTokens = -1;                ///< −1 = until the context is full
  std::optional<std::uint64_t> seed;
  friend bool operator==(const ChatParameters&, const ChatParameters&) = default;

  [[nodiscard]] static ChatParameters fromJson(const std::string& json);  ///< values out of range or of another kind are ignored
  [[nodiscard]] std::string toJson() const;                               ///< only what differs from the defaults
  [[nodiscard]] SendOptions sendOptions(const QString& model) const;
};

}  // namespace hearth::ui
