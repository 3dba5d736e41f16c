#pragma once

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/server/api/call.h"

/// Request bodies as tables: what a dialect takes, with types and ranges, stands in one place, from which bodies are read,
/// the OpenAPI document is written and tests are generated.
namespace hearth::api {

using Failure = std::optional<ApiError>;

/// The upper end of a range that is only an int's.
inline constexpr double kIntMax = std::numeric_limits<std::int32_t>::max();

/// A numeric field and its range.
struct NumberField {
  std::string_view name;
  double low = 0, high = 0;  ///< both allowed
  bool integer = false;
  void (*store)(Draft&, double) = nullptr;  ///< an integer field's value is exact
};

/// Any other field. `at` is its name with the path to it, for errors.
struct Field {
  std::string_view name;
  std::string_view schema;  ///< its JSON schema, for the OpenAPI document
  Failure (*read)(Draft&, const boost::json::value&, const std::string& at) = nullptr;
};

/// A field that is taken without effect, and why that is no loss.
struct IgnoredField {
  std::string_view name, reason;
};

/// One kind of body. Every field is in one of the lists, or refused by name.
struct BodySchema {
  std::string_view name;  ///< "ChatCompletionRequest"
  std::vector<std::span<const NumberField>> numbers;
  std::vector<std::span<const Field>> fields;
  std::vector<IgnoredField> ignored;
  std::vector<std::string_view> unsupported;  ///< known, and refused
  std::vector<std::string_view> required;     ///< for the document; the reader sees to it

  [[nodiscard]] const NumberField* number(std::string_view field) const noexcept;
  [[nodiscard]] const Field* field(std::string_view field) const noexcept;
};

/// Reads an object into `draft`. `prefix` stands before the names in errors: "options.". null is as good as absent.
[[nodiscard]] Failure readObject(const BodySchema& schema, Draft& draft, const boost::json::object& object,
                                 std::string_view prefix = {});
/// A whole body: strict JSON (parseJsonBody), an object, its fields. Never throws. `draft` is changed.
[[nodiscard]] Failure readBody(const BodySchema& schema, Draft& draft, std::string_view body);

// Small readers. `at` names the field.
[[nodiscard]] std::string_view view(const boost::json::string& text) noexcept;
/// The number, if `value` is one at all; with `integer` it must be written as one.
[[nodiscard]] std::optional<double> numberOf(const boost::json::value& value, bool integer) noexcept;
[[nodiscard]] Failure readBool(bool& out, const boost::json::value& value, const std::string& at);
[[nodiscard]] Failure readText(std::string& out, const boost::json::value& value, const std::string& at,
                               std::size_t mostBytes = 16'000'000);
[[nodiscard]] ApiError wrongType(const std::string& at, std::string_view what);
[[nodiscard]] ApiError unknownField(const std::string& at);

}  // namespace hearth::api
