#include <array>

#include "core/text/output/formats/format.h"

namespace hearth::output {
namespace {

constexpr std::array kMarks{CallMark{"[TOOL_CALLS]", CallMark::Body::Either, "[ARGS]", ""}};
constexpr std::array<std::string_view, 3> kTokens{"[TOOL_CALLS]", "[ARGS]", "[CALL_ID]"};

bool hasMark(const Clues& clues) { return clues.tokenOrTemplateHas("[TOOL_CALLS]"); }

}  // namespace

/// Mistral since 2025: [TOOL_CALLS]NAME[ARGS]{…}, once for each call (with [CALL_ID] between in some). Reads the older one
/// too.
const CallFormat kMistralNamed{
    .name = "mistral-named",
    .marks = kMarks,
    .tokens = kTokens,
    .written = {"", "[TOOL_CALLS]", "[ARGS]", "", "", ""},
    .idLength = 9,
    .matches = [](const Clues& clues) { return hasMark(clues) && clues.tokenOrTemplateHas("[ARGS]"); }};

/// Mistral, Mixtral, Nemo: [TOOL_CALLS][{"name": …, "arguments": {…}}, …].
const CallFormat kMistral{.name = "mistral",
                          .marks = kMarks,
                          .tokens = kTokens,
                          .written = {"[TOOL_CALLS][", "{\"name\": \"", "\", \"arguments\": ", "}", ", ", "]"},
                          .idLength = 9,
                          .matches = hasMark};

}  // namespace hearth::output
