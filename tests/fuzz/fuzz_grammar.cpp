// A schema, a grammar or a pattern that someone sends: it compiles or is refused, within its caps; and what the grammar then
// lets through is what it matches. The first byte says which of the three.
#include <cstdlib>
#include <string_view>

#include "core/text/grammar/grammar.h"
#include "core/text/grammar/stepper.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hearth;
  if (size == 0) return 0;
  OutputShape shape;
  shape.kind = data[0] % 3 == 0   ? OutputShape::Kind::JsonSchema
               : data[0] % 3 == 1 ? OutputShape::Kind::Gbnf
                                  : OutputShape::Kind::Regex;
  shape.text.assign(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto compiled = compileShape(shape, "shape");
  if (!compiled) {
    if (compiled.error().code != ErrorCode::InvalidArgument || compiled.error().find("field").empty()) std::abort();
    return 0;
  }
  // A walk that takes some byte the grammar allows: it must always find one, or be at an end.
  const grammar::Automaton& automaton = (*compiled)->automaton();
  grammar::Stepper stepper(automaton);
  grammar::Threads threads = stepper.start(), next;
  std::string text;
  for (int step = 0; step < 200; ++step) {
    if (threads.empty()) std::abort();
    if (stepper.work() > 300'000) return 0;
    const unsigned begin = data[static_cast<std::size_t>(step) % size];
    bool moved = false;
    for (unsigned i = 0; i < 256 && !moved; ++i) {
      if (!stepper.step(threads, static_cast<std::uint8_t>(begin + i * 7), next)) return 0;  // too ambiguous
      if (next.empty()) continue;
      text += static_cast<char>(begin + i * 7);
      moved = true;
    }
    if (!moved) {
      if (!grammar::mayEnd(threads)) std::abort();
      if (!(*compiled)->matches(text)) std::abort();
      return 0;
    }
    std::swap(threads, next);
  }
  if (grammar::mayEnd(threads) != (*compiled)->matches(text)) std::abort();
  return 0;
}
