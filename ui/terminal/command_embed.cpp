#include <fmt/format.h>

#include <boost/json.hpp>

#include "core/chat/embedding.h"
#include "ui/terminal/commands.h"
#include "ui/terminal/rooms.h"

namespace json = boost::json;

namespace hearth::terminal {

int commandEmbed(const GlobalOptions& global, const EmbedOptions& options) {
  EmbeddingRequest request;
  request.dimensions = options.dimensions;
  request.tooLong = options.split ? EmbeddingRequest::TooLong::Split : EmbeddingRequest::TooLong::Refuse;
  for (const std::string& text : options.texts) {
    if (text != "-") {
      request.inputs.emplace_back(text);
      continue;
    }
    auto read = readAll("-");
    if (!read) return report(read.error());
    request.inputs.emplace_back(std::move(*read));
  }
  EngineOptions engineOptions;
  engineOptions.contextTokens = 0;
  auto direct = loadDirectly(global, options.model, engineOptions);
  if (!direct) return report(direct.error());
  auto reply = embedTexts(direct->model, std::move(request));
  if (!reply) return report(reply.error());
  std::string lines;
  for (const auto& embedding : reply->embeddings) {
    lines += '[';
    for (std::size_t i = 0; i < embedding.size(); ++i) lines += fmt::format("{}{}", i > 0 ? "," : "", embedding[i]);
    lines += "]\n";
  }
  writeResult(lines);
  return kExitDone;
}

}  // namespace hearth::terminal
