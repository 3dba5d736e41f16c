#include "core/server/api/common_fields.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace hearth::api {
namespace json = boost::json;

namespace {

constexpr std::size_t kMostStops = 16;
constexpr std::size_t kMostStopBytes = 1024;
constexpr std::size_t kMostBiases = 1024;
constexpr std::size_t kMostModelBytes = 256;
constexpr std::size_t kMostChoices = 1024;
constexpr std::size_t kMostBreakers = 64;
constexpr std::size_t kMostBreakerBytes = 64;

SamplingParams& sampling(Draft& draft) noexcept { return draft.call.request.sampling; }
int whole(double value) noexcept { return static_cast<int>(value); }

// Sorted by use. Ranges are those of SamplingParams::validate, or OpenAI's where it is the narrower.
constexpr std::array kSampling{
    NumberField{"temperature", 0, 2, false, [](Draft& d, double v) { sampling(d).temperature = v; }},
    NumberField{"top_p", 0, 1, false, [](Draft& d, double v) { sampling(d).topP = v; }},
    NumberField{"top_k", 0, kIntMax, true, [](Draft& d, double v) { sampling(d).topK = whole(v); }},
    NumberField{"min_p", 0, 1, false, [](Draft& d, double v) { sampling(d).minP = v; }},
    NumberField{"typical_p", 0, 1, false, [](Draft& d, double v) { sampling(d).typicalP = v; }},
    NumberField{"presence_penalty", -2, 2, false, [](Draft& d, double v) { sampling(d).presencePenalty = v; }},
    NumberField{"frequency_penalty", -2, 2, false, [](Draft& d, double v) { sampling(d).frequencyPenalty = v; }},
    NumberField{"repetition_penalty", 0.01, 100, false, [](Draft& d, double v) { sampling(d).repetitionPenalty = v; }},
    NumberField{"repeat_last_n", -1, kIntMax, true, [](Draft& d, double v) { sampling(d).penaltyWindow = whole(v); }},
    NumberField{"dry_multiplier", 0, 100, false, [](Draft& d, double v) { sampling(d).dryMultiplier = v; }},
    NumberField{"dry_base", 1, 100, false, [](Draft& d, double v) { sampling(d).dryBase = v; }},
    NumberField{"dry_allowed_length", 1, kIntMax, true, [](Draft& d, double v) { sampling(d).dryAllowedLength = whole(v); }},
    NumberField{"dry_penalty_last_n", -1, kIntMax, true, [](Draft& d, double v) { sampling(d).dryWindow = whole(v); }},
    NumberField{"xtc_probability", 0, 1, false, [](Draft& d, double v) { sampling(d).xtcProbability = v; }},
    NumberField{"xtc_threshold", 0, 1, false, [](Draft& d, double v) { sampling(d).xtcThreshold = v; }},
    NumberField{"mirostat", 0, 2, true, [](Draft& d, double v) { sampling(d).mirostat = whole(v); }},
    NumberField{"mirostat_tau", 0, 100, false, [](Draft& d, double v) { sampling(d).mirostatTau = v; }},
    NumberField{"mirostat_eta", 0, 1, false, [](Draft& d, double v) { sampling(d).mirostatEta = v; }},
};

Failure readTextShape(Draft& draft, OutputShape::Kind kind, const json::value& value, const std::string& at) {
  std::string text;
  if (auto failure = readText(text, value, at)) return failure;
  if (text.empty()) return badField(at, at + " is empty.");
  return setShape(draft, kind, std::move(text), at);
}

Failure readGrammar(Draft& draft, const json::value& value, const std::string& at) {
  return readTextShape(draft, OutputShape::Kind::Gbnf, value, at);
}
Failure readRegex(Draft& draft, const json::value& value, const std::string& at) {
  return readTextShape(draft, OutputShape::Kind::Regex, value, at);
}

Failure readChoices(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_array()) return wrongType(at, "an array of strings");
  const json::array& items = value.get_array();
  if (items.empty() || items.size() > kMostChoices)
    return badField(at, fmt::format("{} must hold 1…{} strings.", at, kMostChoices));
  std::vector<std::string> choices;
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::string text;
    if (auto failure = readText(text, items[i], fmt::format("{}[{}]", at, i))) return failure;
    if (text.empty()) return badField(fmt::format("{}[{}]", at, i), fmt::format("{}[{}] is empty.", at, i));
    choices.push_back(std::move(text));
  }
  if (auto failure = setShape(draft, OutputShape::Kind::Choice, {}, at)) return failure;
  draft.call.request.shape.choices = std::move(choices);
  return std::nullopt;
}

