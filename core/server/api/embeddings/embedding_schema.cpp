#include "core/server/api/embeddings/embedding_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <limits>

#include "core/server/api/common_fields.h"

namespace hearth::api {
namespace json = boost::json;

namespace {

using TooLong = EmbeddingRequest::TooLong;

constexpr std::size_t kMostInputs = 2048;  // OpenAI's own limit
constexpr double kMostDimensions = 1 << 17;

constexpr std::string_view kInputSchema =
    R"({"oneOf":[{"type":"string"},{"type":"array","minItems":1,"maxItems":2048,"items":{"type":"string"}},)"
    R"({"type":"array","minItems":1,"items":{"type":"integer","minimum":0}},)"
    R"({"type":"array","minItems":1,"maxItems":2048,"items":{"type":"array","minItems":1,"items":{"type":"integer","minimum":0}}}]})";
constexpr std::string_view kTextsSchema =
    R"({"oneOf":[{"type":"string"},{"type":"array","maxItems":2048,"items":{"type":"string"}}]})";

Failure tooMany(const std::string& at) {
  return badField(at, fmt::format("{} may have at most {} entries.", at, kMostInputs));
}

Failure readTokens(std::vector<TokenId>& out, const json::array& numbers, const std::string& at) {
  if (numbers.empty()) return badField(at, at + " is an empty list of tokens.");
  out.reserve(numbers.size());
  for (const json::value& number : numbers) {
    const auto token = numberOf(number, true);
    if (!token) return wrongType(at, "a list of token numbers, or of texts");
    if (!(*token >= 0 && *token <= std::numeric_limits<TokenId>::max()))
      return badField(at, at + " holds a number that is no token.");
    out.push_back(static_cast<TokenId>(*token));
  }
  return std::nullopt;
}

Failure readInput(Draft& draft, const json::value& value, const std::string& at) {
  auto& inputs = draft.embedding.request.inputs;
  if (value.is_string()) {
    inputs.emplace_back(std::string(view(value.get_string())));
    return std::nullopt;
  }
  if (!value.is_array()) return wrongType(at, "a string, a list of strings, or lists of tokens");
  const json::array& list = value.get_array();
  if (list.empty()) return badField(at, at + " is an empty list.");
  if (list.front().is_number()) {
    std::vector<TokenId> tokens;
    if (auto failure = readTokens(tokens, list, at)) return failure;
    inputs.emplace_back(std::move(tokens));
    return std::nullopt;
  }
  if (list.size() > kMostInputs) return tooMany(at);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string here = fmt::format("{}[{}]", at, i);
    if (list[i].is_string()) {
      inputs.emplace_back(std::string(view(list[i].get_string())));
    } else if (list[i].is_array()) {
      std::vector<TokenId> tokens;
      if (auto failure = readTokens(tokens, list[i].get_array(), here)) return failure;
      inputs.emplace_back(std::move(tokens));
    } else {
      return wrongType(here, "a string or a list of tokens");
    }
  }
  return std::nullopt;
}

// Ollama: texts only, and nothing at all asks for the model to be loaded.
Failure readTexts(Draft& draft, const json::value& value, const std::string& at) {
  auto& inputs = draft.embedding.request.inputs;
  if (value.is_string()) {
    if (!value.get_string().empty()) inputs.emplace_back(std::string(view(value.get_string())));
    return std::nullopt;
  }
  if (!value.is_array()) return wrongType(at, "a string or a list of strings");
  if (value.get_array().size() > kMostInputs) return tooMany(at);
  for (std::size_t i = 0; i < value.get_array().size(); ++i) {
    const json::value& item = value.get_array()[i];
    if (!item.is_string()) return wrongType(fmt::format("{}[{}]", at, i), "a string");
    inputs.emplace_back(std::string(view(item.get_string())));
  }
  return std::nullopt;
}

Failure readPrompt(Draft& draft, const json::value& value, const std::string& at) {
  std::string text;
  if (auto failure = readText(text, value, at)) return failure;
  if (!text.empty()) draft.embedding.request.inputs.emplace_back(std::move(text));
  return std::nullopt;
}

Failure readEncoding(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_string()) return wrongType(at, "a string");
  const std::string_view word = view(value.get_string());
  if (word != "float" && word != "base64") return badField(at, at + " must be float or base64.");
  draft.embedding.base64 = word == "base64";
  return std::nullopt;
}

