// The real binary, as a person or a script runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace {

using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

struct Outcome {
  int code = -1;
  std::string out, err;
};

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string quoted(const fs::path& path) {
  std::string text(1, '\'');
  text += path.string();
  text += '\'';
  return text;
}

int codeOf(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

class Terminal : public testing::Test {
 protected:
  void SetUp() override {
    m_folder = fs::temp_directory_path() / ("hearth-terminal-" + std::to_string(getpid()));
    fs::remove_all(m_folder);
    fs::create_directories(m_folder);
  }
  void TearDown() override { fs::remove_all(m_folder); }

  fs::path write(const std::string& name, const std::string& text) {
    std::ofstream(m_folder / name, std::ios::binary) << text;
    return m_folder / name;
  }

  std::string shellCommand(const std::string& arguments) {
    const std::string folder = m_folder.string();
    const std::string base = "'" + folder + "/";
    return "HEARTH_HOME=" + base + "data' exec '" HEARTH_BINARY "' " + arguments + " <" + base + "in' >" + base + "out' 2>" + base + "err'";
  }

  // Runs `hearth ARGUMENTS` by the shell with its own data folder.
  Outcome run(const std::string& arguments, const std::string& input = {}) {
    write("in", input);
    const int status = std::system(shellCommand(arguments).c_str());
    return {codeOf(status), slurp(m_folder / "out"), slurp(m_folder / "err")};
  }

  // Starts it, waits until something was printed, sends the signal.
  Outcome signalled(const std::string& arguments, int signal) {
    write("in", "");
    write("out", "");
    const std::string command = shellCommand(arguments);
    const pid_t child = fork();
    if (child == 0) {
      execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    for (int i = 0; i < 600 && slurp(m_folder / "out").empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    kill(child, signal);
    int status = 0;
    waitpid(child, &status, 0);
    return {codeOf(status), slurp(m_folder / "out"), slurp(m_folder / "err")};
  }

  fs::path m_folder;
};

class TerminalWithModel : public Terminal {
 protected:
  void SetUp() override {
    Terminal::SetUp();
    const char* models = std::getenv("HEARTH_TEST_MODELS");
    if (models == nullptr) GTEST_SKIP() << "HEARTH_TEST_MODELS is not set";
    const fs::path path = fs::path(models) / "smollm2-135m-instruct-q4_1.gguf";
    if (!fs::exists(path)) GTEST_SKIP() << path << " is not there";
    m_model = quoted(path);
  }
  std::string m_model;
};

TEST_F(Terminal, EveryCommandHelps) {
  EXPECT_THAT(run("--help").out, HasSubstr("Exit status"));
  for (const std::string name : {"run", "serve", "list", "show", "import", "bench", "doctor", "tokenize", "template", "perplexity"}) {
    const Outcome outcome = run(name + " --help");
    EXPECT_EQ(outcome.code, 0) << name;
    EXPECT_THAT(outcome.out, HasSubstr("Exit status")) << name;
    EXPECT_EQ(outcome.err, "") << name;
  }
}

TEST_F(Terminal, WrongUsageIsTwoAndSilentOnOutput) {
  for (const std::string arguments : {"", "frobnicate", "run", "tokenize", "serve --port 70000", "serve --port x", "run m p --temperature -1",
                                      "bench m --decode 1", "bench m --kv-type q3", "perplexity m f --context 1", "run m p --speculation perhaps", "list --nope"}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments << outcome.err;
    EXPECT_EQ(outcome.out, "") << arguments;
    EXPECT_NE(outcome.err, "") << arguments;
  }
}

TEST_F(Terminal, AMissingModelIsThreeAndNamed) {
  for (const std::string arguments : {"run no-such-model hi", "show no-such-model", "tokenize no-such-model", "bench no-such-model",
                                      "import /nowhere/no-such-model", "serve --port 0 --model no-such-model"}) {
    const Outcome outcome = run(arguments, "x");
    EXPECT_EQ(outcome.code, 3) << arguments << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("hearth: ")) << arguments;
    EXPECT_THAT(outcome.err, HasSubstr("no-such-model")) << arguments;
    EXPECT_EQ(outcome.out, "") << arguments;
  }
}

TEST_F(Terminal, ADamagedFileIsFour) {
  const fs::path path = write("bad.gguf", "this is no model, whatever its name says");
  for (const std::string command : {"show ", "tokenize ", "import "}) {
    const Outcome outcome = run(command + quoted(path), "x");
    EXPECT_EQ(outcome.code, 4) << command << outcome.err;
    EXPECT_EQ(outcome.out, "") << command;
  }
}

TEST_F(Terminal, TemplatePrintsExactlyTheText) {
  const std::string source = quoted(write("t.jinja", "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}end"));
  const std::string context = R"({"messages":[{"role":"user","content":"Grüße {{ 1 }}"}]})";
  const Outcome outcome = run("template " + source + " -", context);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "<user>Grüße {{ 1 }}\nend");
  EXPECT_EQ(outcome.err, "");
  const Outcome file = run("template " + source + " '" + write("c.json", context).string() + "'");
  EXPECT_EQ(file.out, outcome.out);
}

TEST_F(Terminal, TemplateErrorsNameCauseAndPlace) {
  const std::string good = quoted(write("t.jinja", "a\n{{ raise_exception('no roles') }}"));
  const Outcome raised = run("template " + good + " -", "{}");
  EXPECT_EQ(raised.code, 4);
  EXPECT_THAT(raised.err, HasSubstr("no roles"));
  EXPECT_THAT(raised.err, HasSubstr("line: 2"));
  EXPECT_EQ(raised.out, "");
  EXPECT_EQ(run("template " + good + " -", "{\"a\":").code, 2);
  EXPECT_EQ(run("template " + good + " -", "[1]").code, 2);
  EXPECT_EQ(run("template " + good + " /nowhere.json").code, 3);
  EXPECT_EQ(run("template /nowhere.jinja -", "{}").code, 3);
}

TEST_F(Terminal, AnEmptyLibraryListsNothing) {
  const Outcome outcome = run("list");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("import"));
  EXPECT_EQ(run("list --json").out, "[]\n");
}

