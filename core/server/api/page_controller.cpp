#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "core/server/api/api_error.h"
#include "core/server/api/controllers.h"
#include "core/server/api/page_policy.h"
#include "core/server/page/page_files.h"

namespace hearth::api {
namespace {

const PageFile* findFile(std::string_view path) {
  const auto files = pageFiles();
  const auto found = std::ranges::lower_bound(files, path, {}, &PageFile::path);
  return found != files.end() && found->path == path ? &*found : nullptr;
}

void addSafety(http::Response& response) {
  for (const http::Header& header : pageHeaders()) response.headers.push_back(header);
}

/// Answers with `file`, or with 304 where the client has it.
void answer(const http::ExchangePtr& exchange, const PageFile& file, std::string_view caching) {
  const http::Request& request = exchange->request();
  const std::string* accepted = request.header("accept-encoding");
  const bool zipped = !file.zipped.empty() && accepted != nullptr && acceptsGzip(*accepted);
  // The version names the content of all files; one file is told from another by its address, and the codings by their end.
  const std::string etag = '"' + std::string(pageVersion()) + (zipped ? "-gz\"" : "\"");
  http::Response response;
  response.contentType = file.contentType;
  addSafety(response);
  response.headers.push_back({"Cache-Control", std::string(caching)});
  response.headers.push_back({"ETag", etag});
  response.headers.push_back({"Vary", "Accept, Accept-Encoding"});
  const std::string* known = request.header("if-none-match");
  if (known != nullptr && known->find(etag) != std::string::npos) {
    response.status = 304;
  } else if (zipped) {
    response.headers.push_back({"Content-Encoding", "gzip"});
    response.body = file.zipped;
  } else {
    response.body = file.bytes;
  }
  exchange->respond(std::move(response));
}

void answerPage(const http::ExchangePtr& exchange) { answer(exchange, *findFile("index.html"), "no-cache"); }

}  // namespace

void getFrontDoor(const ApiContext& context, http::ExchangePtr exchange, const Arguments& arguments) {
  const std::string* accept = exchange->request().header("accept");
  if (accept != nullptr && prefersHtml(*accept)) return answerPage(exchange);
  getBanner(context, std::move(exchange), arguments);
}

void getPage(const ApiContext&, http::ExchangePtr exchange, const Arguments&) {
  if (exchange->request().path == "/ui") {  // without the slash, links in the page would lead elsewhere
    http::Response response;
    response.status = 308;
    response.headers.push_back({"Location", "/ui/"});
    exchange->respond(std::move(response));
    return;
  }
  answerPage(exchange);
}

void getPageFile(const ApiContext&, http::ExchangePtr exchange, const Arguments& arguments) {
  const std::string_view rest = arguments.front();
  const std::size_t slash = rest.find('/');
  const PageFile* file = nullptr;
  if (slash != std::string_view::npos && rest.substr(0, slash) == pageVersion()) file = findFile(rest.substr(slash + 1));
  if (file == nullptr || file->path == "index.html") {
    ApiError error;
    error.status = 404;
    error.code = "unknown_url";
    error.message = "The page has no such file.";
    http::Response response = errorResponse(error);
    addSafety(response);
    exchange->respond(std::move(response));
    return;
  }
  answer(exchange, *file, "public, max-age=31536000, immutable");
}

}  // namespace hearth::api
