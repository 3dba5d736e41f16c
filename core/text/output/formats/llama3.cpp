#include <array>

#include "core/text/output/formats/format.h"

namespace hearth::output {
namespace {

constexpr std::array kMarks{CallMark{"<|python_tag|>", CallMark::Body::Object, "", ""},
                            CallMark{"<function=", CallMark::Body::Named, ">", "</function>"}};
constexpr std::array<std::string_view, 1> kTokens{"<|python_tag|>"};

}  // namespace

/// Llama 3.1 to 3.3: the reply is {"name": …, "parameters": {…}}, with or without <|python_tag|> before it; several are
/// parted by "; ". Or <function=NAME>{…}</function>.
const CallFormat kLlama3{.name = "llama3",
                         .marks = kMarks,
                         .tokens = kTokens,
                         .written = {"", "{\"name\": \"", "\", \"parameters\": ", "}", "; ", ""},
                         .matches = [](const Clues& clues) {
                           return clues.tokenOrTemplateHas("<|python_tag|>") || clues.templateHas("<function=") ||
                                  (clues.templateHas("<|start_header_id|>") && clues.templateHas("ipython"));
                         }};

}  // namespace hearth::output