TEST_F(Terminal, DoctorMeasures) {
  const Outcome outcome = run("doctor");
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  for (const char* word : {"CPU", "kernels", "GB/s", "multiply-adds/s", "memory", "GPU", "data", "free"}) EXPECT_THAT(outcome.out, HasSubstr(word));
  const auto json = boost::json::parse(run("doctor --json").out);
  EXPECT_GT(json.at("read_gb_s").to_number<double>(), 0);
  EXPECT_GT(json.at("int8_gmac_s").to_number<double>(), 0);
  EXPECT_EQ(json.at("disk").at("writable"), true);
}

TEST_F(TerminalWithModel, TokenizeGivesTheReferenceIds) {
  const std::string text = "Hello, Wörld!<|im_end|>";  // ids: Hugging Face's tokenizer of this model
  const Outcome json = run("tokenize " + m_model + " --json", text);
  EXPECT_EQ(json.code, 0) << json.err;
  EXPECT_EQ(json.out, "[19556,28,408,29989,400,17,2]\n");
  EXPECT_EQ(run("tokenize " + m_model + " --no-special --json", text).out, json.out) << "this model adds none";
  EXPECT_EQ(run("tokenize " + m_model, text).out, "19556\n28\n408\n29989\n400\n17\n2\n");
  EXPECT_EQ(run("tokenize " + m_model + " --json", "").out, "[]\n");
}

TEST_F(TerminalWithModel, TemplateOfAModel) {
  const Outcome outcome = run("template " + m_model + " -", R"({"messages":[{"role":"system","content":"S"},{"role":"user","content":"U"}],"add_generation_prompt":true})");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n");
}

