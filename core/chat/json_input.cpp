#include "core/chat/json_input.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace hearth::chat {
namespace {

namespace json = boost::json;

std::unexpected<Error> invalid(std::string message, std::string field) {
  return fail(ErrorCode::InvalidArgument, std::move(message), {{"field", std::move(field)}});
}

}  // namespace

Result<json::value> parseJson(const std::string& text, const std::string& field) {
  boost::system::error_code code;
  json::value value = json::parse(text, code);
  if (code) return invalid(fmt::format("not JSON: {}", code.message()), field);
  return value;
}

Result<json::object> parseObject(const std::string& text, const std::string& field) {
  if (text.empty()) return json::object();
  HEARTH_TRY(json::value value, parseJson(text, field));
  if (!value.is_object()) return invalid("a JSON object is expected", field);
  return std::move(value.get_object());
}

Result<json::value> parseTools(const std::string& text) {
  if (text.empty()) return json::value(nullptr);
  HEARTH_TRY(json::value value, parseJson(text, "tools"));
  if (!value.is_array()) return invalid("a JSON array is expected", "tools");
  if (value.get_array().empty()) return json::value(nullptr);
  return value;
}

}  // namespace hearth::chat
