// What masks take: measure_grammar MODEL.gguf (its vocabulary is read, the weights are not)
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "core/formats/gguf.h"
#include "core/text/grammar/automaton.h"
#include "core/text/grammar/token_grammar.h"

namespace {

using namespace hearth;
using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point since) {
  return std::chrono::duration<double, std::milli>(Clock::now() - since).count();
}

void report(const char* name, std::vector<double> times, double compile, std::size_t bytes) {
  if (times.empty()) return;
  const double first = times.front();
  std::sort(times.begin(), times.end());
  fmt::print(
      "{:<28} compile {:7.2f} ms {:6} KB   first mask {:7.3f}   p50 {:7.3f}  p90 {:7.3f}  p99 {:7.3f}  max {:7.3f} ms  ({} "
      "masks)\n",
      name, compile, bytes / 1024, first, times[times.size() / 2], times[times.size() * 9 / 10],
      times[times.size() * 99 / 100], times.back(), times.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const auto file = GgufFile::open(argv[1]);
  if (!file) return 2;
  const auto tokenizer = Tokenizer::fromGguf(*file);
  if (!tokenizer) return 2;
  auto begin = Clock::now();
  const auto trie = TokenTrie::build(**tokenizer);
  fmt::print("vocabulary {}, tree of {} nodes in {:.0f} ms, longest token {} bytes\n", (*tokenizer)->vocabularySize(),
             trie->nodeCount(), milliseconds(begin), trie->longest());
  struct Case {
    const char* name;
    OutputShape::Kind kind;
    const char* text;
  };
  const Case cases[] = {
      {"object of four fields", OutputShape::Kind::JsonSchema,
       R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"email":{"type":"string"},"tags":{"type":"array","items":{"type":"string"}}},"required":["name","age","email","tags"],"additionalProperties":false})"},
      {"any object", OutputShape::Kind::JsonObject, ""},
      {"recursive tree", OutputShape::Kind::JsonSchema,
       R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"value":{"type":"string"},"children":{"type":"array","items":{"$ref":"#/$defs/n"}}},"required":["value","children"],"additionalProperties":false}}})"},
      {"lengths and bounds", OutputShape::Kind::JsonSchema,
       R"({"type":"object","properties":{"title":{"type":"string","minLength":3,"maxLength":60},"body":{"type":"string","maxLength":2000},"score":{"type":"number","minimum":0,"maximum":1},"year":{"type":"integer","minimum":1900,"maximum":2100},"when":{"type":"string","format":"date-time"}},"required":["title","body","score","year","when"]})"},
      {"enums, anyOf, patterns", OutputShape::Kind::JsonSchema,
       R"({"type":"array","minItems":3,"maxItems":40,"items":{"anyOf":[{"type":"object","properties":{"kind":{"const":"a"},"level":{"enum":["low","middle","high"]}},"required":["kind","level"]},{"type":"object","properties":{"kind":{"const":"b"},"code":{"type":"string","pattern":"^[A-Z]{3}-[0-9]{4}$"}},"required":["kind","code"]}]}})"},
      {"40 optional properties", OutputShape::Kind::JsonSchema, nullptr},
      {"GBNF arithmetic", OutputShape::Kind::Gbnf,
       "root ::= expr \"\\n\"\nexpr ::= term ([-+*/] term)*\nterm ::= [0-9]+ | [a-z]+ | \"(\" expr \")\""},
      {"regex of words", OutputShape::Kind::Regex, "(?:\\p{L}+[ ,.]){1,80}"},
  };
  std::string wide = R"({"type":"object","properties":{)";
  for (int i = 0; i < 40; ++i)
    wide += fmt::format(R"({}"property_{}":{{"type":"{}"}})", i == 0 ? "" : ",", i, i % 3 == 0 ? "string" : "integer");
  wide += "}}";
  for (const Case& one : cases) {
    OutputShape shape;
    shape.kind = one.kind;
    shape.text = one.text == nullptr ? wide : one.text;
    begin = Clock::now();
    const auto compiled = compileShape(shape, "schema");
    const double compile = milliseconds(begin);
    if (!compiled) {
      fmt::print("{}: {}\n", one.name, compiled.error().describe());
      continue;
    }
    const auto grammar = std::make_shared<const TokenGrammar>(*compiled, trie);
    std::vector<double> times;
    std::mt19937 random(5);
    TokenMask mask(trie->vocabularySize());
    for (int answer = 0; answer < 20; ++answer) {
      GrammarMatcher matcher(grammar);
      for (int step = 0; step < 150; ++step) {
        begin = Clock::now();
        if (!matcher.mask(mask)) return 1;
        times.push_back(milliseconds(begin));
        std::vector<TokenId> allowed;
        for (TokenId token = 0; token < (*tokenizer)->vocabularySize(); ++token) {
          if (mask.test(token)) allowed.push_back(token);
        }
        if (allowed.empty()) return 1;
        const TokenId token = allowed[random() % allowed.size()];
        if ((*tokenizer)->isEndOfGeneration(token) || !matcher.accept(token)) break;
      }
    }
    report(one.name, times, compile, (*compiled)->automaton().bytes());
  }
  std::vector<float> logits(trie->vocabularySize(), 1.0F);
  TokenMask mask(trie->vocabularySize());
  for (std::size_t i = 0; i < trie->vocabularySize(); i += 3) mask.set(static_cast<TokenId>(i));
  begin = Clock::now();
  for (int i = 0; i < 100; ++i) mask.apply(logits);
  fmt::print("applying a mask to the logits: {:.3f} ms\n", milliseconds(begin) / 100);
  return 0;
}
