#include "core/text/grammar/front_ends.h"

/// The formats of strings that are held: what is written is always right by RFC 3339, RFC 4122, RFC 2673 …; not every right
/// text can be written (no comments in addresses, no leap seconds).
namespace hearth::grammar {
namespace {

constexpr std::string_view kLeapYear = "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)";
constexpr std::string_view kYear = "(?:000[1-9]|00[1-9]\\d|0[1-9]\\d\\d|[1-9]\\d\\d\\d)";
constexpr std::string_view kTime =
    "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)";
constexpr std::string_view kByte = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
constexpr std::string_view kLabel = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";

std::string date() {
  const std::string year(kYear), leap(kLeapYear);
  return "(?:" + year +
         "-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))|" +
         leap + "-02-29)";
}

std::string patternOf(std::string_view format) {
  const std::string time(kTime), byte(kByte), label(kLabel);
  if (format == "date") return date();
  if (format == "time") return time;
  if (format == "date-time") return date() + "T" + time;
  if (format == "duration")
    return "P(?:\\d{1,4}W|(?:\\d{1,4}Y(?:\\d{1,2}M(?:\\d{1,2}D)?)?|\\d{1,2}M(?:\\d{1,2}D)?|\\d{1,3}D)(?:T(?:\\d{1,2}H(?:\\d{"
           "1,2}M(?:\\d{1,2}S)?)?|\\d{1,2}M(?:\\d{1,2}S)?|\\d{1,2}S))?|T(?:\\d{1,2}H(?:\\d{1,2}M(?:\\d{1,2}S)?)?|\\d{1,2}M(?"
           ":\\d{1,2}S)?|\\d{1,2}S))";
  if (format == "uuid") return "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";
  if (format == "ipv4") return byte + "\\." + byte + "\\." + byte + "\\." + byte;
  if (format == "ipv6")
    return "(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|::[0-9a-fA-F]{1,4}|::";
  if (format == "hostname") return label + "(?:\\." + label + "){0,3}";
  if (format == "email")
    return "[A-Za-z0-9_+-]{1,20}(?:\\.[A-Za-z0-9_+-]{1,20}){0,2}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?(?:\\.[A-Za-"
           "z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?){0,2}\\.[A-Za-z]{2,10}";
  return {};
}

}  // namespace

std::optional<Part> stringFormat(GrammarBuilder& builder, std::string_view format) {
  const std::string pattern = patternOf(format);
  if (pattern.empty()) return std::nullopt;
  const auto part = regexPart(builder, pattern, "format", {});
  if (!part) return std::nullopt;
  return builder.shared(std::string(format), *part);
}

}  // namespace hearth::grammar
