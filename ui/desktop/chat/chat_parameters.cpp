#include "ui/desktop/chat/chat_parameters.h"

#include <QJsonDocument>
#include <QJsonObject>

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

void readNumber(const QJsonObject& object, QLatin1StringView key, double low, double high, auto& target) {
  const QJsonValue value = object.value(key);
  if (!value.isDouble() || value.toDouble() < low || value.toDouble() > high) return;
  target = static_cast<std::remove_reference_t<decltype(target)>>(value.toDouble());
}

}  // namespace

ChatParameters ChatParameters::fromJson(const std::string& json) {
  ChatParameters parameters;
  const QJsonObject object = QJsonDocument::fromJson(QByteArray::fromStdString(json)).object();
  readNumber(object, "temperature"_L1, 0, 5, parameters.temperature);
  readNumber(object, "top_p"_L1, 0, 1, parameters.topP);
  readNumber(object, "top_k"_L1, 0, 1'000'000, parameters.topK);
  readNumber(object, "min_p"_L1, 0, 1, parameters.minP);
  readNumber(object, "max_tokens"_L1, -1, 10'000'000, parameters.maxTokens);
  // As text: a JSON number would lose digits above 2^53.
  bool ok = false;
  const qulonglong seed = object.value("seed"_L1).toString().toULongLong(&ok);
  if (ok) parameters.seed = seed;
  return parameters;
}

std::string ChatParameters::toJson() const {
  const ChatParameters defaults;
  QJsonObject object;
  if (temperature != defaults.temperature) object.insert("temperature"_L1, temperature);
  if (topP != defaults.topP) object.insert("top_p"_L1, topP);
  if (topK != defaults.topK) object.insert("top_k"_L1, topK);
  if (minP != defaults.minP) object.insert("min_p"_L1, minP);
  if (maxTokens != defaults.maxTokens) object.insert("max_tokens"_L1, maxTokens);
  if (seed) object.insert("seed"_L1, QString::number(*seed));
  return QJsonDocument(object).toJson(QJsonDocument::Compact).toStdString();
}

SendOptions ChatParameters::sendOptions(const QString& model) const {
  SendOptions options;
  options.model = model.toStdString();
  options.sampling.temperature = temperature;
  options.sampling.topP = topP;
  options.sampling.topK = topK;
  options.sampling.minP = minP;
  options.sampling.seed = seed;
  options.maxTokens = maxTokens;
  return options;
}

}  // namespace hearth::ui