Failure readJsonObjectFlag(Draft& draft, const json::value& value, const std::string& at) {
  bool wanted = false;
  if (auto failure = readBool(wanted, value, at)) return failure;
  return wanted ? setShape(draft, OutputShape::Kind::JsonObject, {}, at) : std::nullopt;
}

/// vLLM's way to say all of them.
Failure readStructuredOutputs(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_object()) return wrongType(at, "an object");
  for (const auto& [keyText, item] : value.get_object()) {
    const std::string_view key{keyText.data(), keyText.size()};
    const std::string here = at + "." + std::string(key.substr(0, 64));
    if (item.is_null()) continue;
    Failure failure;
    if (key == "json")
      failure = setSchema(draft, item, here);
    else if (key == "regex")
      failure = readRegex(draft, item, here);
    else if (key == "choice")
      failure = readChoices(draft, item, here);
    else if (key == "grammar")
      failure = readGrammar(draft, item, here);
    else if (key == "json_object")
      failure = readJsonObjectFlag(draft, item, here);
    else if (key == "structural_tag" || key == "whitespace_pattern" || key == "disable_any_whitespace" ||
             key == "disable_additional_properties")
      failure = unsupported(here, here + " is not supported.");
    else
      failure = unknownField(here);
    if (failure) return failure;
  }
  return std::nullopt;
}

Failure readDryBreakers(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_array()) return wrongType(at, "an array of strings");
  if (value.get_array().size() > kMostBreakers)
    return badField(at, fmt::format("{} may hold at most {} strings.", at, kMostBreakers));
  auto& out = draft.call.dryBreakers;
  out.clear();
  for (std::size_t i = 0; i < value.get_array().size(); ++i) {
    const std::string here = fmt::format("{}[{}]", at, i);
    std::string text;
    if (auto failure = readText(text, value.get_array()[i], here, kMostBreakerBytes)) return failure;
    if (text.empty()) return badField(here, here + " is empty.");
    out.push_back(std::move(text));
  }
  return std::nullopt;
}

constexpr std::string_view kStopSchema =
    R"({"oneOf":[{"type":"string","minLength":1,"maxLength":1024},{"type":"array","items":{"type":"string","minLength":1,"maxLength":1024},"maxItems":16}]})";
constexpr std::string_view kKeepAliveSchema =
    R"({"oneOf":[{"type":"string"},{"type":"number"}],"description":"how long the model stays in memory afterwards: \"5m\", seconds, 0 = not at all, negative = for ever"})";
constexpr std::array kCommon{
    Field{"model", R"({"type":"string","maxLength":256})", readModel},
    Field{"stream", kBoolSchema, readStream},
    Field{"stop", kStopSchema, readStop},
    Field{"seed", R"({"type":"integer","format":"int64"})", readSeed},
    Field{"logit_bias",
          R"({"type":"object","additionalProperties":{"type":"number","minimum":-100,"maximum":100},"maxProperties":1024})",
          readLogitBias},
    Field{"guided_json", R"({"oneOf":[{"type":"object"},{"type":"string"}]})", setSchema},
    Field{"guided_regex", kStringSchema, readRegex},
    Field{"guided_choice", R"({"type":"array","items":{"type":"string"},"minItems":1,"maxItems":1024})", readChoices},
    Field{"guided_grammar", kStringSchema, readGrammar},
    Field{"grammar", kStringSchema, readGrammar},
    Field{"json_schema", kObjectSchema, setSchema},
    Field{"structured_outputs", kObjectSchema, readStructuredOutputs},
    Field{"dry_sequence_breakers",
          R"({"type":"array","items":{"type":"string","minLength":1,"maxLength":64},"maxItems":64})", readDryBreakers},
    Field{"keep_alive", kKeepAliveSchema, readKeepAlive},
};

}  // namespace