TEST_F(TerminalWithModel, ShowListImport) {
  const Outcome imported = run("import " + m_model);
  EXPECT_EQ(imported.code, 0) << imported.err;
  EXPECT_EQ(imported.out, "smollm2-135m-instruct-q4_1\n");
  EXPECT_THAT(run("list").out, HasSubstr("smollm2-135m-instruct-q4_1"));
  const auto list = boost::json::parse(run("list --json").out);
  ASSERT_EQ(list.as_array().size(), 1U);
  EXPECT_EQ(list.at(0).at("config").at("architecture"), "llama");
  const auto shown = boost::json::parse(run("show smollm2 --json").out);
  EXPECT_EQ(shown.at("config").at("layers"), 30);
  EXPECT_GT(shown.at("memory_bytes").to_number<double>(), 50e6);
  EXPECT_TRUE(shown.at("metadata").as_object().contains("tokenizer.chat_template"));
  EXPECT_THAT(run("show smollm2").out, HasSubstr("30 layers"));
  // Imported, not downloaded: nobody said what its sum is.
  const Outcome verified = run("verify smollm2");
  EXPECT_EQ(verified.code, 0) << verified.err;
  EXPECT_THAT(verified.out, StartsWith("no sum known  "));
  EXPECT_EQ(run("verify nothing").code, 3);
}

TEST_F(TerminalWithModel, PerplexityIsPlausibleAndRepeats) {
  std::string text;
  for (int i = 0; i < 3; ++i) text += "The sun rises in the east and sets in the west. Water boils at one hundred degrees Celsius at sea level. ";
  const std::string file = quoted(write("text.txt", text));
  const Outcome first = run("perplexity " + m_model + " " + file + " --context 32 --json");
  ASSERT_EQ(first.code, 0) << first.err;
  const auto result = boost::json::parse(first.out);
  EXPECT_GT(result.at("perplexity").to_number<double>(), 1.5);
  EXPECT_LT(result.at("perplexity").to_number<double>(), 60);
  EXPECT_GE(result.at("tokens").as_int64(), 62);
  EXPECT_EQ(run("perplexity " + m_model + " " + file + " --context 32 --json").out, first.out);
  EXPECT_EQ(run("perplexity " + m_model + " '" + write("empty.txt", "").string() + "'").code, 2);
}

