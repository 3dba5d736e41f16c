#include "core/text/chat_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <limits>
#include <new>

#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/parser.h"

namespace hearth {
namespace {

using jinja::Value;

constexpr std::array<std::string_view, 8> kRoles{"system", "user", "assistant", "tool", "developer", "function", "model", "ipython"};

bool isKnownRole(std::string_view role) { return std::find(kRoles.begin(), kRoles.end(), role) != kRoles.end(); }

// Where a value stands in the context decides whether its text is trusted (see RenderedPrompt::input).
enum class Place : std::uint8_t { Anywhere, Messages, Message };

Value fromJson(const boost::json::value& json, jinja::Meter& meter, Place place = Place::Anywhere);

Value fromObject(const boost::json::object& object, jinja::Meter& meter, Place place) {
  jinja::Dict dict;
  dict.entries.reserve(object.size());
  for (const auto& [key, value] : object) {
    const bool role = place == Place::Message && key == "role" && value.is_string() && isKnownRole(value.get_string());
    dict.set(jinja::makeText(std::string(key), true),
             role ? jinja::makeText(std::string(value.get_string())) : fromJson(value, meter), meter);
  }
  return jinja::makeDict(std::move(dict), meter);
}

Value fromJson(const boost::json::value& json, jinja::Meter& meter, Place place) {
  const jinja::DepthGuard guard(meter);
  switch (json.kind()) {
    case boost::json::kind::null: return jinja::None{};
    case boost::json::kind::bool_: return json.get_bool();
    case boost::json::kind::int64: return std::int64_t{json.get_int64()};
    case boost::json::kind::uint64: {
      const std::uint64_t number = json.get_uint64();
      if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return static_cast<double>(number);
      return static_cast<std::int64_t>(number);
    }
    case boost::json::kind::double_: return json.get_double();
    case boost::json::kind::string: return jinja::makeText(std::string(json.get_string()), true);
    case boost::json::kind::array: {
      std::vector<Value> items;
      items.reserve(json.get_array().size());
      for (const boost::json::value& item : json.get_array())
        items.push_back(fromJson(item, meter, place == Place::Messages ? Place::Message : Place::Anywhere));
      return jinja::makeList(std::move(items), meter);
    }
    case boost::json::kind::object: return fromObject(json.get_object(), meter, place);
  }
  return {};
}

Error toError(const jinja::Failure& failure, int line) {
  Error error{ErrorCode::TemplateFailed, failure.message, {}};
  const int at = failure.line != 0 ? failure.line : line;
  if (at > 0) error.evidence.push_back({"line", std::to_string(at)});
  if (!failure.limit.empty()) {
    error.evidence.push_back({"limit", failure.limit});
    error.evidence.push_back({failure.limit, std::to_string(failure.limitValue)});
  }
  return error;
}

}  // namespace

struct ChatTemplate::Program {
  jinja::Body body;
};

ChatTemplate::ChatTemplate(std::unique_ptr<const Program> program) : m_program(std::move(program)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

Result<ChatTemplate> ChatTemplate::parse(std::string_view source) {
  try {
    auto program = std::make_unique<Program>();
    program->body = jinja::parseTemplate(source);
    return ChatTemplate(std::move(program));
  } catch (const jinja::Failure& failure) {
    return std::unexpected(toError(failure, 0));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::OutOfMemory, "no memory to parse the chat template", {{"template_bytes", std::to_string(source.size())}});
  }
}

Result<RenderedPrompt> ChatTemplate::render(const boost::json::object& context, const TemplateLimits& limits) const {
  // Reading the context is not the template's doing: it has a meter of its own, bounded in depth only.
  jinja::Meter reading(TemplateLimits{std::numeric_limits<std::size_t>::max(), limits.depth, limits.outputBytes});
  jinja::Meter meter(limits);
  try {
    std::map<std::string, Value, std::less<>> variables;
    for (const auto& [key, value] : context) {
      const bool trusted = value.is_string() && std::string_view(key).ends_with("_token");
      variables[std::string(key)] = trusted ? jinja::makeText(std::string(value.get_string()))
                                            : fromJson(value, reading, key == "messages" ? Place::Messages : Place::Anywhere);
    }
    jinja::Interpreter interpreter(meter, std::move(variables));
    try {
      jinja::Text text = interpreter.run(m_program->body);
      return RenderedPrompt{std::move(text.bytes), std::move(text.input)};
    } catch (const jinja::Failure& failure) {
      return std::unexpected(toError(failure, interpreter.line()));
    }
  } catch (const jinja::Failure& failure) {
    return std::unexpected(toError(failure, 0));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::OutOfMemory, "no memory to render the chat template", {});
  }
}

}  // namespace hearth
