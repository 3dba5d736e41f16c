#include <array>

#include "core/text/output/formats/format.h"

namespace hearth::output {
namespace {

constexpr std::array kMarks{CallMark{"<tool_call>", CallMark::Body::Object, "", "</tool_call>"},
                            CallMark{"<tools>", CallMark::Body::Object, "", "</tools>"}};
constexpr std::array<std::string_view, 2> kTokens{"<tool_call>", "</tool_call>"};

}  // namespace

/// Nous Hermes, Qwen 2.5, Qwen3: <tool_call>\n{"name": …, "arguments": {…}}\n</tool_call>, once for each call. Qwen2.5-Coder
/// repeats the <tools> of its prompt, or writes a fence.
const CallFormat kHermes{.name = "hermes",
                         .marks = kMarks,
                         .tokens = kTokens,
                         .written = {"", "<tool_call>\n{\"name\": \"", "\", \"arguments\": ", "}\n</tool_call>", "\n", ""},
                         .matches = [](const Clues& clues) { return clues.tokenOrTemplateHas("<tool_call>"); }};

}  // namespace hearth::output