std::span<const NumberField> samplingNumbers() noexcept { return kSampling; }
std::span<const Field> commonFields() noexcept { return kCommon; }

Failure readModel(Draft& draft, const json::value& value, const std::string& at) {
  return readText(draft.call.request.model, value, at, kMostModelBytes);
}

Failure readStream(Draft& draft, const json::value& value, const std::string& at) {
  return readBool(draft.call.stream, value, at);
}

Failure readStop(Draft& draft, const json::value& value, const std::string& at) {
  auto& stops = draft.call.request.stop;
  const auto add = [&](const json::value& item, const std::string& here) -> Failure {
    if (!item.is_string()) return wrongType(here, "a string");
    const std::string_view text = view(item.get_string());
    if (text.empty() || text.size() > kMostStopBytes)
      return badField(here, fmt::format("{} must have 1…{} bytes.", here, kMostStopBytes));
    stops.emplace_back(text);
    return std::nullopt;
  };
  if (value.is_string()) return add(value, at);
  if (!value.is_array()) return wrongType(at, "a string or an array of strings");
  const json::array& items = value.get_array();
  if (items.size() > kMostStops) return badField(at, fmt::format("{} may hold at most {} strings.", at, kMostStops));
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (auto failure = add(items[i], fmt::format("{}[{}]", at, i))) return failure;
  }
  return std::nullopt;
}

Failure readSeed(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_int64())
    return badField(at, fmt::format("{} must be an integer of 64 bits.", at),
                    value.is_uint64() ? "invalid_value" : "invalid_type");
  draft.seed = value.get_int64();
  return std::nullopt;
}

Failure readLogitBias(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_object()) return wrongType(at, "an object of token ids and numbers");
  if (value.get_object().size() > kMostBiases)
    return badField(at, fmt::format("{} may hold at most {} tokens.", at, kMostBiases));
  for (const auto& [keyText, bias] : value.get_object()) {
    const std::string_view key{keyText.data(), keyText.size()};
    TokenId token = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token);
    if (error != std::errc{} || end != key.data() + key.size() || token < 0)
      return badField(at, fmt::format("{}: \"{}\" is not a token id.", at, key.substr(0, 64)));
    const auto number = numberOf(bias, false);
    if (!number) return badField(at, fmt::format("{} of token {} must be a number.", at, token), "invalid_type");
    if (!(*number >= -100 && *number <= 100))
      return badField(at, fmt::format("{} of token {} must be from -100 to 100.", at, token));
    sampling(draft).logitBias[token] = static_cast<float>(*number);
  }
  return std::nullopt;
}

Failure readKeepAlive(Draft& draft, const json::value& value, const std::string& at) {
  draft.call.keepAlive = parseKeepAlive(value);
  if (!draft.call.keepAlive)
    return badField(at,
                    at + " must be a duration such as \"5m\" or a number of seconds; negative = for ever, 0 = not at all.");
  return std::nullopt;
}

Failure readThink(Draft& draft, const json::value& value, const std::string& at) {
  bool think = false;
  if (auto failure = readBool(think, value, at)) return failure;
  draft.call.request.think = think;
  return std::nullopt;
}

Failure readReasoningEffort(Draft& draft, const json::value& value, const std::string& at) {
  constexpr std::array kEfforts{"none", "minimal", "low", "medium", "high", "xhigh", "max"};
  if (!value.is_string() || std::ranges::find(kEfforts, view(value.get_string())) == kEfforts.end())
    return badField(at, at + " must be none, minimal, low, medium, high, xhigh or max.");
  draft.call.request.think = view(value.get_string()) != "none";
  draft.templateVariables["reasoning_effort"] = value;
  return std::nullopt;
}

