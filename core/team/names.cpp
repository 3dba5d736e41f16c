#include "core/team/names.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>
#include <optional>

namespace hearth::team {
namespace {

constexpr std::size_t kLongestName = 64;  // characters
constexpr std::size_t kLongestNameBytes = 512;
constexpr std::size_t kShortestPassword = 10;  // characters
constexpr std::size_t kLongestPassword = 256;  // bytes

std::optional<std::string> mapped(std::string_view text, int options) {
  utf8proc_uint8_t* result = nullptr;
  const utf8proc_ssize_t length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &result, static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(result, &std::free);
  if (length < 0) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(result), static_cast<std::size_t>(length));
}

/// Calls `visit` with each character until it says false. False also when the text is no UTF-8.
template <class Visit>
bool eachCharacter(std::string_view text, Visit&& visit) {
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t character = 0;
    const utf8proc_ssize_t taken = utf8proc_iterate(at, left, &character);
    if (taken <= 0 || !visit(character)) return false;
    at += taken;
    left -= taken;
  }
  return true;
}

bool isControl(utf8proc_int32_t c) {
  const auto category = utf8proc_category(c);
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CN || category == UTF8PROC_CATEGORY_CS ||
         c == 0x2028 || c == 0x2029;
}

bool isNameCharacter(utf8proc_int32_t c, bool first) {
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND: return true;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC: return !first;
    default: return !first && (c == '.' || c == '_' || c == '-');
  }
}

}  // namespace

Result<Name> checkName(std::string_view name, std::string_view field) {
  const auto refuse = [&](const char* why) -> std::unexpected<Error> {
    return fail(ErrorCode::InvalidArgument, why, {{"field", std::string(field)}});
  };
  if (name.empty()) return refuse("a name is needed");
  if (name.size() > kLongestNameBytes) return refuse("the name is longer than 64 characters");
  auto shown = mapped(name, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  if (!shown) return refuse("the name is not valid UTF-8");
  std::size_t characters = 0;
  if (!eachCharacter(*shown, [&](utf8proc_int32_t c) { return isNameCharacter(c, characters++ == 0); })) {
    return refuse("a name is made of letters, digits and . _ -, and begins with a letter or digit");
  }
  if (characters > kLongestName) return refuse("the name is longer than 64 characters");
  // Folding may take a text out of NFC, so it is composed again.
  auto folded = mapped(*shown, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
  if (!folded || folded->empty()) return refuse("a name is needed");
  return Name{std::move(*shown), std::move(*folded)};
}

Result<void> checkPassword(std::string_view password, std::string_view name) {
  const auto refuse = [&](const char* why) -> std::unexpected<Error> {
    return fail(ErrorCode::InvalidArgument, why, {{"field", "password"}});
  };
  if (password.size() > kLongestPassword) return refuse("the password is longer than 256 bytes");
  std::size_t characters = 0;
  if (!eachCharacter(password, [&](utf8proc_int32_t c) { return ++characters, !isControl(c); })) {
    return refuse("the password holds characters that cannot be typed");
  }
  if (characters < kShortestPassword) return refuse("the password is shorter than 10 characters");
  if (!name.empty() && password == name) return refuse("the password is the name");
  return {};
}

Result<void> checkText(std::string_view text, std::size_t most, std::string_view field) {
  const auto refuse = [&](std::string why) -> std::unexpected<Error> {
    return fail(ErrorCode::InvalidArgument, std::move(why), {{"field", std::string(field)}});
  };
  if (text.size() > most) return refuse("the text is longer than " + std::to_string(most) + " bytes");
  if (!eachCharacter(text, [](utf8proc_int32_t c) { return !isControl(c); }))
    return refuse("the text holds characters that are not allowed here");
  return {};
}

}  // namespace hearth::team
