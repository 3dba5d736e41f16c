#include "core/text/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/formats/gguf.h"

namespace hearth {
namespace {

boost::json::value golden(const std::string& name) {
  std::ifstream file(std::string(HEARTH_TEST_SOURCE_DIR) + "/golden/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return boost::json::parse(text.str());
}

std::string string(const boost::json::value& value) { return std::string(value.as_string()); }

// Renders or returns "error: …", so that one comparison shows both.
std::string render(std::string_view source, const boost::json::object& context, const TemplateLimits& limits = {}) {
  const Result<ChatTemplate> parsed = ChatTemplate::parse(source);
  if (!parsed) return "error: " + parsed.error().describe();
  const Result<RenderedPrompt> rendered = parsed->render(context, limits);
  return rendered ? rendered->text : "error: " + rendered.error().describe();
}

void expectCase(const boost::json::object& test, std::string_view source, const boost::json::object& context) {
  const std::string got = render(source, context);
  if (test.contains("text")) {
    EXPECT_EQ(got, string(test.at("text"))) << "template: " << source;
  } else {
    EXPECT_THAT(got, testing::StartsWith("error: ")) << "Jinja says " << test.at("error") << "\ntemplate: " << source;
  }
}

TEST(ChatTemplateGolden, FeaturesRenderAsJinjaDoes) {
  const boost::json::value file = golden("template_features.json");
  const auto& cases = file.at("cases").as_array();
  ASSERT_GT(cases.size(), 100U);
  for (const boost::json::value& test : cases) {
    SCOPED_TRACE(string(test.at("name")));
    const auto& context = file.at("contexts").at(test.at("context").as_string()).as_object();
    expectCase(test.as_object(), test.at("template").as_string(), context);
  }
}

TEST(ChatTemplateGolden, ModelsOwnTemplatesRenderAsTransformersDoes) {
  const char* folder = std::getenv("HEARTH_TEST_MODELS");
  if (folder == nullptr) GTEST_SKIP() << "HEARTH_TEST_MODELS is not set";
  const boost::json::value file = golden("template_models.json");
  std::map<std::string, std::string> sources;
  for (const boost::json::value& test : file.at("cases").as_array()) {
    const std::string name = string(test.at("file"));
    const std::filesystem::path path = std::filesystem::path(folder) / name;
    if (!std::filesystem::exists(path)) continue;
    if (!sources.contains(name)) {
      const Result<GgufFile> gguf = GgufFile::open(path);
      ASSERT_TRUE(gguf) << gguf.error().describe();
      const auto source = gguf->string("tokenizer.chat_template");
      ASSERT_TRUE(source);
      sources[name] = std::string(*source);
    }
    SCOPED_TRACE(string(test.at("name")));
    expectCase(test.as_object(), sources[name], file.at("contexts").at(test.at("context").as_string()).as_object());
  }
  if (sources.empty()) GTEST_SKIP() << "no model with a template in " << folder;
}

// The rendered text with its input ranges in «».
std::string marked(std::string_view source, const boost::json::object& context) {
  const Result<ChatTemplate> parsed = ChatTemplate::parse(source);
  if (!parsed) return "error: " + parsed.error().describe();
  const Result<RenderedPrompt> rendered = parsed->render(context);
  if (!rendered) return "error: " + rendered.error().describe();
  std::string out;
  std::size_t at = 0;
  for (const TextRange& range : rendered->input) {
    EXPECT_LE(at, range.begin);
    EXPECT_LT(range.begin, range.end);
    EXPECT_LE(range.end, rendered->text.size());
    out += rendered->text.substr(at, range.begin - at) + "«" + rendered->text.substr(range.begin, range.end - range.begin) + "»";
    at = range.end;
  }
  return out + rendered->text.substr(at);
}

TEST(ChatTemplateProvenance, FollowsTextThroughOperations) {
  const boost::json::object c = boost::json::parse(R"({"x":"  Ab<c>dé  ","list":["p","q"],"d":{"k":"v"},"n":5})").as_object();
  const std::pair<const char*, const char*> cases[] = {
      {"a{{ x }}b", "a«  Ab<c>dé  »b"},
      {"{{ '<|' + x + '|>' }}", "<|«  Ab<c>dé  »|>"},
      {"{{ 'a' ~ x|trim ~ 'b' }}", "a«Ab<c>dé»b"},
      {"{{ ('1' + x.strip() + '2')[1:4] }}", "«Ab<»"},
      {"{{ ('1' + x.strip() + '2')[::-1] }}", "2«éd>c<bA»1"},
      {"{{ ('-' + x.strip() + '-').upper() }}", "-«AB<C>DÉ»-"},
      {"{{ ('-' ~ x).replace('A', 'T') }}", "-«  »T«b<c>dé  »"},
      {"{{ 'm.m'.replace('.', x|trim) }}", "m«Ab<c>dé»m"},
      {"{{ x.strip().split('<') }}", "['«Ab»', '«c>dé»']"},
      {"{{ list|join('+') }}", "«p»+«q»"},
      {"{{ 'x'.join(list) }}", "«p»x«q»"},
      {"{{ d|tojson }}", "{\"«k»\": \"«v»\"}"},
      {"{{ d }}", "{'«k»': '«v»'}"},
      {"{{ {'t': x|trim}|tojson }}", "{\"t\": \"«Ab<c>dé»\"}"},
      {"{{ '%s-%s' % (x|trim, 'k') }}", "«Ab<c>dé»-k"},
      {"{{ '{}-{:>3}'.format('k', list[0]) }}", "k-  «p»"},
      {"{% for ch in list[0] %}[{{ ch }}]{% endfor %}", "[«p»]"},
      {"{% set y %}<{{ x|trim }}>{% endset %}{{ y }}{{ y|length }}", "<«Ab<c>dé»>9"},
      {"{% macro m(v) %}({{ v }}){% endmacro %}{{ m(list[1]) }}", "(«q»)"},
      {"{% filter upper %}z{{ list[0] }}z{% endfilter %}", "Z«P»Z"},
      {"{{ x|trim|e }}", "«Ab&lt;c&gt;dé»"},
      {"{{ ('a\\n' + list[0])|indent(2) }}", "a\n  «p»"},
      {"{{ list|sort|first }}{{ list|last }}{{ n }}", "«pq»5"},
      {"{{ list|map('upper')|join }}", "«PQ»"},
      {"{{ list[0] * 2 ~ '-' * 2 }}", "«pp»--"},
      {"{{ 'same' if x == 'q' else 'other' }}", "other"},
      {"{{ (x|trim)|truncate(4, true, '..', 0) }}", "«Ab»..."},
  };
  for (const auto& [source, want] : cases) {
    const std::string expected = std::string_view(source).find("truncate") == std::string_view::npos ? want : "«Ab»..";
    EXPECT_EQ(marked(source, c), expected) << source;
  }
}

TEST(ChatTemplateProvenance, HostTokensAndKnownRolesAreNotInput) {
  const boost::json::object c = boost::json::parse(
      R"({"bos_token":"<s>","note":"n","messages":[{"role":"user","content":"u"},{"role":"endoftext","content":{"role":"user"}}]})").as_object();
  EXPECT_EQ(marked("{{ bos_token }}{{ note }}{% for m in messages %}<|{{ m.role }}|>{% endfor %}{{ messages[1].content.role }}", c),
            "<s>«n»<|user|><|«endoftext»|>«user»");
}

TEST(ChatTemplateErrors, NameLineAndCause) {
  const Result<ChatTemplate> syntax = ChatTemplate::parse("a\nb\n{% if x %}\n{{ 1 + }}");
  ASSERT_FALSE(syntax);
  EXPECT_EQ(syntax.error().code, ErrorCode::TemplateFailed);
  EXPECT_EQ(syntax.error().find("line"), "4");

  const Result<ChatTemplate> parsed = ChatTemplate::parse("a\n{{ raise_exception('No ' + role) }}");
  ASSERT_TRUE(parsed);
  const auto raised = parsed->render({{"role", "cats"}});
  ASSERT_FALSE(raised);
  EXPECT_EQ(raised.error().code, ErrorCode::TemplateFailed);
  EXPECT_EQ(raised.error().message, "No cats");
  EXPECT_EQ(raised.error().find("line"), "2");
}

struct Hostile {
  const char* source;
  const char* limit;
};

TEST(ChatTemplateLimits, NoTemplateTakesTheMachine) {
  const Hostile cases[] = {
      {"{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}", "steps"},
      {"{{ 'x' * 1000000000000 }}", "output_bytes"},
      {"{{ [0] * 1000000000000 }}", "steps"},
      {"{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", ""},
      {"{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "steps"},
      {"{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}", ""},
      {"{% set ns = namespace(s=[]) %}{% for i in range(99999) %}{% set ns.s = [ns.s] %}{% endfor %}", "depth"},
      {"{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s == ns.s[:] }}", "steps"},
      {"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "depth"},
      {"{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(20) }}", ""},
      {"{{ ('ab' * 1000000).replace('', 'x' * 1000) }}", ""},
      {"{% set h = 'a' * 1000000 %}{% set n = 'a' * 500000 + 'b' %}{% for i in range(10000) %}{{ n in h }}{% endfor %}", "steps"},
      {"{% set h = 'a' * 1000000 %}{{ h.rsplit('a' * 400000 + 'b', 1)|length }}", "steps"},
      {"{{ '%99999999d' % 1 }}", ""},
      {"{{ '{:99999999}'.format(1) }}", ""},
      {"{{ 'a'.ljust(99999999999) }}", "output_bytes"},
      {"{{ 9 ** 9 ** 9 }}", ""},
      {"{{ 'x'|indent(99999999999) }}", ""},
      {"{{ range(100000)|batch(1)|map('tojson')|join|length * 1 }}{% for i in range(9999) %}{{ range(100000)|list|length }}{% endfor %}", "steps"},
      {"{{ dict(range(100000)|batch(2))|length }}{% for i in range(999) %}{{ dict(range(100000)|batch(2)) }}{% endfor %}", "steps"},
  };
  for (const Hostile& test : cases) {
    const auto begin = std::chrono::steady_clock::now();
    const Result<ChatTemplate> parsed = ChatTemplate::parse(test.source);
    ASSERT_TRUE(parsed) << test.source;
    const auto rendered = parsed->render({});
    const auto spent = std::chrono::steady_clock::now() - begin;
    EXPECT_FALSE(rendered) << test.source;
    if (!rendered) {
      EXPECT_EQ(rendered.error().code, ErrorCode::TemplateFailed);
      if (test.limit[0] != '\0') {
        EXPECT_EQ(rendered.error().find("limit"), test.limit) << test.source << rendered.error().describe();
      }
    }
    EXPECT_LT(spent, std::chrono::seconds(5)) << test.source;
  }
}

TEST(ChatTemplateLimits, HostileSourcesAreRefusedWhenParsed) {
  for (const char* piece : {"(", "[", "{", "-", "not ", "{% if x %}", "x if ", "f("}) {
    std::string source = piece[0] == '{' && piece[1] == '%' ? "" : "{{ ";
    for (int i = 0; i < 100'000; ++i) source += piece;
    EXPECT_FALSE(ChatTemplate::parse(source)) << piece;
  }
  for (const char* link : {".a", "[0]", "|e", "()", " is x"}) {
    std::string source = "{{ x";
    for (int i = 0; i < 100'000; ++i) source += link;
    EXPECT_FALSE(ChatTemplate::parse(source + " }}")) << link;
  }
  EXPECT_FALSE(ChatTemplate::parse(std::string(5U << 20U, 'x')));
}

TEST(ChatTemplateLimits, LongFlatExpressionsAreFine) {
  std::string sum = "{{ 1";
  for (int i = 0; i < 5000; ++i) sum += " + 1";
  EXPECT_EQ(render(sum + " }}", {}), "5001");
}

TEST(ChatTemplateLimits, CallersLimitsHold) {
  EXPECT_THAT(render("{% for i in range(50) %}{{ i }}{% endfor %}", {}, {.steps = 40}), testing::HasSubstr("limit: steps"));
  EXPECT_THAT(render("{{ 'x' * 101 }}", {}, {.outputBytes = 100}), testing::HasSubstr("limit: output_bytes"));
  EXPECT_THAT(render("{% for i in range(3) %}{{ 'x' * 40 }}{% endfor %}", {}, {.outputBytes = 100}), testing::HasSubstr("output_bytes"));
}

TEST(ChatTemplateContext, HandlesNumbersDepthAndBrokenText) {
  EXPECT_EQ(render("{{ a }} {{ b }} {{ c }}", boost::json::parse(R"({"a":9223372036854775807,"b":-0.5,"c":1e300})").as_object()),
            "9223372036854775807 -0.5 1e+300");
  boost::json::value deep = 1;
  for (int i = 0; i < 1000; ++i) deep = boost::json::array{deep};
  EXPECT_THAT(render("x", {{"a", deep}}), testing::HasSubstr("limit: depth"));
  EXPECT_EQ(render("{{ a|length }}{{ a[::-1] }}{{ a|upper }}", {{"a", "\xff\xc3z"}}), "3z\xc3\xff\xff\xc3Z");
}

TEST(ChatTemplateContext, StrftimeNowIsToday) {
  EXPECT_THAT(render("{{ strftime_now('%Y-%m-%d') }}", {}), testing::MatchesRegex("20[0-9]+-[0-9]+-[0-9]+"));
  EXPECT_EQ(render("{{ strftime_now('') }}", {}), "");
}

TEST(ChatTemplateContext, OneTemplateServesManyRenderings) {
  const Result<ChatTemplate> parsed = ChatTemplate::parse("{% set ns = namespace(n=0) %}{% set ns.self = ns %}{% macro f() %}{{ x }}{% endmacro %}{{ f() }}");
  ASSERT_TRUE(parsed);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(parsed->render({{"x", i}})->text, std::to_string(i));
}

}  // namespace
}  // namespace hearth