Failure readStreamOptions(Draft& draft, const json::value& value, const std::string& at) {
  if (!value.is_object()) return wrongType(at, "an object");
  draft.hasStreamOptions = true;
  for (const auto& [keyText, option] : value.get_object()) {
    const std::string_view key{keyText.data(), keyText.size()};
    const std::string name = at + "." + std::string(key.substr(0, 64));
    if (option.is_null()) continue;
    bool flag = false;
    if (key == "include_usage") {
      if (auto failure = readBool(draft.call.includeUsage, option, name)) return failure;
    } else if (key == "include_obfuscation" || key == "continuous_usage_stats") {
      if (auto failure = readBool(flag, option, name)) return failure;
      if (flag) return unsupported(name, name + " is not supported.");
    } else {
      return unknownField(name);
    }
  }
  return std::nullopt;
}

Failure setShape(Draft& draft, OutputShape::Kind kind, std::string text, const std::string& at) {
  if (!draft.shapeField.empty())
    return badField(at,
                    fmt::format("{} and {} both say which shape the answer shall have; give one.", draft.shapeField, at));
  draft.shapeField = at;
  draft.call.request.shape.kind = kind;
  draft.call.request.shape.text = std::move(text);
  return std::nullopt;
}

Failure setSchema(Draft& draft, const json::value& value, const std::string& at) {
  if (value.is_object()) return setShape(draft, OutputShape::Kind::JsonSchema, json::serialize(value), at);
  if (value.is_string() && !value.get_string().empty())
    return setShape(draft, OutputShape::Kind::JsonSchema, std::string(view(value.get_string())), at);
  return wrongType(at, "a JSON schema (an object)");
}

void settle(Draft& draft) {
  Call& call = draft.call;
  if (draft.seed) call.request.sampling.seed = static_cast<std::uint64_t>(*draft.seed);
  call.request.maxTokens = draft.maxTokens.value_or(-1);
  if (!draft.templateVariables.empty()) call.request.templateVariablesJson = json::serialize(draft.templateVariables);
}

std::optional<KeepAlive> parseKeepAlive(const json::value& value) noexcept {
  constexpr double kMostSeconds = 10.0 * 365 * 24 * 3600;  // beyond it is for ever
  const auto fromSeconds = [](double seconds) -> std::optional<KeepAlive> {
    if (std::isnan(seconds)) return std::nullopt;
    if (seconds < 0 || seconds > kMostSeconds) return KeepAlive{-1};
    return KeepAlive{static_cast<std::int64_t>(seconds * 1000)};
  };
  if (const auto number = numberOf(value, false)) return fromSeconds(*number);
  if (!value.is_string()) return std::nullopt;
  std::string_view text = view(value.get_string());
  if (text.empty() || text.size() > 64) return std::nullopt;
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  double seconds = 0;
  bool bare = false;
  for (bool first = true; first || !text.empty(); first = false) {
    double amount = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount, std::chars_format::fixed);
    if (error != std::errc{} || amount < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    struct Unit {
      std::string_view name;
      double seconds;
    };
    constexpr std::array kUnits{Unit{"ms", 1e-3}, Unit{"us", 1e-6}, Unit{"µs", 1e-6}, Unit{"ns", 1e-9},
                                Unit{"s", 1},     Unit{"m", 60},    Unit{"h", 3600}};
    const auto unit = std::ranges::find_if(kUnits, [&](const Unit& u) { return text.starts_with(u.name); });
    if (unit == kUnits.end()) {
      bare = first && text.empty();  // a plain number in quotes: seconds
      if (!bare) return std::nullopt;
      seconds = amount;
      break;
    }
    seconds += amount * unit->seconds;
    text.remove_prefix(unit->name.size());
  }
  return fromSeconds(negative ? -std::max(seconds, 1e-9) : seconds);
}

}  // namespace hearth::api
