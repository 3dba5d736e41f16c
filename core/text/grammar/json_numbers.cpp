#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/text/grammar/front_ends.h"

/// Numbers within bounds as grammars over their digits.
namespace hearth::grammar {
namespace {

constexpr int kMostDigits = 15;
constexpr std::int64_t kMostInteger = 999'999'999'999'999;  ///< where there is no bound
constexpr std::uint64_t kMostMultiples = 4096;
constexpr std::int64_t kMostModulus = 1000;

Part digits(GrammarBuilder& b, char first, char last) {
  return b.byteRange(static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(last));
}
Part anyDigits(GrammarBuilder& b, std::size_t least, std::size_t most) {
  return b.repeat(digits(b, '0', '9'), static_cast<int>(least), static_cast<int>(most));
}

/// Digit strings as long as `bound` that are at least (at most) it.
Part atLeast(GrammarBuilder& b, std::string_view bound) {
  Part rest = b.literal("");
  for (std::size_t i = bound.size(); i-- > 0;) {
    std::vector<Part> ways{b.sequence({b.literal(bound.substr(i, 1)), rest})};
    if (bound[i] < '9')
      ways.push_back(b.sequence(
          {digits(b, static_cast<char>(bound[i] + 1), '9'), anyDigits(b, bound.size() - i - 1, bound.size() - i - 1)}));
    rest = b.choice(ways);
  }
  return rest;
}
Part atMost(GrammarBuilder& b, std::string_view bound) {
  Part rest = b.literal("");
  for (std::size_t i = bound.size(); i-- > 0;) {
    std::vector<Part> ways{b.sequence({b.literal(bound.substr(i, 1)), rest})};
    if (bound[i] > '0')
      ways.push_back(b.sequence(
          {digits(b, '0', static_cast<char>(bound[i] - 1)), anyDigits(b, bound.size() - i - 1, bound.size() - i - 1)}));
    rest = b.choice(ways);
  }
  return rest;
}
/// Both of one length.
Part between(GrammarBuilder& b, std::string_view low, std::string_view high) {
  const auto at = static_cast<std::size_t>(std::mismatch(low.begin(), low.end(), high.begin()).first - low.begin());
  if (at == low.size()) return b.literal(low);
  const std::size_t left = low.size() - at - 1;
  std::vector<Part> ways{b.sequence({b.literal(low.substr(at, 1)), atLeast(b, low.substr(at + 1))}),
                         b.sequence({b.literal(high.substr(at, 1)), atMost(b, high.substr(at + 1))})};
  if (high[at] - low[at] > 1)
    ways.push_back(
        b.sequence({digits(b, static_cast<char>(low[at] + 1), static_cast<char>(high[at] - 1)), anyDigits(b, left, left)}));
  return b.sequence({b.literal(low.substr(0, at)), b.choice(ways)});
}

/// Natural numbers low…high without leading zeros.
Part naturals(GrammarBuilder& b, std::uint64_t low, std::uint64_t high) {
  std::vector<Part> ways;
  while (low <= high) {
    const std::string text = std::to_string(low);
    const std::uint64_t nines = text.size() >= 19 ? high : [&] {
      std::uint64_t power = 1;
      for (std::size_t i = 0; i < text.size(); ++i) power *= 10;
      return power - 1;
    }();
    const std::uint64_t end = std::min(high, nines);
    ways.push_back(between(b, text, std::to_string(end)));
    if (end == high) break;
    low = end + 1;
  }
  return b.choice(ways);
}

std::uint64_t magnitude(std::int64_t value) {
  return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

Part integers(GrammarBuilder& b, std::int64_t low, std::int64_t high) {
  std::vector<Part> ways;
  if (low < 0) ways.push_back(b.sequence({b.literal("-"), naturals(b, high < 0 ? magnitude(high) : 1, magnitude(low))}));
  if (high >= 0)
    ways.push_back(naturals(b, low > 0 ? static_cast<std::uint64_t>(low) : 0, static_cast<std::uint64_t>(high)));
  return b.choice(ways);
}

/// A plain decimal: sign, whole part without leading zeros, fraction without trailing ones.
struct Decimal {
  bool negative = false;
  std::string whole = "0", fraction;
  [[nodiscard]] bool zero() const { return whole == "0" && fraction.empty(); }
};

Decimal decimalOf(std::string_view text) {
  Decimal out;
  if (text.starts_with('-')) {
    out.negative = true;
    text.remove_prefix(1);
  }
  const auto point = text.find('.');
  out.whole = text.substr(0, point);
  if (point != std::string_view::npos) out.fraction = text.substr(point + 1);
  while (!out.fraction.empty() && out.fraction.back() == '0') out.fraction.pop_back();
  if (out.zero()) out.negative = false;
  return out;
}

/// The largest integer below or at it; nothing when it is out of range.
std::optional<std::int64_t> floorOf(const Decimal& d, bool ceiling) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(d.whole.data(), d.whole.data() + d.whole.size(), value);
  if (code != std::errc() || end != d.whole.data() + d.whole.size()) return std::nullopt;
  if (d.negative) value = -value;
  if (!d.fraction.empty() && d.negative && !ceiling) --value;
  if (!d.fraction.empty() && !d.negative && ceiling) ++value;
  return value;
}

/// "" or "." and digits: fractions on one side of `bound`. `room` digits at most.
Part fractionAbove(GrammarBuilder& b, const std::string& bound, bool strictly, std::size_t room) {
  // From the end: after all digits of the bound, whatever follows is at least it.
  const std::size_t n = bound.size();
  const auto tail = [&](std::size_t used) { return anyDigits(b, 0, room - used); };
  Part rest =
      strictly ? b.sequence({b.repeat(b.literal("0"), 0, static_cast<int>(room - n)), digits(b, '1', '9')}) : tail(n);
  if (strictly && room > n) {
    std::vector<Part> ways;  // zeros, then something above zero, then anything
    for (std::size_t zeros = 0; zeros + n < room; ++zeros)
      ways.push_back(b.sequence({b.literal(std::string(zeros, '0')), digits(b, '1', '9'), tail(n + zeros + 1)}));
    rest = b.choice(ways);
  }
  for (std::size_t i = n; i-- > 0;) {
    std::vector<Part> ways{b.sequence({b.literal(bound.substr(i, 1)), rest})};
    if (bound[i] < '9') ways.push_back(b.sequence({digits(b, static_cast<char>(bound[i] + 1), '9'), tail(i + 1)}));
    rest = b.choice(ways);
  }
  std::vector<Part> ways;
  if (n == 0 && !strictly) return b.optional(b.sequence({b.literal("."), anyDigits(b, 1, room)}));
  ways.push_back(b.sequence({b.literal("."), rest}));
  return b.choice(ways);
}

Part fractionBelow(GrammarBuilder& b, const std::string& bound, bool strictly, std::size_t room) {
  const std::size_t n = bound.size();
  const auto tail = [&](std::size_t used) { return anyDigits(b, 0, room - used); };
  // At the end of the bound only zeros may follow; before it the text may stop anywhere, for the bound goes on above zero.
  std::optional<Part> rest;
  if (!strictly) rest = b.repeat(b.literal("0"), 0, static_cast<int>(room - n));
  for (std::size_t i = n; i-- > 0;) {
    std::vector<Part> ways;
    if (rest) ways.push_back(b.sequence({b.literal(bound.substr(i, 1)), *rest}));
    if (bound[i] > '0') ways.push_back(b.sequence({digits(b, '0', static_cast<char>(bound[i] - 1)), tail(i + 1)}));
    if (i > 0) ways.push_back(b.literal(""));
    rest = b.choice(ways);
  }
  if (n == 0) {
    if (strictly) return b.choice({});
    return b.optional(b.sequence({b.literal("."), b.repeat(b.literal("0"), 1, static_cast<int>(room))}));
  }
  return b.optional(b.sequence({b.literal("."), *rest}));
}

/// Fractions between two bounds; both strict or not.
Part fractionBetween(GrammarBuilder& b, std::string low, bool aboveLow, std::string high, bool belowHigh, std::size_t room) {
  const std::size_t n = std::max(low.size(), high.size());
  low.resize(n, '0');
  high.resize(n, '0');
  if (low > high || (low == high && (aboveLow || belowHigh))) return b.choice({});
  const auto trimmed = [](std::string text) {
    while (!text.empty() && text.back() == '0') text.pop_back();
    return text;
  };
  if (low == high) {
    // The one value, with zeros behind it.
    const std::string only = trimmed(low);
    return only.empty() ? fractionBelow(b, "", false, room)
                        : b.sequence({b.literal(std::string(1, '.').append(only)),
                                      b.repeat(b.literal("0"), 0, static_cast<int>(room - only.size()))});
  }
  // Where the first digits differ: the low digit and above the rest of low, digits between, the high digit and below.
  const auto at = static_cast<std::size_t>(std::mismatch(low.begin(), low.end(), high.begin()).first - low.begin());
  const auto digitsAbove = [&](const std::string& bound, bool strictly, std::size_t space) {
    // As fractionAbove, without its point: a fraction of a number whose point stands before.
    std::vector<Part> ways;
    const std::string rest = trimmed(bound);
    if (rest.empty() && !strictly) return anyDigits(b, 0, space);
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (rest[i] < '9')
        ways.push_back(b.sequence(
            {b.literal(rest.substr(0, i)), digits(b, static_cast<char>(rest[i] + 1), '9'), anyDigits(b, 0, space - i - 1)}));
    }
    if (!strictly) ways.push_back(b.sequence({b.literal(rest), anyDigits(b, 0, space - rest.size())}));
    for (std::size_t zeros = 0; strictly && rest.size() + zeros < space; ++zeros)
      ways.push_back(b.sequence({b.literal(rest + std::string(zeros, '0')), digits(b, '1', '9'),
                                 anyDigits(b, 0, space - rest.size() - zeros - 1)}));
    return b.choice(ways);
  };
  const auto digitsBelow = [&](const std::string& bound, bool strictly, std::size_t space) {
    std::vector<Part> ways;
    const std::string rest = trimmed(bound);
    for (std::size_t i = 0; i < rest.size(); ++i) {
      ways.push_back(b.literal(rest.substr(0, i)));  // shorter is smaller
      if (rest[i] > '0')
        ways.push_back(b.sequence(
            {b.literal(rest.substr(0, i)), digits(b, '0', static_cast<char>(rest[i] - 1)), anyDigits(b, 0, space - i - 1)}));
    }
    if (!strictly)
      ways.push_back(b.sequence({b.literal(rest), b.repeat(b.literal("0"), 0, static_cast<int>(space - rest.size()))}));
    return b.choice(ways);
  };
  const std::size_t space = room - at - 1;
  std::vector<Part> ways{b.sequence({b.literal(low.substr(at, 1)), digitsAbove(low.substr(at + 1), aboveLow, space)}),
                         b.sequence({b.literal(high.substr(at, 1)), digitsBelow(high.substr(at + 1), belowHigh, space)})};
  if (high[at] - low[at] > 1)
    ways.push_back(
        b.sequence({digits(b, static_cast<char>(low[at] + 1), static_cast<char>(high[at] - 1)), anyDigits(b, 0, space)}));
  const Part inside = b.sequence({b.literal(std::string(1, '.').append(low, 0, at)), b.choice(ways)});
  // Without a fraction the value is the whole number itself.
  const std::string least = trimmed(low);
  if (aboveLow || least.size() > at) return inside;
  return b.choice({b.literal(least.empty() ? std::string() : std::string(1, '.').append(least)), inside});
}

/// Decimals low…high, both not negative.
Part positives(GrammarBuilder& b, const Decimal& low, bool aboveLow, const Decimal& high, bool belowHigh, std::size_t room) {
  const auto natural = [](const std::string& text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  const std::uint64_t from = natural(low.whole), to = natural(high.whole);
  if (from > to) return b.choice({});
  if (from == to)
    return b.sequence({b.literal(low.whole), fractionBetween(b, low.fraction, aboveLow, high.fraction, belowHigh, room)});
  std::vector<Part> ways{b.sequence({b.literal(low.whole), fractionAbove(b, low.fraction, aboveLow, room)}),
                         b.sequence({b.literal(high.whole), fractionBelow(b, high.fraction, belowHigh, room)})};
  if (to - from > 1)
    ways.push_back(
        b.sequence({naturals(b, from + 1, to - 1), b.optional(b.sequence({b.literal("."), anyDigits(b, 1, room)}))}));
  return b.choice(ways);
}

/// Multiples of m with at most `layers` digits; `positive` leaves zero out.
Part multiples(GrammarBuilder& b, std::int64_t m, bool positive) {
  const auto size = static_cast<std::uint32_t>(m);
  const auto layers = static_cast<std::uint32_t>(std::clamp<std::int64_t>(6000 / m, 4, 12));
  std::vector<GrammarBuilder::Edge> edges;
  const auto node = [&](std::uint32_t layer, std::uint32_t rest) { return 2 + layer * size + rest; };
  for (std::uint32_t digit = 1; digit < 10; ++digit)
    edges.push_back({GrammarBuilder::kStart, node(0, digit % size),
                     digits(b, static_cast<char>('0' + digit), static_cast<char>('0' + digit))});
  for (std::uint32_t layer = 0; layer + 1 < layers; ++layer) {
    for (std::uint32_t rest = 0; rest < size; ++rest) {
      for (std::uint32_t digit = 0; digit < 10; ++digit)
        edges.push_back({node(layer, rest), node(layer + 1, (rest * 10 + digit) % size),
                         digits(b, static_cast<char>('0' + digit), static_cast<char>('0' + digit))});
    }
  }
  for (std::uint32_t layer = 0; layer < layers; ++layer)
    edges.push_back({node(layer, 0), GrammarBuilder::kEnd, std::nullopt});
  if (!positive) edges.push_back({GrammarBuilder::kStart, GrammarBuilder::kEnd, b.literal("0")});
  return b.graph(2 + layers * size, edges);
}

}  // namespace

std::optional<std::string> plainDecimal(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::string all;
  int exponent = 0, point = -1;
  std::size_t i = 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') {
      point = static_cast<int>(all.size());
    } else {
      all += text[i];
    }
  }
  if (i < text.size()) {
    const std::string_view rest = text.substr(text[i + 1] == '+' ? i + 2 : i + 1);
    const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
    if (code != std::errc() || end != rest.data() + rest.size()) return std::nullopt;
  }
  if (point < 0) point = static_cast<int>(all.size());
  if (exponent > 400 || exponent < -400) return std::nullopt;
  point += exponent;
  if (point < 0) {
    all.insert(0, static_cast<std::size_t>(-point), '0');
    point = 0;
  }
  if (static_cast<std::size_t>(point) > all.size()) all.append(static_cast<std::size_t>(point) - all.size(), '0');
  std::string whole = all.substr(0, static_cast<std::size_t>(point)), fraction = all.substr(static_cast<std::size_t>(point));
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  if (whole.empty()) whole.assign(1, '0');
  std::string out = negative && (whole != "0" || !fraction.empty()) ? "-" : "";
  out += whole;
  if (!fraction.empty()) out += "." + fraction;
  return out;
}

