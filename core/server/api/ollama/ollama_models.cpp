#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "core/formats/gguf.h"
#include "core/server/api/common_fields.h"
#include "core/server/api/controllers.h"
#include "core/server/api/ollama/ollama_names_schema.h"
#include "core/server/api/ollama/ollama_schema.h"
#include "core/server/api/ollama/ollama_writer.h"
#include "core/server/api/start_call.h"
#include "core/server/json_text.h"

namespace hearth::api {
namespace json = boost::json;

namespace {

/// The level of Ollama's API that is spoken here: clients switch features on by it.
constexpr std::string_view kOllamaVersion = "0.12.11";

/// Names this state of the file (id, size, time of change), as Ollama's digest does; it is not the content's hash, for that
/// would mean to read every model to its end.
std::string digestOf(const InstalledModel& model) {
  const std::string text = fmt::format("{}\n{}\n{}", model.id, model.fileBytes, model.modifiedMs);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
  return fmt::format("{:02x}", fmt::join(hash, ""));
}

std::string parameterSize(std::int64_t parameters) {
  if (parameters >= 1'000'000'000) return fmt::format("{:.1f}B", static_cast<double>(parameters) / 1e9);
  if (parameters >= 1'000'000) return fmt::format("{:.2f}M", static_cast<double>(parameters) / 1e6);
  return fmt::format("{:.2f}K", static_cast<double>(parameters) / 1e3);
}

std::string detailsJson(const InstalledModel& model) {
  const std::string family = jsonString(model.config->architecture);
  return fmt::format(
      R"({{"parent_model":{},"format":"gguf","family":{},"families":[{}],"parameter_size":"{}","quantization_level":{}}})",
      jsonString(model.parent), family, family, parameterSize(model.config->parameters), jsonString(model.config->quantisation));
}

/// "memory":{…}, what a load would take now; nothing where that cannot be said.
std::string memoryJson(const ApiContext& context, const InstalledModel& model) {
  const auto plan = context.pool.plan(model.poolId(), model.path, context.engineOptions ? context.engineOptions(model) : EngineOptions{});
  if (!plan || plan->devices.empty()) return {};
  const DeviceMemory& ram = plan->devices.front();
  return fmt::format(
      R"("memory":{{"needed_bytes":{},"weights_bytes":{},"kv_bytes":{},"compute_bytes":{},"context_tokens":{},"kv_type":"{}","free_after_unloads_bytes":{},"fits":{}}},)",
      ram.neededBytes, ram.parts.weights, ram.parts.kv, ram.parts.compute, plan->model.contextTokens, kernels::kvTypeName(plan->model.kvType),
      ram.freeAfterUnloads(), plan->fits());
}

void appendValue(std::string& out, const GgufValue& value, bool arrays) {
  if (const auto* number = std::get_if<std::int64_t>(&value))
    out += std::to_string(*number);
  else if (const auto* real = std::get_if<double>(&value))
    appendJsonNumber(out, *real);
  else if (const auto* flag = std::get_if<bool>(&value))
    out += *flag ? "true" : "false";
  else if (const auto* text = std::get_if<std::string_view>(&value))
    appendJsonString(out, *text);
  else if (!arrays)
    out += "null";
  else {
    out += '[';
    const auto all = [&](const auto& items, const auto& one) {
      for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += ',';
        one(items[i]);
      }
    };
    const auto& array = std::get<GgufArray>(value);
    if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&array))
      all(*numbers, [&](std::int64_t v) { out += std::to_string(v); });
    if (const auto* reals = std::get_if<std::vector<double>>(&array))
      all(*reals, [&](double v) { appendJsonNumber(out, v); });
    if (const auto* texts = std::get_if<std::vector<std::string_view>>(&array))
      all(*texts, [&](std::string_view v) { appendJsonString(out, v); });
    out += ']';
  }
}