TEST_F(TerminalWithModel, BenchGivesTheAgreedJson) {
  const Outcome outcome = run("bench " + m_model + " --prefill 32 --decode 8 --batch 1,3 --json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto result = boost::json::parse(outcome.out);
  EXPECT_EQ(result.at("prefill").at(0).at("tokens"), 32);
  EXPECT_GT(result.at("prefill").at(0).at("tok_s").to_number<double>(), 0);
  EXPECT_GT(result.at("decode").at(0).at("tok_s").to_number<double>(), 0);
  EXPECT_EQ(result.at("batched").at(1).at("sequences"), 3);
  EXPECT_GT(result.at("batched").at(1).at("decode_tok_s").to_number<double>(), 0);
  EXPECT_GT(result.at("batched").at(1).at("prefill_tok_s").to_number<double>(), 0);
  EXPECT_GT(result.at("roof").at("read_gb_s").to_number<double>(), 0);
  EXPECT_GT(result.at("roof").at("int8_gmac_s").to_number<double>(), 0);
}

TEST_F(TerminalWithModel, BenchMeasuresOnlyTheNamedParts) {
  const Outcome outcome = run("bench " + m_model + " --parts decode,batched --context 40,5 --decode 6 --batch 2 --batch-prompt 33 --json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto result = boost::json::parse(outcome.out);
  EXPECT_TRUE(result.at("prefill").as_array().empty());
  EXPECT_EQ(result.at("decode").at(0).at("context"), 40);
  EXPECT_GT(result.at("decode").at(1).at("tok_s").to_number<double>(), 0);
  EXPECT_EQ(result.at("batched").as_array().size(), 1U);
  EXPECT_EQ(run("bench " + m_model + " --parts prefil").code, 2);
  // Prompts that take more steps than there are tokens to decode: the decode rate is still one of all sequences together.
  const Outcome crowd = run("bench " + m_model + " --parts batched --decode 2 --batch 12 --batch-prompt 100 --json");
  ASSERT_EQ(crowd.code, 0) << crowd.err;
  EXPECT_GT(boost::json::parse(crowd.out).at("batched").at(0).at("decode_tok_s").to_number<double>(), 0);
}

TEST_F(TerminalWithModel, RunPrintsJustTheReply) {
  const Outcome first = run("run " + m_model + " 'What color is the sky?' --temperature 0 --max-tokens 12");
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("blue")) << "small as it is, the model knows this one with any kernels";
  EXPECT_THAT(first.out, testing::EndsWith("\n"));
  EXPECT_THAT(first.out, testing::Not(HasSubstr("<|im_")));
  EXPECT_THAT(first.out, testing::Not(HasSubstr("tok/s")));
  EXPECT_THAT(first.err, HasSubstr("tok/s"));
  EXPECT_THAT(first.err, HasSubstr("first token"));
  const Outcome piped = run("run " + m_model + " - --temperature 0 --max-tokens 12 --quiet", "What color is the sky?\n");
  EXPECT_EQ(piped.out, first.out);
  EXPECT_EQ(piped.err, "");
}

TEST_F(TerminalWithModel, SpeculationIsSeenAndChangesNothing) {
  const std::string question = " 'Repeat this word thirty times: lighthouse lighthouse lighthouse lighthouse lighthouse' --temperature 0 --max-tokens 60";
  const Outcome with = run("run " + m_model + question);
  const Outcome without = run("run " + m_model + question + " --speculation off");
  ASSERT_EQ(with.code, 0) << with.err;
  EXPECT_EQ(with.out, without.out);
  EXPECT_THAT(with.err, HasSubstr("guesses right"));
  EXPECT_THAT(without.err, testing::Not(HasSubstr("guesses")));
}

TEST_F(TerminalWithModel, RunHoldsAConversation) {
  const Outcome outcome = run("run " + m_model + " --temperature 0 --max-tokens 8", "Say hello.\n\nAgain.\n/clear\n/exit\nnever asked\n");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  std::size_t replies = 0;
  for (std::size_t at = 0; (at = outcome.err.find("tok/s", at)) != std::string::npos; ++at) ++replies;
  EXPECT_EQ(replies, 2U) << outcome.err;
}

TEST_F(TerminalWithModel, ALimitOnFileSizesIsAFullDiskAndNotTheEndOfTheProcess) {
  ASSERT_EQ(run("list").code, 0);
  write("in", "");
  const int status = std::system(("ulimit -f 4000; " + shellCommand("import " + m_model)).c_str());  // blocks of 512 bytes
  EXPECT_EQ(codeOf(status), 5) << slurp(m_folder / "err");
  EXPECT_THAT(slurp(m_folder / "err"), HasSubstr("path: "));
  const Outcome list = run("list --json");
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_EQ(list.out, "[]\n") << "half a copy is no model";
}

TEST_F(TerminalWithModel, TheContextCanBeChosenAndIsNeverMoreThanTheModelHas) {
  std::string words;
  for (int i = 0; i < 600; ++i) words += "word ";
  const Outcome small = run("run " + m_model + " '" + words + "' --context 512 --max-tokens 2 --quiet");
  EXPECT_EQ(small.code, 1);
  EXPECT_THAT(small.err, HasSubstr("context_tokens: 512"));
  const Outcome large = run("run " + m_model + " '" + words + "' --context 100000 --max-tokens 2 --quiet");
  EXPECT_EQ(large.code, 0) << large.err;
  EXPECT_EQ(run("serve --context 12").code, 2);
}

TEST_F(TerminalWithModel, CtrlCStopsTheReply) {
  const Outcome outcome = signalled("run " + m_model + " 'Write a very long story about a lighthouse.' --temperature 0", SIGINT);
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("tok/s")) << "it stopped in order";
}

TEST_F(TerminalWithModel, ServeSaysWhereAndStopsOnSignals) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const Outcome outcome = signalled("serve --port 0 --model " + m_model, signal);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, testing::MatchesRegex("listening on http://127.0.0.1:[0-9]+\n")) << outcome.err;
  }
}

}  // namespace