Failure readTooLong(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_string()) return wrongType(at, "a string");
  const std::string_view word = view(value.get_string());
  auto& tooLong = draft.embedding.request.tooLong;
  if (word == "error")
    tooLong = TooLong::Refuse;
  else if (word == "truncate")
    tooLong = TooLong::Truncate;
  else if (word == "split")
    tooLong = TooLong::Split;
  else
    return badField(at, at + " must be error, truncate or split.");
  return std::nullopt;
}

Failure readTruncate(Draft& draft, const json::value& value, const std::string& at) {
  bool truncate = true;
  if (auto failure = readBool(truncate, value, at)) return failure;
  draft.embedding.request.tooLong = truncate ? TooLong::Truncate : TooLong::Refuse;
  return std::nullopt;
}

// Options of generation and of loading: neither changes an embedding.
Failure readOptions(Draft&, const json::value& value, const std::string& at) {
  return value.is_object() ? Failure{} : wrongType(at, "an object");
}

Failure readUser(Draft&, const json::value& value, const std::string& at) {
  std::string user;
  return readText(user, value, at, 1024);
}

Failure readQuery(Draft& draft, const json::value& value, const std::string& at) {
  return readText(draft.embedding.query, value, at);
}

Failure readDocuments(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_array()) return wrongType(at, "a list");
  if (value.get_array().size() > kMostInputs) return tooMany(at);
  for (std::size_t i = 0; i < value.get_array().size(); ++i) {
    const std::string here = fmt::format("{}[{}]", at, i);
    const json::value* item = &value.get_array()[i];
    // Jina's and Cohere's documents may be objects with a text.
    if (const json::object* object = item->if_object()) {
      item = object->if_contains("text");
      if (item == nullptr) return badField(here, here + " has no text.");
    }
    if (!item->is_string()) return wrongType(here, "a string, or an object with a text");
    draft.embedding.documents.emplace_back(view(item->get_string()));
  }
  return std::nullopt;
}

Failure readReturnDocuments(Draft& draft, const json::value& value, const std::string& at) {
  return readBool(draft.embedding.returnDocuments, value, at);
}

constexpr std::string_view kModelSchema = R"({"type":"string","maxLength":256})";
constexpr std::string_view kKeepSchema = R"({"oneOf":[{"type":"string"},{"type":"number"}]})";
constexpr std::string_view kTooLongSchema = R"({"type":"string","enum":["error","truncate","split"],"default":"error"})";

constexpr std::array kDimensions{
    NumberField{"dimensions", 1, kMostDimensions, true,
                [](Draft& d, double v) { d.embedding.request.dimensions = static_cast<int>(v); }},
};
constexpr std::array kEmbeddingFields{
    Field{"model", kModelSchema, readModel},
    Field{"input", kInputSchema, readInput},
    Field{"encoding_format", R"({"type":"string","enum":["float","base64"],"default":"float"})", readEncoding},
    Field{"too_long", kTooLongSchema, readTooLong},
    Field{"user", kStringSchema, readUser},
    Field{"keep_alive", kKeepSchema, readKeepAlive},
};
constexpr std::array kEmbedFields{
    Field{"model", kModelSchema, readModel},
    Field{"input", kTextsSchema, readTexts},
    Field{"truncate", R"({"type":"boolean","default":true})", readTruncate},
    Field{"options", kObjectSchema, readOptions},
    Field{"keep_alive", kKeepSchema, readKeepAlive},
};
constexpr std::array kOldEmbeddingFields{
    Field{"model", kModelSchema, readModel},
    Field{"prompt", kStringSchema, readPrompt},
    Field{"options", kObjectSchema, readOptions},
    Field{"keep_alive", kKeepSchema, readKeepAlive},
};
constexpr std::array kRerankNumbers{
    NumberField{"top_n", 0, kMostInputs, true, [](Draft& d, double v) { d.embedding.topN = static_cast<int>(v); }},
};
constexpr std::array kRerankFields{
    Field{"model", kModelSchema, readModel},
    Field{"query", kStringSchema, readQuery},
    Field{
        "documents",
        R"({"type":"array","minItems":1,"maxItems":2048,"items":{"oneOf":[{"type":"string"},{"type":"object","required":["text"],"properties":{"text":{"type":"string"}}}]}})",
        readDocuments},
    Field{"return_documents", kBoolSchema, readReturnDocuments},
    Field{"too_long", kTooLongSchema, readTooLong},
    Field{"user", kStringSchema, readUser},
    Field{"keep_alive", kKeepSchema, readKeepAlive},
};

