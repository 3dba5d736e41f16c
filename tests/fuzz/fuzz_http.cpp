// Any bytes into the request parser, cut anywhere; what parses goes on through the policy and, as a call of each dialect,
// through the JSON and field checks. Two properties are held beside "no crash": how the bytes are cut changes nothing, and error
// answers are valid JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/server/api/anthropic/messages_schema.h"
#include "core/server/api/json_body.h"
#include "core/server/api/native/native_schema.h"
#include "core/server/api/ollama/ollama_schema.h"
#include "core/server/api/openai/chat_schema.h"
#include "core/server/api/openai/completions_schema.h"
#include "core/server/api/openai/responses_schema.h"
#include "core/server/transport/http_policy.h"
#include "core/server/transport/request_parser.h"

#include <boost/json/value.hpp>

namespace {

using hearth::http::RequestParser;

void require(bool condition) {
  if (!condition) std::abort();
}

void feedInSteps(RequestParser& parser, std::string_view bytes, std::size_t step) {
  std::string pending;
  for (std::size_t at = 0; at < bytes.size() && !parser.problem() && !parser.done(); at += step) {
    pending.append(bytes.substr(at, step));
    for (;;) {
      const std::size_t taken = parser.feed(pending);
      require(taken <= pending.size());
      pending.erase(0, taken);
      if (taken == 0 || pending.empty() || parser.done() || parser.problem()) break;
    }
  }
}

template <class T>
void check(const hearth::api::ApiResult<T>& read, hearth::api::Dialect dialect) {
  if (read) return;
  require(read.error().status == 400);
  require(hearth::api::parseJsonBody(hearth::api::errorBody(read.error(), dialect)).has_value());
}

/// The body through every dialect's reader: what one takes, another refuses, and none falls over.
void tryCalls(std::string_view body) {
  using hearth::api::Dialect;
  const auto chat = hearth::api::parseChatCall(body);
  check(chat, Dialect::OpenAi);
  if (chat) {
    require(chat->choices >= 1 && chat->choices <= 8);
    require(chat->request.sampling.validate(1 << 30).has_value());
  }
  check(hearth::api::parseCompletionsCall(body), Dialect::OpenAi);
  check(hearth::api::parseResponsesCall(body), Dialect::OpenAi);
  check(hearth::api::parseMessagesCall(body), Dialect::Anthropic);
  check(hearth::api::parseOllamaChat(body), Dialect::Ollama);
  check(hearth::api::parseOllamaGenerate(body), Dialect::Ollama);
  check(hearth::api::parseTokenizeCall(body), Dialect::OpenAi);
  check(hearth::api::parseDetokenizeCall(body), Dialect::OpenAi);
  check(hearth::api::parseInfillCall(body), Dialect::OpenAi);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  // The first byte chooses the door, so that the JSON side need not be found through HTTP.
  if ((data[0] & 1) != 0) {
    tryCalls(bytes);
    return 0;
  }
  hearth::http::ParseLimits limits;
  limits.headerBytes = 1024;
  limits.bodyBytes = 2048;
  RequestParser whole(limits);
  feedInSteps(whole, bytes, bytes.size());
  RequestParser cut(limits);
  feedInSteps(cut, bytes, 1 + (data[0] >> 1));
  require(!(whole.done() && whole.problem()));
  if (whole.done() && cut.done()) {
    require(whole.request().target == cut.request().target);
    require(whole.request().body == cut.request().body);
    require(whole.request().headers.size() == cut.request().headers.size());
    require(whole.keepAlive() == cut.keepAlive());
  } else {
    require(whole.done() == cut.done());
  }
  if (whole.done()) {
    auto& request = whole.request();
    require(request.body.size() <= limits.bodyBytes);
    auto problem = hearth::http::splitTarget(request);
    if (!problem) problem = hearth::http::checkHostAndOrigin(request);
    if (!problem) {
      require(request.path == "*" || request.path.starts_with('/'));
      (void)hearth::http::percentDecode(request.path);
      tryCalls(request.body);
    } else {
      require(hearth::api::parseJsonBody(hearth::http::problemResponse(*problem).body).has_value());
    }
  }
  return 0;
}
