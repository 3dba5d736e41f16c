#include "core/text/output/reasoning_stage.h"

#include <utility>

namespace hearth::output {

void ReasoningStage::step(char c, std::size_t at, Pieces& out) {
  switch (m_state) {
    case State::Begin:
      if (m_held.empty()) m_heldAt = at;
      m_held += c;
      if (m_blanks + 1 == m_held.size() && isBlank(c)) {
        ++m_blanks;
      } else if (const auto mark = std::string_view(m_held).substr(m_blanks); mark == m_open) {
        m_held.clear();
        m_state = State::Inside;
      } else if (!m_open.starts_with(mark)) {
        giveUpMark(out);
      }
      return;
    case State::Inside: inside(c, at, out); return;
    case State::Behind:
      if (isBlank(c)) return;
      m_state = State::Answer;
      [[fallthrough]];
    case State::Answer: m_answer.step(c, at, out); return;
  }
}

// The reply does not begin with the mark: it is an answer, or goes on with what the prompt began.
void ReasoningStage::giveUpMark(Pieces& out) {
  const std::string held = std::exchange(m_held, {});
  const std::size_t at = m_heldAt;
  m_state = m_begun ? State::Inside : State::Answer;
  for (std::size_t i = 0; i < held.size(); ++i) step(held[i], at + i, out);
}

void ReasoningStage::inside(char c, std::size_t at, Pieces& out) {
  if (m_held.empty()) m_heldAt = at;
  m_held += c;
  // What cannot be the mark any more goes out; the rest is shorter than the mark.
  while (!m_held.empty() && !m_close.starts_with(m_held)) {
    reasoning(m_held.front(), m_heldAt++, out);
    m_held.erase(0, 1);
  }
  if (m_held != m_close) return;
  m_held.clear();
  m_space.clear();
  m_state = State::Behind;
}

void ReasoningStage::reasoning(char c, std::size_t at, Pieces& out) {
  if (isBlank(c)) {
    if (!m_any) return;
    if (m_space.empty()) m_spaceAt = at;
    m_space += c;
    return;
  }
  m_any = true;
  out.text(Piece::Kind::Reasoning, m_space, m_spaceAt);
  m_space.clear();
  out.text(Piece::Kind::Reasoning, {&c, 1}, at);
}

void ReasoningStage::finish(Pieces& out) {
  if (m_state == State::Begin) giveUpMark(out);
  if (m_state == State::Inside) {
    const std::string held = std::exchange(m_held, {});
    for (std::size_t i = 0; i < held.size(); ++i) reasoning(held[i], m_heldAt + i, out);
  }
  m_answer.finish(out);
}

}  // namespace hearth::output