ApiResult<Draft> read(const BodySchema& schema, std::string_view body, TooLong tooLong) {
  Draft draft;
  draft.embedding.request.tooLong = tooLong;
  if (auto failure = readBody(schema, draft, body)) return std::unexpected(std::move(*failure));
  return draft;
}

EmbeddingCall callOf(Draft draft) {
  return {std::move(draft.call.request.model), std::move(draft.embedding.request), draft.embedding.base64,
          draft.call.keepAlive};
}

ApiError missing(std::string field) { return badField(field, field + " is missing.", "missing_required_parameter"); }

}  // namespace

const BodySchema& embeddingSchema() {
  static const BodySchema schema{.name = "EmbeddingRequest",
                                 .numbers = {kDimensions},
                                 .fields = {kEmbeddingFields},
                                 .ignored = {},
                                 .unsupported = {"truncate_prompt_tokens"},
                                 .required = {"input"}};
  return schema;
}

const BodySchema& ollamaEmbedSchema() {
  static const BodySchema schema{.name = "OllamaEmbedRequest",
                                 .numbers = {kDimensions},
                                 .fields = {kEmbedFields},
                                 .ignored = {},
                                 .unsupported = {},
                                 .required = {"model"}};
  return schema;
}

const BodySchema& ollamaEmbeddingSchema() {
  static const BodySchema schema{.name = "OllamaEmbeddingRequest",
                                 .numbers = {},
                                 .fields = {kOldEmbeddingFields},
                                 .ignored = {},
                                 .unsupported = {},
                                 .required = {"model"}};
  return schema;
}

const BodySchema& rerankSchema() {
  static const BodySchema schema{
      .name = "RerankRequest",
      .numbers = {kRerankNumbers},
      .fields = {kRerankFields},
      .ignored = {},
      .unsupported = {"rank_fields", "max_chunks_per_doc", "max_tokens_per_doc", "truncate_prompt_tokens"},
      .required = {"query", "documents"}};
  return schema;
}

ApiResult<EmbeddingCall> parseEmbeddingCall(std::string_view body) {
  auto draft = read(embeddingSchema(), body, TooLong::Refuse);
  if (!draft) return std::unexpected(std::move(draft.error()));
  if (draft->embedding.request.inputs.empty()) return std::unexpected(missing("input"));
  return callOf(std::move(*draft));
}

ApiResult<EmbeddingCall> parseOllamaEmbedCall(std::string_view body) {
  auto draft = read(ollamaEmbedSchema(), body, TooLong::Truncate);
  if (!draft) return std::unexpected(std::move(draft.error()));
  return callOf(std::move(*draft));
}

ApiResult<EmbeddingCall> parseOllamaEmbeddingCall(std::string_view body) {
  auto draft = read(ollamaEmbeddingSchema(), body, TooLong::Truncate);
  if (!draft) return std::unexpected(std::move(draft.error()));
  return callOf(std::move(*draft));
}

ApiResult<RerankCall> parseRerankCall(std::string_view body) {
  auto draft = read(rerankSchema(), body, TooLong::Refuse);
  if (!draft) return std::unexpected(std::move(draft.error()));
  auto& e = draft->embedding;
  if (e.query.empty()) return std::unexpected(missing("query"));
  if (e.documents.empty()) return std::unexpected(missing("documents"));
  return RerankCall{std::move(draft->call.request.model),
                    std::move(e.query),
                    std::move(e.documents),
                    e.topN,
                    e.returnDocuments,
                    e.request.tooLong,
                    draft->call.keepAlive};
}

}  // namespace hearth::api