Result<Part> integerBetween(GrammarBuilder& b, const NumberBounds& bounds, std::optional<std::int64_t> multipleOf,
                            std::string_view path) {
  std::int64_t low = -kMostInteger, high = kMostInteger;
  if (bounds.least) {
    const Decimal d = decimalOf(*bounds.least);
    const auto value = floorOf(d, true);
    if (!value && !d.negative) return refuse(path, "a bound is too large");
    if (value) low = *value + (bounds.aboveLeast && d.fraction.empty() ? 1 : 0);
    if (!bounds.most && low > high) high = std::numeric_limits<std::int64_t>::max();
  }
  if (bounds.most) {
    const Decimal d = decimalOf(*bounds.most);
    const auto value = floorOf(d, false);
    if (!value && d.negative) return refuse(path, "a bound is too large");
    if (value) high = *value - (bounds.belowMost && d.fraction.empty() ? 1 : 0);
    if (!bounds.least && high < low) low = std::numeric_limits<std::int64_t>::min() + 1;
  }
  if (low > high) return b.choice({});
  if (!multipleOf || *multipleOf == 1) return b.shared("integer", integers(b, low, high));
  const std::int64_t m = *multipleOf;
  const std::uint64_t span =
      static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);  // wraps to the right difference
  if (span / static_cast<std::uint64_t>(m) <= kMostMultiples) {
    std::vector<Part> all;
    std::int64_t value = low / m * m;
    if (value < low) value += m;
    for (; value <= high; value += m) {
      all.push_back(b.literal(std::to_string(value)));
      if (value > std::numeric_limits<std::int64_t>::max() - m) break;
    }
    return b.shared("integer", b.choice(all));
  }
  if (m > kMostModulus)
    return refuse(path, "multiples of a number above 1000 need narrow bounds", {{"keyword", "multipleOf"}});
  const bool up = !bounds.most, down = !bounds.least;
  if (up && down)
    return b.shared("integer", b.choice({multiples(b, m, false), b.sequence({b.literal("-"), multiples(b, m, true)})}));
  if (up && (low == 0 || low == 1)) return b.shared("integer", multiples(b, m, low == 1));
  if (down && (high == 0 || high == -1)) {
    const Part negative = b.sequence({b.literal("-"), multiples(b, m, true)});
    return b.shared("integer", high == 0 ? b.choice({b.literal("0"), negative}) : negative);
  }
  return refuse(path, "multipleOf with these bounds is not supported", {{"keyword", "multipleOf"}});
}

