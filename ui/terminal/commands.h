#pragma once

#include <string>
#include <vector>

#include "core/engine/request.h"
#include "kernels/quant/format.h"
#include "ui/terminal/common.h"

namespace hearth::terminal {

struct RunOptions {
  std::string model, prompt, system;
  bool hasPrompt = false;
  SamplingParams sampling;
  long long seed = -1;
  int maxTokens = -1;
  std::vector<std::string> stop;
  bool quiet = false;
};
/// One reply, or a conversation when there is no prompt.
int commandRun(const GlobalOptions& global, const RunOptions& options);

struct ServeOptions {
  std::string host = "127.0.0.1", model;
  int port = 11435;
  bool showCurl = false;
  bool lan = false, requireKey = false;
  std::vector<std::string> names;
  std::string certificate, key;
  int connectionsPerAddress = 256;
};
int commandServe(const GlobalOptions& global, const ServeOptions& options);

int commandList(const GlobalOptions& global, bool json);
int commandShow(const GlobalOptions& global, const std::string& model, bool json);
/// A further name for a model; nothing is copied on the disk.
int commandCopy(const GlobalOptions& global, const std::string& source, const std::string& name);
/// Takes names away, and a file of ours with its last one.
int commandRemove(const GlobalOptions& global, const std::vector<std::string>& names, bool forGood);
/// Reads the model's files anew and compares their sums with those that were downloaded.
int commandVerify(const GlobalOptions& global, const std::string& model, bool json);
int commandImport(const GlobalOptions& global, const std::string& path);
/// Fetches what `reference` means (see parseModelReference) and prints the model's name.
int commandPull(const GlobalOptions& global, const std::string& reference);

struct SearchOptions {
  std::string words, hub = "huggingface";
  int most = 20;
  bool json = false;
};
int commandSearch(const GlobalOptions& global, const SearchOptions& options);

struct ConvertCommandOptions {
  std::string source, target;
  kernels::FormatId type = kernels::FormatId::F16;
};
int commandConvert(const ConvertCommandOptions& options);

struct EmbedOptions {
  std::string model;
  std::vector<std::string> texts;
  int dimensions = 0;
  bool split = false;
};
/// The texts' embeddings, a JSON array a line.
int commandEmbed(const GlobalOptions& global, const EmbedOptions& options);

struct TokenizeOptions {
  std::string model;
  bool json = false, noSpecial = false, plain = false;
};
int commandTokenize(const GlobalOptions& global, const TokenizeOptions& options);
int commandTemplate(const GlobalOptions& global, const std::string& source, const std::string& contextFile);

struct PerplexityOptions {
  std::string model, file;
  int context = 512;
  bool json = false;
};
int commandPerplexity(const GlobalOptions& global, const PerplexityOptions& options);

struct BenchOptions {
  std::string model;
  std::vector<std::string> parts{"prefill", "decode", "batched"};
  std::vector<int> prefill{512}, context{0}, batch{1, 8, 32};
  int decode = 128, batchPrompt = 64, rounds = 1;
  bool json = false;
};
int commandBench(const GlobalOptions& global, const BenchOptions& options);

int commandDoctor(const GlobalOptions& global, bool json);

}  // namespace hearth::terminal
