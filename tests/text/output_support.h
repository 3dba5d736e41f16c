#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/output/output_parser.h"

namespace hearth::output::test {

/// A reply taken apart, pieces of a kind that follow each other joined.
struct Parsed {
  std::string reasoning, text;
  struct Call {
    std::string name, arguments;
    friend bool operator==(const Call&, const Call&) = default;
  };
  std::vector<Call> calls;
  std::string order;  ///< R, T, C for each change of kind
  friend bool operator==(const Parsed&, const Parsed&) = default;
  friend void PrintTo(const Parsed& parsed, std::ostream* out) {
    *out << "order " << parsed.order << "\nreasoning [" << parsed.reasoning << "]\ntext [" << parsed.text << "]";
    for (const Call& call : parsed.calls) *out << "\ncall " << call.name << " [" << call.arguments << "]";
  }
};

inline void add(Parsed& parsed, const std::vector<Piece>& pieces, std::string_view reply) {
  for (const Piece& piece : pieces) {
    const char kind = piece.kind == Piece::Kind::Reasoning ? 'R' : piece.kind == Piece::Kind::Text ? 'T' : 'C';
    if (parsed.order.empty() || parsed.order.back() != kind || !piece.name.empty()) parsed.order += kind;
    if (piece.kind == Piece::Kind::ToolCall) {
      if (!piece.name.empty()) parsed.calls.push_back({piece.name, {}});
      ASSERT_EQ(piece.call + 1, static_cast<int>(parsed.calls.size())) << "pieces of a call come together";
      parsed.calls.back().arguments += piece.text;
      continue;
    }
    ASSERT_EQ(reply.substr(piece.begin, piece.end - piece.begin), piece.text) << "text stands as it was written";
    (piece.kind == Piece::Kind::Reasoning ? parsed.reasoning : parsed.text) += piece.text;
  }
}

/// Pushes the reply in pieces of the sizes that `next` gives.
template <typename Next>
Parsed parseCut(const Dialect& dialect, const OutputOptions& options, std::string_view reply, Next next) {
  const auto parser = OutputParser::create(dialect, options);
  Parsed parsed;
  for (std::size_t at = 0; at < reply.size();) {
    const std::size_t size = std::min(std::max<std::size_t>(next(), 1), reply.size() - at);
    add(parsed, parser->push(reply.substr(at, size)), reply);
    at += size;
  }
  add(parsed, parser->finish(), reply);
  EXPECT_EQ(parser->calls(), static_cast<int>(parsed.calls.size()));
  return parsed;
}

/// The reply whole; and the same result in single bytes, in two parts cut anywhere, and in random parts.
inline Parsed parse(const Dialect& dialect, const OutputOptions& options, std::string_view reply) {
  const Parsed whole = parseCut(dialect, options, reply, [&] { return reply.size(); });
  EXPECT_EQ(parseCut(dialect, options, reply, [] { return std::size_t{1}; }), whole) << "byte by byte: " << reply;
  for (std::size_t cut = 1; cut < reply.size(); ++cut) {
    std::size_t part = 0;
    EXPECT_EQ(parseCut(dialect, options, reply, [&] { return part++ == 0 ? cut : reply.size(); }), whole)
        << "cut at " << cut << ": " << reply;
  }
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(parseCut(dialect, options, reply, [&] { return std::size_t{1} + random() % 9; }), whole)
        << "cut at random: " << reply;
  }
  return whole;
}

inline Dialect dialectOf(std::string_view templateSource) { return dialectFor({templateSource, {}}); }

/// Two tools, as most tests give them.
inline OutputOptions tools() {
  OutputOptions options;
  options.tools = {"get_weather", "add"};
  return options;
}

}  // namespace hearth::output::test