/// What a model can do, as clients ask for it before they offer it to people.
std::string capabilitiesJson(const GgufFile& file, std::string_view chat) {
  if (file.architecture() == "bert" || file.architecture() == "nomic-bert") return R"(["embedding"])";
  std::string out = R"(["completion")";
  if (chat.find("tools") != std::string_view::npos) out += R"(,"tools")";
  if (file.find("tokenizer.ggml.fim_pre_token_id") != nullptr || file.find("tokenizer.ggml.prefix_token_id") != nullptr)
    out += R"(,"insert")";
  if (chat.find("enable_thinking") != std::string_view::npos || chat.find("<think>") != std::string_view::npos ||
      chat.find("reasoning_effort") != std::string_view::npos)
    out += R"(,"thinking")";
  return out + ']';
}

/// A preset's parameters as Ollama prints them, one in a line: `before`, its name, its value; several lines for several stops.
std::string parametersText(const ModelPreset& preset, std::string_view before) {
  std::string out;
  if (preset.parametersJson.empty()) return out;
  const json::value parameters = json::parse(preset.parametersJson);
  const auto add = [&](const auto& name, const json::value& value) {
    out += fmt::format("{}{:<30} {}\n", before, std::string_view(name.data(), name.size()),
                       value.is_double() ? fmt::format("{}", value.get_double()) : json::serialize(value));
  };
  for (const auto& [name, value] : parameters.as_object()) {
    if (!value.is_array()) {
      add(name, value);
      continue;
    }
    for (const json::value& item : value.get_array()) add(name, item);
  }
  return out;
}

/// What would make this model again from its parent.
std::string modelfileOf(const InstalledModel& model) {
  std::string out = fmt::format("FROM {}\n", model.parent.empty() ? model.poolId() : model.parent);
  const auto add = [&](std::string_view word, const std::string& text) {
    if (!text.empty()) out += fmt::format("{} \"\"\"{}\"\"\"\n", word, text);
  };
  add("TEMPLATE", model.preset.chatTemplate);
  add("SYSTEM", model.preset.system);
  out += parametersText(model.preset, "PARAMETER ");
  if (model.preset.messagesJson.empty()) return out;
  const json::value messages = json::parse(model.preset.messagesJson);
  for (const json::value& turn : messages.as_array())
    out += fmt::format("MESSAGE {} {}\n", view(turn.at("role").as_string()), view(turn.at("content").as_string()));
  return out;
}

void notDone(const http::ExchangePtr& exchange, std::string message) {
  ApiError error;
  error.code = "unsupported_operation";
  error.message = std::move(message);
  refuse(exchange, std::move(error));
}

void answer(const ApiContext& context, const http::ExchangePtr& exchange, ApiResult<OllamaCall> read, bool chat) {
  if (!read) return refuse(exchange, read.error());
  if (!read->loadOnly)
    return startCall(context, exchange, std::move(read->call), chat ? makeOllamaChatWriter : makeOllamaGenerateWriter);
  const auto model = findModel(context, exchange, read->call.request.model);
  if (!model) return;
  const auto respond = [exchange, id = model->id, chat](std::string_view reason) {
    http::Response response;
    response.body = ollamaLoadAnswer(id, reason, chat);
    exchange->respond(std::move(response));
  };
  const auto keep = read->call.keepAlive;
  if (keep && keep->count() == 0) {
    // As soon as nobody uses it: the model is everybody's.
    if (context.pool.find(model->poolId())) context.pool.keepFor(model->poolId(), *keep);
    return respond("unload");
  }
  withModel(context, exchange, *model, [&context, keep, respond](const LoadedModelPtr& loaded) {
    if (keep) context.pool.keepFor(loaded->id, *keep);
    respond("load");
  });
}

}  // namespace

void postOllamaChat(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  answer(context, exchange, parseOllamaChat(exchange->takeBody()), true);
}

void postOllamaGenerate(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  answer(context, exchange, parseOllamaGenerate(exchange->takeBody()), false);
}

void getOllamaVersion(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  http::Response response;
  response.body = fmt::format(R"({{"version":"{}","hearth":{}}})", kOllamaVersion, jsonString(context.version));
  exchange->respond(std::move(response));
}

