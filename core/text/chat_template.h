#pragma once

#include <boost/json/fwd.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/text/tokenizer.h"

namespace hearth {

struct TemplateLimits {
  std::size_t steps = 2'000'000;       ///< evaluated nodes
  std::size_t depth = 128;             ///< nesting of expressions, blocks and macro calls
  std::size_t outputBytes = 64U << 20U;
};

struct RenderedPrompt {
  std::string text;
  /// The parts of text that came from the context's strings, not from the template: sorted, merged. Through slices, trims,
  /// replacements, JSON and the like each character keeps its origin. Not input, because the host sets them and templates
  /// build control tokens of them: top-level strings whose name ends in `_token`, and a message's `role` when it is one of
  /// system, user, assistant, tool, developer, function, model, ipython.
  std::vector<TextRange> input;
};

/// A parsed Jinja chat template (the subset of DESIGN/research that chat templates use). Immutable, any thread.
class ChatTemplate {
 public:
  /// Error: TemplateFailed with line and cause.
  [[nodiscard]] static Result<ChatTemplate> parse(std::string_view source);
  /// Renders with the given variables (an object: messages, tools, add_generation_prompt, bos_token, …). Behaves as Hugging
  /// Face's sandboxed Jinja: trim_blocks, lstrip_blocks, loopcontrols, tojson without HTML escaping.
  /// Errors: TemplateFailed (raise_exception's text, undefined use, cap reached: evidence names it).
  [[nodiscard]] Result<RenderedPrompt> render(const boost::json::object& context, const TemplateLimits& limits = {}) const;

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

 private:
  struct Program;
  explicit ChatTemplate(std::unique_ptr<const Program> program);
  std::unique_ptr<const Program> m_program;
};

}  // namespace hearth
