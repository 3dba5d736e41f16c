#include <array>

#include "core/text/output/formats/format.h"

namespace hearth::output {
namespace {

constexpr std::array kMarks{CallMark{"<tool_call>", CallMark::Body::Object, "", "</tool_call>"},
                            CallMark{"<tools>", CallMark::Body::Object, "", "</tools>"},
                            CallMark{"<|tool_call|>", CallMark::Body::Object, "", "<|/tool_call|>"},
                            CallMark{"<|tool_call>", CallMark::Body::Object, "", "<tool_call|>"},
                            CallMark{"<|python_tag|>", CallMark::Body::Object, "", ""},
                            CallMark{"<function=", CallMark::Body::Named, ">", "</function>"},
                            CallMark{"functools", CallMark::Body::Object, "", ""},
                            CallMark{"[TOOL_CALLS]", CallMark::Body::Either, "[ARGS]", ""}};
constexpr std::array<std::string_view, 5> kTokens{"<tool_call>", "</tool_call>", "<|tool_call|>", "<|/tool_call|>",
                                                  "<|tool_call>"};

}  // namespace

/// A model of which nothing is known: every mark counts, and plain JSON.
const CallFormat kGeneric{.name = "generic",
                          .marks = kMarks,
                          .tokens = kTokens,
                          .written = {"", "{\"name\": \"", "\", \"arguments\": ", "}", "\n", ""},
                          .matches = [](const Clues&) { return true; }};

}  // namespace hearth::output