Result<Part> decimalBetween(GrammarBuilder& b, const NumberBounds& bounds, std::string_view path) {
  Decimal low = bounds.least ? decimalOf(*bounds.least) : Decimal(),
          high = bounds.most ? decimalOf(*bounds.most) : Decimal();
  const auto open = [](Decimal& d, bool negative) {
    d.negative = negative;
    d.whole = std::to_string(kMostInteger);
  };
  const std::size_t given = std::max(low.whole.size(), high.whole.size());
  if (given > kMostDigits || std::max(low.fraction.size(), high.fraction.size()) + given > kMostDigits)
    return refuse(path, "a bound has more than 15 digits");
  // So few digits in all that different texts are different doubles.
  const std::size_t room = std::max<std::size_t>({kMostDigits - given, low.fraction.size(), high.fraction.size(), 1});
  bool aboveLow = bounds.aboveLeast, belowHigh = bounds.belowMost;
  if (!bounds.least) open(low, true), aboveLow = false;
  if (!bounds.most) open(high, false), belowHigh = false;
  std::vector<Part> ways;
  const Decimal zero;
  if (low.negative) {
    // −low … −0: mirrored; zero itself is written without a sign.
    Decimal from = high.negative ? high : zero;
    Decimal to = low;
    from.negative = to.negative = false;
    ways.push_back(b.sequence({b.literal("-"), positives(b, from, high.negative ? belowHigh : true, to, aboveLow, room)}));
  }
  if (!high.negative)
    ways.push_back(positives(b, low.negative ? zero : low, low.negative ? false : aboveLow, high, belowHigh, room));
  return b.shared("number", b.choice(ways));
}

}  // namespace hearth::grammar
