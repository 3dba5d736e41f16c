#pragma once

#include <string>
#include <string_view>

#include "core/text/output/piece.h"

namespace hearth::output {

/// Parts a reply that begins with a block of reasoning from its answer, which goes to the next stage. A block begins at the
/// reply's first character that is not blank, or has begun in the prompt already; a mark further behind is text. Blanks
/// around the reasoning, and before the answer, belong to the marks. An unclosed block is reasoning to its end.
class ReasoningStage final : public Stage {
 public:
  /// The marks: ASCII or not, not blank at their ends; their texts and `answer` outlive the stage.
  ReasoningStage(std::string_view open, std::string_view close, bool begun, Stage& answer)
      : m_open(open), m_close(close), m_begun(begun), m_answer(answer) {}

  void step(char c, std::size_t at, Pieces& out) override;
  void finish(Pieces& out) override;
  [[nodiscard]] bool done() const noexcept override { return m_answer.done(); }

 private:
  enum class State : std::uint8_t { Begin, Inside, Behind, Answer };
  void inside(char c, std::size_t at, Pieces& out);
  void reasoning(char c, std::size_t at, Pieces& out);
  void giveUpMark(Pieces& out);

  std::string_view m_open, m_close;
  bool m_begun;
  Stage& m_answer;
  State m_state = State::Begin;
  std::string m_held;  // may be a mark (in Begin with the blanks before it)
  std::size_t m_heldAt = 0;
  std::size_t m_blanks = 0;  // of m_held, in Begin
  std::string m_space;       // blanks that may be the reasoning's last
  std::size_t m_spaceAt = 0;
  bool m_any = false;
};

}  // namespace hearth::output
