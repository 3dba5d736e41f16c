// A chat template from a hostile model file: it must parse and render, or fail, within its caps. Beyond crashes, checked
// here: the input ranges are sorted, disjoint and inside the text, and rendering twice gives the same.
#include <boost/json.hpp>

#include <cstdlib>
#include <string_view>

#include "core/text/chat_template.h"

namespace {

const boost::json::object& context() {
  static const boost::json::object object =
      boost::json::parse(R"({
        "messages": [{"role": "system", "content": "Größe 🙂"}, {"role": "user", "content": " a\nb "},
                     {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {"x": [1, 2.5]}}}]},
                     {"role": "user", "content": [{"type": "text", "text": "part"}]}],
        "tools": [{"function": {"name": "f", "parameters": {"properties": {"x": {"type": "integer"}}}}}],
        "add_generation_prompt": true, "bos_token": "<s>", "n": 7, "s": "Hello", "list": [3, 1, 2], "dict": {"b": 1, "a": 2}, "bad": "\u00e9"
      })").as_object();
  return object;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const auto parsed = hearth::ChatTemplate::parse(source);
  if (!parsed) return 0;
  const hearth::TemplateLimits limits{.steps = 100'000, .depth = 128, .outputBytes = 1U << 20U};
  const auto rendered = parsed->render(context(), limits);
  if (!rendered) return 0;
  std::size_t last = 0;
  for (const hearth::TextRange& range : rendered->input) {
    if (range.begin < last || range.begin >= range.end || range.end > rendered->text.size()) std::abort();
    last = range.end;
  }
  const auto again = parsed->render(context(), limits);
  if (!again || again->text.size() != rendered->text.size()) {
    if (source.find("strftime_now") == std::string_view::npos) std::abort();
  }
  return 0;
}
