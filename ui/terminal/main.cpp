#include <CLI/CLI.hpp>

#include <exception>

#include "core/base/log.h"
#include "core/base/platform/termination.h"
#include "core/host/host.h"
#include "ui/terminal/chat_commands.h"
#include "ui/terminal/commands.h"
#include "ui/terminal/team_commands.h"

using namespace hearth::terminal;

namespace {

constexpr const char* kExitHelp =
    "Exit status: 0 done; 1 failed; 2 wrong arguments; 3 no such model, file, user or key; 4 the file cannot be used; 5 no room in\n"
    "memory or on the disk; 6 port or data folder in use; 130 interrupted.\n"
    "Results go to standard output, everything else to standard error. MODEL is a name (`hearth list`) or a path to a GGUF file.";

void addSampling(CLI::App& app, RunOptions& o) {
  auto& s = o.sampling;
  app.add_option("--temperature", s.temperature, "0 = always the likeliest token")->check(CLI::Range(0.0, 100.0))->capture_default_str();
  app.add_option("--top-k", s.topK, "0 = off")->check(CLI::Range(0, 1 << 20))->capture_default_str();
  app.add_option("--top-p", s.topP, "1 = off")->check(CLI::Range(0.0, 1.0))->capture_default_str();
  app.add_option("--min-p", s.minP, "0 = off")->check(CLI::Range(0.0, 1.0))->capture_default_str();
  app.add_option("--repetition-penalty", s.repetitionPenalty, "1 = off")->check(CLI::Range(0.01, 10.0))->capture_default_str();
  app.add_option("--seed", o.seed, "the same seed gives the same reply")->check(CLI::NonNegativeNumber);
  app.add_option("--max-tokens", o.maxTokens, "longest reply")->check(CLI::PositiveNumber);
  app.add_option("--stop", o.stop, "end the reply before this text (may be given again)");
}

void addSpeculation(CLI::App& app, GlobalOptions& o, const char* otherwise) {
  app.add_option("--speculation", o.speculation,
                 std::string("guess tokens ahead from the text so far; never changes the reply (default: ") + otherwise + ")")
      ->transform(CLI::CheckedTransformer(std::map<std::string, hearth::Speculation>{{"off", hearth::Speculation::Off}, {"lookup", hearth::Speculation::Lookup}}));
  app.add_option("--draft", o.draft, "a small MODEL of the same vocabulary that guesses tokens ahead; never changes the reply");
}

int runMain(int argc, char** argv) {
  GlobalOptions global;
  CLI::App app{"Hearth: language models on your own machine"};
  app.footer(kExitHelp);
  app.set_version_flag("--version", std::string("hearth ") + hearth::versionString());
  app.add_option("--data-dir", global.dataDir, "data folder (default: $HEARTH_HOME, else ~/.local/share/hearth)");
  app.add_option("--threads", global.threads, "compute threads (default: physical cores)")->check(CLI::Range(1, 512));
  std::string kvType;
  app.add_option("--kv-type", kvType, "KV cache of run, serve, perplexity and bench: f16, or q8_0 (half the memory, a little less exact)")
      ->check(CLI::IsMember({"f16", "q8_0"}))
      ->each([&](const std::string& name) { global.kvType = hearth::kvTypeNamed(name); });
  app.add_flag("--verbose", global.verbose, "log to standard error");
  app.require_subcommand(1);
  app.fallthrough();

  int status = kExitDone;
  const auto command = [&](const char* name, const char* help) {
    CLI::App* sub = app.add_subcommand(name, help);
    sub->footer(kExitHelp);
    return sub;
  };

  RunOptions run;
  auto* runApp = command("run", "Chat with a model, or answer one prompt and exit");
  runApp->add_option("MODEL", run.model)->required();
  auto* promptOption = runApp->add_option("PROMPT", run.prompt, "`-` reads it from standard input; none starts a conversation");
  runApp->add_option("--system", run.system, "system prompt");
  const auto addContext = [&](CLI::App* sub) {
    sub->add_option("--context", global.contextTokens, "longest conversation in tokens (default: up to 8192, less where memory is short)")
        ->check(CLI::Range(512, 1 << 24));
  };
  addContext(runApp);
  runApp->add_flag("--quiet", run.quiet, "no statistics after the reply");
  addSampling(*runApp, run);
  addSpeculation(*runApp, global, "as set, else lookup");
  runApp->callback([&] {
    run.hasPrompt = promptOption->count() > 0;
    status = commandRun(global, run);
  });

  ServeOptions serve;
  auto* serveApp = command("serve", "Start the HTTP server; prints its address as the first line");
  serveApp->add_option("--host", serve.host, "address to listen on (loopback)")->capture_default_str();
  serveApp->add_option("--port", serve.port, "0 picks a free one")->check(CLI::Range(0, 65535))->capture_default_str();
  serveApp->add_option("--model", serve.model, "load this one at start, and use it where a request names none");
  auto* lanFlag = serveApp->add_flag("--lan", serve.lan, "share it: listen on every interface, with TLS, for members with a key or a session only");
  lanFlag->excludes("--host");
  serveApp->add_flag("--require-key", serve.requireKey, "let nobody in without a key or a session, this machine's own user neither");
  serveApp->add_option("--name", serve.names, "a further name or address that clients use for this machine (repeatable)");
  auto* certFlag = serveApp->add_option("--tls-cert", serve.certificate, "a certificate of your own (PEM, chain after it); followed when it changes");
  auto* keyFlag = serveApp->add_option("--tls-key", serve.key, "its private key (PEM)");
  certFlag->needs(keyFlag);
  keyFlag->needs(certFlag);
  serveApp->add_option("--connections-per-address", serve.connectionsPerAddress, "with --lan, from one client; 0: no limit")
      ->check(CLI::Range(0, 65535))->capture_default_str();
  addContext(serveApp);
  serveApp->add_flag("--show-curl", serve.showCurl, "print a curl command to try it with (on standard error)");
  addSpeculation(*serveApp, global, "as set, else lookup");
  serveApp->get_option("--draft")->needs("--model");
  serveApp->callback([&] { status = commandServe(global, serve); });

  bool json = false;
  std::string model, path;
  auto* listApp = command("list", "List the models on this machine");
  listApp->add_flag("--json", json);
  listApp->callback([&] { status = commandList(global, json); });

  auto* showApp = command("show", "Show what is in a model's file and what it needs");
  showApp->add_option("MODEL", model)->required();
  showApp->add_flag("--json", json);
  showApp->callback([&] { status = commandShow(global, model, json); });

  auto* verifyApp = command("verify", "Read a model's files anew and compare their sums with those that were downloaded");
  verifyApp->add_option("MODEL", model)->required();
  verifyApp->add_flag("--json", json);
  verifyApp->callback([&] { status = commandVerify(global, model, json); });

  auto* importApp = command("import", "Check a GGUF file and copy it into the data folder");
  importApp->add_option("PATH", path)->required();
  importApp->callback([&] { status = commandImport(global, path); });

  std::string newName;
  auto* copyApp = command("cp", "Give a model a further name; nothing is copied on the disk");
  copyApp->add_option("MODEL", model)->required();
  copyApp->add_option("NAME", newName)->required();
  copyApp->callback([&] { status = commandCopy(global, model, newName); });

  std::vector<std::string> names;
  bool forGood = false;
  auto* removeApp = command("rm", "Take back names of models; with the last name of a file in the data folder the file goes to the trash for a week");
  removeApp->add_option("MODEL", names)->required();
  removeApp->add_flag("--for-good", forGood, "delete the file at once instead");
  removeApp->callback([&] { status = commandRemove(global, names, forGood); });

  std::string reference;
  auto* pullApp = command("pull", "Download a model, check it, and print its name");
  pullApp->add_option("MODEL", reference, "owner/name, owner/name:Q4_K_M, ollama:llama3.2:1b, modelscope:owner/name, or the address of a page or a GGUF file")->required();
  pullApp->callback([&] { status = commandPull(global, reference); });

  SearchOptions search;
  std::vector<std::string> searchWords;
  auto* searchApp = command("search", "Look for GGUF models on a hub");
  searchApp->add_option("WORDS", searchWords)->required();
  searchApp->add_option("--hub", search.hub, "huggingface or modelscope")->check(CLI::IsMember({"huggingface", "modelscope"}))->capture_default_str();
  searchApp->add_option("--most", search.most, "lines")->check(CLI::Range(1, 100))->capture_default_str();
  searchApp->add_flag("--json", search.json);
  searchApp->callback([&] {
    for (const std::string& word : searchWords) search.words += (search.words.empty() ? "" : " ") + word;
    status = commandSearch(global, search);
  });

  ConvertCommandOptions convert;
  auto* convertApp = command("convert", "Turn a model in the Hugging Face layout into one GGUF file");
  convertApp->add_option("SOURCE", convert.source, "its folder (config.json, tokenizer, model.safetensors) or its .safetensors file")->required();
  convertApp->add_option("OUT", convert.target, "the GGUF file to write")->required();
  convertApp->add_option("--type", convert.type, "of the weights: f32, f16 (default), or q8_0")
      ->transform(CLI::CheckedTransformer(std::map<std::string, hearth::kernels::FormatId>{{"f32", hearth::kernels::FormatId::F32},
                                                                                           {"f16", hearth::kernels::FormatId::F16},
                                                                                           {"q8_0", hearth::kernels::FormatId::Q8_0}}));
  convertApp->callback([&] { status = commandConvert(convert); });

  EmbedOptions embed;
  auto* embedApp = command("embed", "Turn texts into embeddings: one JSON array of numbers a line, of length 1");
  embedApp->add_option("MODEL", embed.model)->required();
  embedApp->add_option("TEXT", embed.texts, "`-` reads one from standard input")->required();
  embedApp->add_option("--dimensions", embed.dimensions, "only the first so many")->check(CLI::Range(1, 1 << 17));
  embedApp->add_flag("--split", embed.split, "cut texts that are longer than the model's context, instead of refusing them");
  embedApp->callback([&] { status = commandEmbed(global, embed); });

  TokenizeOptions tokenize;
  auto* tokenizeApp = command("tokenize", "Turn standard input into token ids");
  tokenizeApp->add_option("MODEL", tokenize.model)->required();
  tokenizeApp->add_flag("--json", tokenize.json, "one JSON array");
  tokenizeApp->add_flag("--no-special", tokenize.noSpecial, "add no BOS/EOS");
  tokenizeApp->add_flag("--plain", tokenize.plain, "read <|names|> of control tokens as plain text");
  tokenizeApp->callback([&] { status = commandTokenize(global, tokenize); });

  std::string context;
  auto* templateApp = command("template", "Render a chat template");
  templateApp->add_option("SOURCE", model, "MODEL or FILE.jinja")->required();
  templateApp->add_option("CONTEXT", context, "JSON file with the template's variables; `-` reads standard input")->required();
  templateApp->callback([&] { status = commandTemplate(global, model, context); });

  PerplexityOptions perplexity;
  auto* perplexityApp = command("perplexity", "How well a model predicts a text (lower is better)");
  perplexityApp->add_option("MODEL", perplexity.model)->required();
  perplexityApp->add_option("FILE", perplexity.file, "UTF-8 text")->required();
  perplexityApp->add_option("--context", perplexity.context, "tokens of a window")->check(CLI::Range(2, 1 << 20))->capture_default_str();
  perplexityApp->add_flag("--json", perplexity.json);
  perplexityApp->callback([&] { status = commandPerplexity(global, perplexity); });

  BenchOptions bench;
  auto* benchApp = command("bench", "Measure prefill, decode and batched decode, beside what the machine can do at best");
  benchApp->add_option("MODEL", bench.model)->required();
  benchApp->add_option("--parts", bench.parts, "what to measure")->delimiter(',')->check(CLI::IsMember({"prefill", "decode", "batched"}))->capture_default_str();
  benchApp->add_option("--prefill", bench.prefill, "prompt lengths")->delimiter(',')->check(CLI::Range(1, 1 << 20))->capture_default_str();
  benchApp->add_option("--decode", bench.decode, "tokens to generate")->check(CLI::Range(2, 1 << 20))->capture_default_str();
  benchApp->add_option("--context", bench.context, "tokens already there when decoding starts")->delimiter(',')->check(CLI::Range(0, 1 << 20))->capture_default_str();
  benchApp->add_option("--batch", bench.batch, "numbers of sequences at once; 0 leaves this part out")->delimiter(',')->check(CLI::Range(0, 1024))->capture_default_str();
  benchApp->add_option("--batch-prompt", bench.batchPrompt, "prompt tokens of each of these sequences")->check(CLI::Range(1, 1 << 20))->capture_default_str();
  benchApp->add_option("--rounds", bench.rounds, "the best of so many rounds is given")->check(CLI::Range(1, 100))->capture_default_str();
  addSpeculation(*benchApp, global, "off");
  benchApp->add_flag("--json", bench.json);
  benchApp->callback([&] { status = commandBench(global, bench); });

  auto* doctorApp = command("doctor", "Look at this machine: CPU, memory, GPU, disk, and how fast they are");
  doctorApp->add_flag("--json", json);
  doctorApp->callback([&] { status = commandDoctor(global, json); });

  addTeamCommands(app, global, status);
  addRecordCommands(app, global, status);
  addChatCommands(app, global, status);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    const int code = app.exit(problem);
    return code == 0 ? kExitDone : kExitUsage;
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  hearth::platform::ignoreWriteSignals();
  try {
    return runMain(argc, argv);
  } catch (const std::exception& problem) {
    say(std::string("hearth: unexpected failure: ") + problem.what());
    return kExitFailed;
  }
}
