#include <algorithm>

#include "core/chat/call_grammar.h"
#include "tests/chat/chat_fixture.h"

namespace hearth {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTools =
    R"([{"type":"function","function":{"name":"get_weather","strict":true,"parameters":{"type":"object","properties":{"city":{"type":"string"}},
         "required":["city"],"additionalProperties":false}}},
        {"type":"function","function":{"name":"now"}}])";

class CallGrammarTest : public ::testing::Test {
 protected:
  GrammarPtr grammar(const std::string& source, const std::string& prompt = "") {
    m_dialect = output::dialectFor({source, {}});
    auto made = chat::callGrammar(m_tokenizer, m_dialect, m_request, prompt);
    EXPECT_TRUE(made) << made.error().describe();
    return made ? *made : GrammarPtr();
  }
  void SetUp() override {
    m_request.toolsJson = kTools;
    m_request.toolChoice.kind = ToolChoice::Kind::Required;
  }
  /// How many calls the parser finds in what the grammar lets through.
  int calls(const std::string& reply) {
    output::OutputOptions options;
    options.tools = {"get_weather", "now"};
    const auto parser = output::OutputParser::create(m_dialect, options);
    for (const auto& piece : parser->push(reply)) EXPECT_NE(piece.kind, output::Piece::Kind::Text) << piece.text;
    static_cast<void>(parser->finish());
    return parser->calls();
  }

  FakeTokenizer m_tokenizer;
  output::Dialect m_dialect;
  ChatRequest m_request;
};

TEST_F(CallGrammarTest, ADemandedCallIsInTheModelsOwnFormatAndTheParserFindsIt) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"<tool_call>",
       {"<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Rom\"}}\n</tool_call>",
        "<tool_call>\n{\"name\": \"now\", \"arguments\": {\"x\": [1]}}\n</tool_call>\n<tool_call>\n{\"name\": \"now\", "
        "\"arguments\": {}}\n</tool_call>"}},
      {"<|python_tag|>",
       {R"({"name": "get_weather", "parameters": {"city": "Rom"}})",
        R"({"name": "now", "parameters": {}}; {"name": "now", "parameters": {}})"}},
      {"[TOOL_CALLS]",
       {R"([TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Rom"}}])",
        R"([TOOL_CALLS][{"name": "now", "arguments": {}}, {"name": "now", "arguments": {}}])"}},
      {"[TOOL_CALLS] [ARGS]",
       {R"([TOOL_CALLS]get_weather[ARGS]{"city": "Rom"})", "[TOOL_CALLS]now[ARGS]{}[TOOL_CALLS]now[ARGS]{}"}},
      {"plain",
       {R"({"name": "get_weather", "arguments": {"city": "Rom"}})",
        "{\"name\": \"now\", \"arguments\": {}}\n{\"name\": \"now\", \"arguments\": {}}"}},
  };
  for (const auto& [source, replies] : cases) {
    const GrammarPtr made = grammar(source);
    ASSERT_TRUE(made);
    for (std::size_t i = 0; i < replies.size(); ++i) {
      EXPECT_TRUE(made->matches(replies[i])) << source << ": " << replies[i];
      EXPECT_EQ(calls(replies[i]), static_cast<int>(i) + 1) << replies[i];
      EXPECT_FALSE(made->matches("Well: " + replies[i]));
      EXPECT_FALSE(made->matches(replies[i].substr(0, replies[i].size() - 1)) && source != "plain");
    }
    EXPECT_FALSE(made->matches(""));
    EXPECT_FALSE(made->matches("text"));
    std::string wrong = replies[0];
    wrong.replace(wrong.find("Rom") - 1, 5, "5");
    EXPECT_FALSE(made->matches(wrong)) << wrong;
  }
  const GrammarPtr harmony = grammar("<|channel|><|message|>");
  ASSERT_TRUE(harmony);
  const std::string call = R"(<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city": "Rom"})";
  EXPECT_TRUE(harmony->matches(call));
  EXPECT_TRUE(harmony->matches("<|channel|>analysis<|message|>hm<|end|><|start|>assistant" + call));
  EXPECT_EQ(calls(call), 1);
}

