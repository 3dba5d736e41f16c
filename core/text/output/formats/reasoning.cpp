#include "core/text/output/formats/format.h"

namespace hearth::output {

/// DeepSeek-R1 and its distillates, Qwen3, QwQ, GLM, MiniMax, Nemotron, SmolLM3, Phi-4-reasoning …
const ReasoningFormat kThink{"think", "<think>", "</think>",
                             [](const Clues& clues) { return clues.tokenOrTemplateHas("<think>"); }, true};

/// Magistral.
const ReasoningFormat kMistralThink{"mistral", "[THINK]", "[/THINK]",
                                    [](const Clues& clues) { return clues.tokenOrTemplateHas("[THINK]"); }};

const ReasoningFormat kThinking{"thinking", "<thinking>", "</thinking>",
                                [](const Clues& clues) { return clues.templateHas("<thinking>"); }};

const ReasoningFormat kReasoningTag{"reasoning", "<reasoning>", "</reasoning>",
                                    [](const Clues& clues) { return clues.templateHas("<reasoning>"); }};

/// ByteDance's Seed-OSS.
const ReasoningFormat kSeedThink{"seed", "<seed:think>", "</seed:think>",
                                 [](const Clues& clues) { return clues.tokenOrTemplateHas("<seed:think>"); }};

}  // namespace hearth::output
