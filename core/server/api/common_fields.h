#pragma once

#include <boost/json/fwd.hpp>

#include <optional>
#include <span>
#include <string>

#include "core/server/api/field_table.h"

/// Fields that several dialects have, under the same name or another.
namespace hearth::api {

/// The samplers by the names that OpenAI, vLLM and llama-server give them.
[[nodiscard]] std::span<const NumberField> samplingNumbers() noexcept;
/// model, stream, stop, seed, logit_bias, shapes (guided_*, grammar, structured_outputs …), dry_sequence_breakers,
/// keep_alive.
[[nodiscard]] std::span<const Field> commonFields() noexcept;

[[nodiscard]] Failure readModel(Draft& draft, const boost::json::value& value, const std::string& at);
[[nodiscard]] Failure readStream(Draft& draft, const boost::json::value& value, const std::string& at);
[[nodiscard]] Failure readStop(Draft& draft, const boost::json::value& value, const std::string& at);
[[nodiscard]] Failure readSeed(Draft& draft, const boost::json::value& value, const std::string& at);
[[nodiscard]] Failure readLogitBias(Draft& draft, const boost::json::value& value, const std::string& at);
[[nodiscard]] Failure readKeepAlive(Draft& draft, const boost::json::value& value, const std::string& at);
[[nodiscard]] Failure readThink(Draft& draft, const boost::json::value& value, const std::string& at);
[[nodiscard]] Failure readStreamOptions(Draft& draft, const boost::json::value& value, const std::string& at);
/// "none" switches reasoning off, every other level on; the template may look at the level.
[[nodiscard]] Failure readReasoningEffort(Draft& draft, const boost::json::value& value, const std::string& at);

/// One shape only: a second field that wants one is refused.
[[nodiscard]] Failure setShape(Draft& draft, OutputShape::Kind kind, std::string text, const std::string& at);
/// The JSON schema `value` (an object, or its text).
[[nodiscard]] Failure setSchema(Draft& draft, const boost::json::value& value, const std::string& at);

/// What depends on several fields and is the same everywhere: seed, max_tokens, template variables.
void settle(Draft& draft);

/// "5m", "1h30m", "300ms", "-1s" as Go writes durations, or a number of seconds; negative = for ever. None: neither.
[[nodiscard]] std::optional<KeepAlive> parseKeepAlive(const boost::json::value& value) noexcept;

/// Where the schemas of fields are all the same.
inline constexpr std::string_view kStringSchema = R"({"type":"string"})";
inline constexpr std::string_view kBoolSchema = R"({"type":"boolean"})";
inline constexpr std::string_view kObjectSchema = R"({"type":"object"})";

}  // namespace hearth::api
