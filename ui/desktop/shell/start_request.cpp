#include "ui/desktop/shell/start_request.h"

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QUrl>

#include <algorithm>

#include "core/library/hub.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype kMostOpen = 256;
constexpr qsizetype kMostText = 4096;
constexpr qsizetype kMostLink = 512;

auto notUsable(const QString& what) {
  return fail(ErrorCode::InvalidArgument, "not a link or file that Hearth can open",
              {{"value", what.left(kMostLink).toStdString()}, {"allowed", "hearth://model/…, hearth://chat/…, *.gguf"}});
}

Result<Opening> openModel(const QString& rest, const QString& link) {
  if (rest.contains("://"_L1)) return notUsable(link);
  const auto reference = parseModelReference(rest.toStdString());
  if (!reference || !reference->url.empty()) return notUsable(link);
  return Opening{Opening::Kind::Model, rest, 0};
}

Result<Opening> openChat(const QString& rest, const QString& link) {
  bool number = false;
  const qint64 id = rest.toLongLong(&number);
  if (!number || id <= 0 || rest != QString::number(id)) return notUsable(link);
  return Opening{Opening::Kind::Chat, {}, id};
}

/// What may stand behind hearth://. A new kind is a line here and its question in opener.cpp.
struct LinkKind {
  QLatin1StringView name;
  Result<Opening> (*parse)(const QString& rest, const QString& link);
};
constexpr LinkKind kLinkKinds[] = {{"model"_L1, openModel}, {"chat"_L1, openChat}};

Result<Opening> parseLink(const QString& link) {
  // Printable ASCII without spaces and quotes: what stands in a question must be what is meant.
  const bool plain = std::ranges::all_of(link, [](QChar c) { return c > u' ' && c < u'\x7f' && c != u'"' && c != u'\'' && c != u'<' && c != u'>'; });
  if (!plain || link.size() > kMostLink || link.contains(u'%') || link.contains(u'?') || link.contains(u'#')) return notUsable(link);
  const QString body = link.mid("hearth://"_L1.size());
  const qsizetype slash = body.indexOf(u'/');
  if (slash <= 0 || slash + 1 == body.size()) return notUsable(link);
  for (const LinkKind& kind : kLinkKinds) {
    if (body.left(slash).compare(kind.name, Qt::CaseInsensitive) == 0) return kind.parse(body.mid(slash + 1), link);
  }
  return notUsable(link);
}

}  // namespace

QByteArray StartRequest::toLine() const {
  QJsonObject object{{u"version"_s, 1}, {u"open"_s, QJsonArray::fromStringList(open)}};
  if (!page.isEmpty()) object.insert(u"page"_s, page);
  if (!activationToken.isEmpty()) object.insert(u"activation_token"_s, activationToken);
  if (background) object.insert(u"background"_s, true);
  return QJsonDocument(object).toJson(QJsonDocument::Compact) + '\n';
}

Result<StartRequest> StartRequest::fromLine(const QByteArray& line) {
  QJsonParseError problem;
  const QJsonDocument document = line.size() > kMostBytes ? QJsonDocument() : QJsonDocument::fromJson(line, &problem);
  if (!document.isObject()) return fail(ErrorCode::InvalidArgument, "not a request of a start of Hearth");
  const QJsonObject object = document.object();
  // Later versions may ask for more: what is known is done.
  StartRequest request;
  for (const QJsonValue& each : object.value("open"_L1).toArray()) {
    const QString text = each.toString();
    if (!text.isEmpty() && text.size() <= kMostText && request.open.size() < kMostOpen) request.open << text;
  }
  request.page = object.value("page"_L1).toString().left(32);
  request.activationToken = object.value("activation_token"_L1).toString().left(512);
  request.background = object.value("background"_L1).toBool();
  return request;
}

Result<Opening> parseOpening(const QString& argument, const QString& folder) {
  if (argument.startsWith("hearth:"_L1, Qt::CaseInsensitive)) {
    return argument.startsWith("hearth://"_L1, Qt::CaseInsensitive) ? parseLink(argument) : notUsable(argument);
  }
  QString path = argument;
  if (argument.startsWith("file:"_L1, Qt::CaseInsensitive)) path = QUrl(argument).toLocalFile();
  if (path.isEmpty() || path.contains(QChar::Null) || !path.endsWith(".gguf"_L1, Qt::CaseInsensitive)) return notUsable(argument);
  return Opening{Opening::Kind::File, QDir::cleanPath(QDir(folder).absoluteFilePath(path)), 0};
}

}  // namespace hearth::ui
