#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/chat/embedding.h"
#include "core/server/api/field_table.h"

namespace hearth::api {

/// A checked request for embeddings, whatever the dialect.
struct EmbeddingCall {
  std::string model;  ///< empty: the default one
  EmbeddingRequest request;
  bool base64 = false;
  std::optional<KeepAlive> keepAlive;
};
/// A checked request to put documents in the order of their relevance to a query.
struct RerankCall {
  std::string model;
  std::string query;
  std::vector<std::string> documents;
  int topN = -1;  ///< -1: all
  bool returnDocuments = false;
  EmbeddingRequest::TooLong tooLong = EmbeddingRequest::TooLong::Refuse;
  std::optional<KeepAlive> keepAlive;
};

// The bodies, for the OpenAPI document.
[[nodiscard]] const BodySchema& embeddingSchema();        ///< /v1/embeddings
[[nodiscard]] const BodySchema& ollamaEmbedSchema();      ///< /api/embed
[[nodiscard]] const BodySchema& ollamaEmbeddingSchema();  ///< /api/embeddings
[[nodiscard]] const BodySchema& rerankSchema();           ///< /v1/rerank, /v2/rerank, /rerank

// Strict: every field is honoured or refused by name. Errors: 400.
[[nodiscard]] ApiResult<EmbeddingCall> parseEmbeddingCall(std::string_view body);
/// No input (absent, "", []) leaves request.inputs empty: such a call only loads the model.
[[nodiscard]] ApiResult<EmbeddingCall> parseOllamaEmbedCall(std::string_view body);
[[nodiscard]] ApiResult<EmbeddingCall> parseOllamaEmbeddingCall(std::string_view body);
[[nodiscard]] ApiResult<RerankCall> parseRerankCall(std::string_view body);

}  // namespace hearth::api
