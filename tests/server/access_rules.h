#pragma once

#include <map>
#include <string>

#include "core/server/api/router.h"

namespace hearth::test {

/// Who may use which route, written down a second time: a new route, or one whose access changes, fails the access test
/// until somebody has decided it here as well.
inline const std::map<std::string, api::Access>& accessRules() {
  using enum api::Access;
  static const std::map<std::string, api::Access> rules{
      {"GET /", Public},
      {"GET /health", Public},
      {"GET /openapi.json", Public},
      {"GET /metrics", Metrics},
      {"GET /hearth/ca.pem", Public},
      {"GET /v1/queue/{id}", Chat},
      {"GET /ui", Public},
      {"GET /ui/", Public},
      {"GET /ui/{rest}", Public},
      {"GET /v1/models", Chat},
      {"GET /v1/models/{id}", Chat},
      {"POST /v1/chat/completions", Chat},
      {"POST /v1/completions", Chat},
      {"POST /v1/responses", Chat},
      {"GET /v1/responses/{id}", Chat},
      {"DELETE /v1/responses/{id}", Chat},
      {"POST /v1/messages", Chat},
      {"POST /v1/messages/count_tokens", Chat},
      {"POST /tokenize", Chat},
      {"POST /detokenize", Chat},
      {"POST /apply-template", Chat},
      {"POST /infill", Chat},
      {"GET /props", Chat},
      {"GET /slots", Chat},
      {"GET /load", Chat},
      {"GET /version", Public},
      {"GET /ping", Public},
      {"POST /api/chat", Chat},
      {"POST /api/generate", Chat},
      {"GET /api/version", Public},
      {"GET /api/tags", Chat},
      {"GET /api/ps", Chat},
      {"POST /api/show", Chat},
      {"POST /api/pull", Admin},
      {"POST /api/push", Admin},
      {"POST /api/create", Admin},
      {"POST /api/copy", Admin},
      {"DELETE /api/delete", Admin},
      {"HEAD /api/blobs/{digest}", Admin},
      {"POST /api/blobs/{digest}", Admin},
  };
  return rules;
}

}  // namespace hearth::test