void getOllamaTags(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  std::string body = R"({"models":[)";
  for (const InstalledModel& model : servedModels(context, *exchange)) {
    if (body.back() == '}') body += ',';
    const std::string name = jsonString(model.id);
    body += fmt::format(R"({{"name":{},"model":{},"modified_at":"{}","size":{},"digest":"{}","details":{}}})", name, name,
                        rfc3339(model.modifiedMs * 1'000'000), model.fileBytes, digestOf(model), detailsJson(model));
  }
  http::Response response;
  response.body = body + "]}";
  exchange->respond(std::move(response));
}

void getOllamaPs(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  const auto models = servedModels(context, *exchange);
  std::string body = R"({"models":[)";
  for (const ModelStatus& status : context.pool.statuses()) {
    auto model = std::ranges::find(models, status.id, &InstalledModel::id);
    if (model == models.end()) model = std::ranges::find(models, status.id, &InstalledModel::poolId);  // one of its names
    if (status.state != ModelState::Ready || model == models.end()) continue;
    const auto loaded = context.pool.find(status.id);
    if (body.back() == '}') body += ',';
    const std::string name = jsonString(model->id);
    // What stays for ever expires far away, as Ollama has it.
    const std::int64_t expires = status.unloadsInSeconds < 0
                                     ? std::int64_t{4'102'444'800}
                                     : static_cast<std::int64_t>(std::time(nullptr) + status.unloadsInSeconds);
    body += fmt::format(
        R"({{"name":{},"model":{},"size":{},"digest":"{}","details":{},"expires_at":"{}","size_vram":0,"context_length":{}}})",
        name, name, status.weightBytes + status.kvBytes, digestOf(*model), detailsJson(*model),
        rfc3339(expires * 1'000'000'000), loaded && loaded->engine ? loaded->engine->contextTokens() : 0);
  }
  http::Response response;
  response.body = body + "]}";
  exchange->respond(std::move(response));
}

void postOllamaShow(const ApiContext& context, http::ExchangePtr exchange, const Arguments&) {
  const auto asked = parseOllamaNames(ollamaShowSchema(), exchange->takeBody());
  if (!asked) return refuse(exchange, asked.error());
  const auto model = findModel(context, exchange, asked->model);
  if (!model) return;
  const auto file = GgufFile::open(model->path);
  if (!file) return refuse(exchange, fromError(file.error()));
  const ModelPreset& preset = model->preset;
  const std::string_view chat =
      preset.chatTemplate.empty() ? file->string("tokenizer.chat_template").value_or("") : std::string_view(preset.chatTemplate);
  std::string body = fmt::format(R"({{"license":{},"modelfile":{},"parameters":{},"template":{},)", jsonString(model->license),
                                 jsonString(modelfileOf(*model)), jsonString(parametersText(preset, {})), jsonString(chat));
  if (!preset.system.empty()) body += R"("system":)" + jsonString(preset.system) + ',';
  if (!preset.messagesJson.empty()) body += R"("messages":)" + preset.messagesJson + ',';
  body += fmt::format(R"("details":{},{}"model_info":{{)", detailsJson(*model), memoryJson(context, *model));
  bool first = true;
  for (const auto& [key, value] : file->metadata()) {
    if (key == "tokenizer.chat_template") continue;  // stands above
    if (!std::exchange(first, false)) body += ',';
    appendJsonString(body, key);
    body += ':';
    appendValue(body, value, asked->verbose);
  }
  body += fmt::format(R"({}"general.parameter_count":{}}},"capabilities":{},"modified_at":"{}"}})", first ? "" : ",",
                      model->config->parameters, capabilitiesJson(*file, chat), rfc3339(model->modifiedMs * 1'000'000));
  http::Response response;
  response.body = std::move(body);
  exchange->respond(std::move(response));
}

void postOllamaPush(const ApiContext&, http::ExchangePtr exchange, const Arguments&) {
  notDone(exchange, "push is not supported: this server publishes no models.");
}
void headOllamaBlob(const ApiContext&, http::ExchangePtr exchange, const Arguments&) {
  exchange->respond({404, {}, {}, {}});
}
void postOllamaBlob(const ApiContext&, http::ExchangePtr exchange, const Arguments&) {
  notDone(exchange, "blobs are not supported: whoever runs this server imports model files in Hearth's library.");
}

}  // namespace hearth::api
