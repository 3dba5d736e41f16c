#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::output {

/// A part of a reply. Pieces come in the order in which the model wrote them.
struct Piece {
  enum class Kind : std::uint8_t { Reasoning, Text, ToolCall } kind = Kind::Text;
  std::string text;  ///< Reasoning, Text: bytes [begin, end) of the reply as it was pushed. ToolCall: more of the arguments
  std::size_t begin = 0;
  std::size_t end = 0;
  int call = -1;     ///< ToolCall: counts the calls of the reply from 0
  std::string name;  ///< ToolCall: in the first piece of a call only
};

/// Gathers pieces and joins neighbours, so that a push gives few of them. One thread.
class Pieces {
 public:
  void text(Piece::Kind kind, std::string_view text, std::size_t begin) {
    if (text.empty()) return;
    if (m_list.empty() || m_list.back().kind != kind || m_list.back().end != begin) {
      Piece piece;
      piece.kind = kind;
      piece.begin = piece.end = begin;
      m_list.push_back(std::move(piece));
    }
    m_list.back().text += text;
    m_list.back().end += text.size();
  }
  void call(std::string_view name) {
    Piece piece;
    piece.kind = Piece::Kind::ToolCall;
    piece.call = m_calls++;
    piece.name = name;
    m_list.push_back(std::move(piece));
  }
  /// Of the call begun last.
  void arguments(std::string_view text) {
    if (text.empty()) return;
    if (m_list.empty() || m_list.back().kind != Piece::Kind::ToolCall) {
      Piece piece;
      piece.kind = Piece::Kind::ToolCall;
      piece.call = m_calls - 1;
      m_list.push_back(std::move(piece));
    }
    m_list.back().text += text;
  }
  [[nodiscard]] std::vector<Piece> take() { return std::exchange(m_list, {}); }
  [[nodiscard]] int calls() const noexcept { return m_calls; }

 private:
  std::vector<Piece> m_list;
  int m_calls = 0;
};

/// One step of taking a reply apart. It sees one byte after the other and keeps all it knows between them, which is why the
/// result cannot depend on how the reply was cut into pushes. Linear in the reply's length. One thread.
class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;
  virtual void step(char c, std::size_t at, Pieces& out) = 0;  ///< `at`: the byte's place in the reply
  virtual void finish(Pieces& out) = 0;                        ///< the reply has ended: what is held back is decided now
  [[nodiscard]] virtual bool done() const noexcept { return false; }  ///< what follows is ignored
};

[[nodiscard]] constexpr bool isBlank(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace hearth::output
