// A tool for tests/conformance/schema_samples.py: answers to JSON schemas, one schema a line on standard input.
//   sample_shapes walk MODEL.gguf [MOST]   a token drawn evenly from the mask each time; only the vocabulary is read
//   sample_shapes model MODEL.gguf [MOST]  the model's own, at temperature 1.5
// Prints a JSON object a line, in order: {"text": …, "finished": …} or {"error": …, "field": …}.
#include <fmt/format.h>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <condition_variable>
#include <iostream>
#include <map>
#include <mutex>
#include <random>

#include "core/engine/engine_pool.h"
#include "core/formats/gguf.h"
#include "core/text/grammar/token_grammar.h"

namespace {

using namespace hearth;

void print(std::string_view text, bool finished) {
  fmt::print("{}\n", boost::json::serialize(boost::json::object{{"text", text}, {"finished", finished}}));
}
void print(const Error& error) {
  fmt::print("{}\n", boost::json::serialize(boost::json::object{{"error", error.message}, {"field", error.find("field")}}));
}

Result<GrammarPtr> compiled(const std::string& line) {
  OutputShape shape;
  shape.kind = OutputShape::Kind::JsonSchema;
  shape.text = line;
  return compileShape(shape, "schema");
}

/// From `patience` tokens on, whatever closes something is taken first: walks end.
void walk(const std::shared_ptr<const TokenGrammar>& grammar, const Tokenizer& tokenizer, int most, std::mt19937& random) {
  GrammarMatcher matcher(grammar);
  TokenMask mask = matcher.emptyMask();
  std::string text;
  for (int step = 0; step < most; ++step) {
    if (auto made = matcher.mask(mask); !made) return print(made.error());
    std::vector<TokenId> allowed, closing;
    bool end = false;
    for (TokenId token = 0; token < tokenizer.vocabularySize(); ++token) {
      if (!mask.test(token)) continue;
      end = end || tokenizer.isEndOfGeneration(token);
      allowed.push_back(token);
      const auto bytes = tokenizer.bytes(token);
      if (bytes == "\"" || bytes == "}" || bytes == "]" || bytes == ":" || bytes == ",") closing.push_back(token);
    }
    if (allowed.empty()) return print(Error{ErrorCode::Internal, "an empty mask behind " + text, {}});
    const bool late = step > most / 4;
    if (end && (late || random() % 2 == 0)) return print(text, true);
    const auto& from = late && !closing.empty() && random() % 8 != 0 ? closing : allowed;
    const TokenId token = from[random() % from.size()];
    if (tokenizer.isEndOfGeneration(token)) return print(text, true);
    if (!matcher.accept(token))
      return print(Error{ErrorCode::Internal, "the mask had what the grammar has not, behind " + text, {}});
    text += tokenizer.bytes(token);
  }
  print(text, false);
}

int walkAll(const char* path, int most) {
  const auto file = GgufFile::open(path);
  if (!file) return 2;
  const auto tokenizer = Tokenizer::fromGguf(*file);
  if (!tokenizer) return 2;
  const auto trie = TokenTrie::build(**tokenizer);
  std::mt19937 random(11);
  for (std::string line; std::getline(std::cin, line);) {
    const auto grammar = compiled(line);
    if (grammar) {
      walk(std::make_shared<const TokenGrammar>(*grammar, trie), **tokenizer, most, random);
    } else {
      print(grammar.error());
    }
  }
  return 0;
}

int sampleAll(const char* path, int most) {
  auto pool = EnginePool::create({});
  EngineOptions options;
  options.contextTokens = 1024;
  auto model = pool->load("model", path, options);
  if (!model) return 2;
  struct Answer {
    std::string text;
    std::optional<Error> error;
    bool finished = false, done = false;
  };
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::size_t, Answer> answers;
  std::size_t next = 0, printed = 0;
  const auto drain = [&](std::unique_lock<std::mutex>& lock, std::size_t atMost) {
    while (next - printed > atMost) {
      changed.wait(lock, [&] { return answers[printed].done; });
      const Answer& answer = answers[printed];
      answer.error ? print(*answer.error) : print(answer.text, answer.finished);
      answers.erase(printed++);
    }
  };
  for (std::string line; std::getline(std::cin, line);) {
    std::unique_lock lock(mutex);
    drain(lock, 15);
    const std::size_t id = next++;
    Answer& answer = answers[id];
    const auto grammar = compiled(line);
    EngineRequest request;
    if (!grammar) {
      answer.error = grammar.error();
      answer.done = true;
      continue;
    }
    request.prompt =
        (*model)->engine->tokenizer().encode("<|im_start|>user\nWrite a JSON value for this schema: " + line.substr(0, 600) +
                                             "<|im_end|>\n<|im_start|>assistant\n");
    request.grammar = *grammar;
    request.maxTokens = most;
    request.sampling.temperature = 1.5;
    request.sampling.topK = 0;
    request.sampling.topP = 1;
    request.sampling.minP = 0;
    request.sampling.seed = id;
    request.sink = [&, id](const EngineEvent& event) {
      const std::lock_guard inner(mutex);
      Answer& own = answers[id];
      own.text += event.text;
      if (event.kind == EngineEvent::Kind::Finished) {
        own.finished = event.reason == FinishReason::Stop;
        own.error = event.error;
        own.done = true;
        changed.notify_all();
      }
      return true;
    };
    lock.unlock();
    if (auto handle = (*model)->engine->submit(std::move(request)); !handle) {
      lock.lock();
      answers[id].error = handle.error();
      answers[id].done = true;
    }
  }
  std::unique_lock lock(mutex);
  drain(lock, 0);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const int most = argc > 3 ? std::atoi(argv[3]) : 400;
  return std::string_view(argv[1]) == "model" ? sampleAll(argv[2], most) : walkAll(argv[2], most);
}
