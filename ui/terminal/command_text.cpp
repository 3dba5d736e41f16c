#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "core/formats/gguf.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"
#include "ui/terminal/commands.h"
#include "ui/terminal/rooms.h"

namespace json = boost::json;

namespace hearth::terminal {

int commandTokenize(const GlobalOptions& global, const TokenizeOptions& options) {
  auto path = modelPath(global, options.model);
  if (!path) return report(path.error());
  auto file = GgufFile::open(*path);
  if (!file) return report(file.error());
  auto tokenizer = Tokenizer::fromGguf(*file);
  if (!tokenizer) return report(tokenizer.error());
  auto text = readAll("-");
  if (!text) return report(text.error());
  const auto ids = (*tokenizer)->encode(*text, {.addSpecial = !options.noSpecial, .parseSpecial = !options.plain});
  if (options.json) {
    writeJson(json::array(ids.begin(), ids.end()));
  } else {
    std::string lines;
    for (const TokenId id : ids) lines += fmt::format("{}\n", id);
    writeResult(lines);
  }
  return kExitDone;
}

int commandTemplate(const GlobalOptions& global, const std::string& source, const std::string& contextFile) {
  std::string text;
  std::unique_ptr<Tokenizer> tokenizer;  // of a MODEL: gives the names of its BOS and EOS
  if (source.ends_with(".jinja") || source.ends_with(".jinja2") || source.ends_with(".j2")) {
    auto read = readAll(source);
    if (!read) return report(read.error());
    text = std::move(*read);
  } else {
    auto path = modelPath(global, source);
    if (!path) return report(path.error());
    auto file = GgufFile::open(*path);
    if (!file) return report(file.error());
    const auto found = file->string("tokenizer.chat_template");
    if (!found) return report(Error{ErrorCode::NotFound, "the model has no chat template", {{"path", path->string()}}});
    text = std::string(*found);
    if (auto made = Tokenizer::fromGguf(*file)) tokenizer = std::move(*made);
  }
  auto parsed = ChatTemplate::parse(text);
  if (!parsed) return report(parsed.error());
  auto contextText = readAll(contextFile);
  if (!contextText) return report(contextText.error());
  boost::system::error_code problem;
  json::value context = json::parse(*contextText, problem);
  if (problem || !context.is_object()) {
    return report(Error{ErrorCode::InvalidArgument, "the context is not a JSON object", {{"path", contextFile}, {"cause", problem ? problem.message() : "another kind of value"}}});
  }
  // As chatting does it; what the context names itself stays.
  const auto name = [&](const char* variable, TokenId token) {
    if (tokenizer && token >= 0 && !context.get_object().contains(variable)) context.get_object()[variable] = tokenizer->bytes(token, true);
  };
  if (tokenizer) {
    name("bos_token", tokenizer->bos());
    name("eos_token", tokenizer->eos());
  }
  auto rendered = parsed->render(context.get_object());
  if (!rendered) return report(rendered.error());
  writeResult(rendered->text);
  return kExitDone;
}

}  // namespace hearth::terminal
