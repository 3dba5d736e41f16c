#include "tests/text/output_support.h"

namespace hearth::output::test {
namespace {

Parsed parsed(std::string reasoning, std::string text, std::vector<Parsed::Call> calls, std::string order) {
  return {std::move(reasoning), std::move(text), std::move(calls), std::move(order)};
}

TEST(OutputReasoning, ABlockAtTheBeginIsReasoning) {
  const Dialect think = dialectOf("<think>");
  EXPECT_EQ(parse(think, {}, "<think>\nI  wonder.\n\n</think>\n\nFour.\n"), parsed("I  wonder.", "Four.\n", {}, "RT"));
  EXPECT_EQ(parse(think, {}, " \n<think>a</think>b"), parsed("a", "b", {}, "RT"));
  EXPECT_EQ(parse(think, {}, "<think>\n\n</think>\n\nb"), parsed("", "b", {}, "T"));
  EXPECT_EQ(parse(think, {}, "<think>a < b </ </thin </think>c</think>"), parsed("a < b </ </thin", "c</think>", {}, "RT"));
  EXPECT_EQ(parse(think, {}, "<think>never closed </thi"), parsed("never closed </thi", "", {}, "R"));
  EXPECT_EQ(parse(think, {}, "<think>never closed\n\n"), parsed("never closed", "", {}, "R"));
}

TEST(OutputReasoning, AMarkElsewhereIsText) {
  const Dialect think = dialectOf("<think>");
  for (const std::string_view reply :
       {"The tag <think>x</think> is text", "<thin", " <", "\n\n", "", "</think>x", "<thinking>x</thinking>"}) {
    EXPECT_EQ(parse(think, {}, reply), parsed("", std::string(reply), {}, reply.empty() ? "" : "T")) << reply;
  }
  EXPECT_EQ(parse(dialectOf("plain"), {}, "<think>x</think>y"), parsed("", "<think>x</think>y", {}, "T"));
  OutputOptions options;
  options.reasoning = false;
  EXPECT_EQ(parse(think, options, "<think>x</think>y"), parsed("", "<think>x</think>y", {}, "T"));
}

TEST(OutputReasoning, ThePromptMayHaveBegunIt) {
  const Dialect think = dialectOf("<think>");
  EXPECT_TRUE(think.beginsReasoning("…<|im_start|>assistant\n<think>\n"));
  EXPECT_FALSE(think.beginsReasoning("…<think>\n\n</think>\n\n"));
  EXPECT_FALSE(dialectOf("plain").beginsReasoning("<think>"));
  OutputOptions options;
  options.reasoningBegun = true;
  EXPECT_EQ(parse(think, options, "Hm.\n</think>\n\nFour."), parsed("Hm.", "Four.", {}, "RT"));
  EXPECT_EQ(parse(think, options, "<think>Hm.</think>Four."), parsed("Hm.", "Four.", {}, "RT"))
      << "the model repeats the mark";
  EXPECT_EQ(parse(think, options, "Hm."), parsed("Hm.", "", {}, "R"));
  EXPECT_EQ(parse(think, options, "<th"), parsed("<th", "", {}, "R"));
}

TEST(OutputReasoning, OtherMarks) {
  EXPECT_EQ(parse(dialectOf("[THINK]"), {}, "[THINK]a[/THINK]b"), parsed("a", "b", {}, "RT"));
  EXPECT_EQ(parse(dialectOf("<reasoning>"), {}, "<reasoning>a</reasoning>b"), parsed("a", "b", {}, "RT"));
  EXPECT_EQ(parse(dialectOf("<thinking>"), {}, "<thinking>a</thinking>b"), parsed("a", "b", {}, "RT"));
  EXPECT_EQ(parse(dialectOf("<seed:think>"), {}, "<seed:think>a</seed:think>b"), parsed("a", "b", {}, "RT"));
}

TEST(OutputReasoning, CallsFollowReasoningAndAreNotLookedForInIt) {
  const Dialect qwen3 = dialectOf("<think> <tool_call>");
  EXPECT_EQ(
      parse(qwen3, tools(),
            "<think>\nI could <tool_call>{\"name\":\"add\",\"arguments\":{}}</tool_call>\n</think>\n\n<tool_call>\n"
            "{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call>"),
      parsed("I could <tool_call>{\"name\":\"add\",\"arguments\":{}}</tool_call>", "", {{"add", R"({"a": 1})"}}, "RC"));
  const Dialect magistral = dialectOf("[THINK] [TOOL_CALLS] [ARGS]");
  EXPECT_EQ(parse(magistral, tools(), "[THINK]so[/THINK]ok[TOOL_CALLS]add[ARGS]{}"),
            parsed("so", "ok", {{"add", "{}"}}, "RTC"));
  EXPECT_EQ(qwen3.tokens(true).size(), 4U);
  EXPECT_EQ(qwen3.tokens(false).size(), 2U);
}

TEST(OutputReasoning, HarmonyChannels) {
  const Dialect harmony = dialectOf("<|channel|>analysis<|message|>");
  EXPECT_EQ(
      parse(harmony, tools(),
            "<|channel|>analysis<|message|>Hm <x> <|end|><|start|>assistant<|channel|>final<|message|>Four.<|return|>"),
      parsed("Hm <x> ", "Four.", {}, "RT"));
  EXPECT_EQ(
      parse(
          harmony, tools(),
          "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>commentary<|message|>I look.<|end|>"
          "<|start|>assistant<|channel|>commentary to=functions.add <|constrain|>json<|message|>{\"a\": \"<|end\"}<|call|>"),
      parsed("Hm", "I look.", {{"add", R"({"a": "<|end"})"}}, "RTC"));
  EXPECT_EQ(parse(harmony, tools(), " to=functions.add<|channel|>commentary json<|message|>{}"),
            parsed("", "", {{"add", "{}"}}, "C"));
  EXPECT_EQ(parse(harmony, tools(), "<|channel|>commentary to=functions.nope<|message|>{}"), parsed("", "{}", {}, "T"));
  EXPECT_EQ(parse(harmony, tools(), "<|channel|>commentary to=functions.add<|message|>no JSON"),
            parsed("", "no JSON", {}, "T"));
  EXPECT_EQ(parse(harmony, tools(), "<|channel|>commentary to=functions.add<|message|>{\"a\": x} y"),
            parsed("", "x} y", {{"add", "{\"a\": "}}, "CT"));
  EXPECT_EQ(parse(harmony, {}, "<|channel|>commentary to=functions.add<|message|>{}"), parsed("", "{}", {}, "T"));
  for (const std::string_view reply : {"plain <|text|>", "<|chan", "<b>", " to", "", "<|channel|>analysis"}) {
    EXPECT_EQ(parse(harmony, tools(), reply), parsed("", std::string(reply), {}, reply.empty() ? "" : "T")) << reply;
  }
  OutputOptions one = tools();
  one.oneCall = true;
  EXPECT_EQ(parse(harmony, one, "<|channel|>commentary to=functions.add<|message|>{}<|call|><|channel|>final<|message|>x"),
            parsed("", "", {{"add", "{}"}}, "C"));
}

}  // namespace
}  // namespace hearth::output::test