TEST_F(CallGrammarTest, ANamedToolIsTheOnlyOneAndOneCallIsOne) {
  m_request.toolChoice = {ToolChoice::Kind::Named, "now"};
  m_request.parallelToolCalls = false;
  const GrammarPtr made = grammar("[TOOL_CALLS]");
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->matches(R"([TOOL_CALLS][{"name": "now", "arguments": {}}])"));
  EXPECT_FALSE(made->matches(R"([TOOL_CALLS][{"name": "now", "arguments": {}}, {"name": "now", "arguments": {}}])"));
  EXPECT_FALSE(made->matches(R"([TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Rom"}}])"));
}

TEST_F(CallGrammarTest, ReasoningComesBeforeADemandedCall) {
  const std::string call = "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>";
  const std::string source = "<think> <tool_call>";
  GrammarPtr made = grammar(source);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->matches(call)) << "it need not reason";
  EXPECT_TRUE(made->matches("<think>\nSo {it} is <tool_call>\n</think>\n\n" + call));
  EXPECT_FALSE(made->matches("<think>\nfor ever"));
  EXPECT_FALSE(made->matches("<think>x</think>\n\ntext"));
  made = grammar(source, "assistant\n<think>\n");
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->matches("So it is.\n</think>\n\n" + call)) << "the prompt began it";
  EXPECT_FALSE(made->matches("So it is."));
  m_request.think = false;
  made = grammar(source);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->matches(call));
  EXPECT_FALSE(made->matches("<think>x</think>\n\n" + call));
}

TEST_F(CallGrammarTest, LeftToTheModelOnlyWhatFollowsItsMarkIsHeld) {
  m_request.toolChoice = {};
  const GrammarPtr made = grammar("<tool_call>");
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->matches("No tool is needed <b>."));
  EXPECT_TRUE(
      made->matches("So:\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Rom\"}}\n</tool_call>"));
  EXPECT_FALSE(made->matches("<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"town\": \"Rom\"}}\n</tool_call>"));
  EXPECT_FALSE(made->matches("<tool_call>\n{\"name\": \"get_wether\", \"arguments\": {}}\n</tool_call>"));
  EXPECT_FALSE(grammar("<|python_tag|>")) << "without a mark that is nothing else, nothing is held";
  m_request.toolsJson = R"([{"type":"function","function":{"name":"now"}}])";
  EXPECT_FALSE(grammar("<tool_call>")) << "no tool asks for it";
  m_request.toolChoice.kind = ToolChoice::Kind::None;
  EXPECT_FALSE(grammar("<tool_call>"));
}

TEST_F(CallGrammarTest, AStrictSchemaThatCannotBeHeldIsRefusedByItsPlaceAndALooseOneIsAnyObject) {
  const std::string odd =
      R"({"type":"function","function":{"name":"f","strict":STRICT,"parameters":{"type":"object","properties":{"a":{"not":{"type":"string"}}}}}})";
  const auto with = [&](const char* strict) {
    std::string tool = odd;
    return "[" + tool.replace(tool.find("STRICT"), 6, strict) + "]";
  };
  m_request.toolsJson = with("true");
  m_dialect = output::dialectFor({"<tool_call>", {}});
  const auto refused = chat::callGrammar(m_tokenizer, m_dialect, m_request, "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(std::string(refused.error().find("field")), HasSubstr("tools[0].function.parameters"));
  m_request.toolsJson = with("false");
  const GrammarPtr loose = grammar("<tool_call>");
  ASSERT_TRUE(loose);
  EXPECT_TRUE(loose->matches("<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"x\"}}\n</tool_call>"));
}

}  // namespace
}  // namespace hearth
