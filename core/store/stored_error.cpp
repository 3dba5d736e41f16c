#include "core/store/stored_error.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "core/base/log.h"

namespace hearth::store {

namespace json = boost::json;

std::string evidenceText(const Error& error) {
  if (error.evidence.empty()) return {};
  json::array pairs;
  for (const Evidence& fact : error.evidence) pairs.push_back(json::array{fact.key, fact.value});
  return json::serialize(pairs);
}

std::optional<Error> readError(const std::string& code, std::string message, const std::string& evidence) {
  if (code.empty() && message.empty() && evidence.empty()) return std::nullopt;
  Error error{errorCodeFromName(code), std::move(message), {}};
  if (evidence.empty()) return error;
  try {
    const json::value parsed = json::parse(evidence);  // named: it must outlive the loop
    for (const json::value& pair : parsed.as_array()) {
      error.evidence.push_back(
          {std::string(pair.as_array().at(0).as_string()), std::string(pair.as_array().at(1).as_string())});
    }
  } catch (const std::exception& problem) {
    log::warning("store", std::string("the evidence of a stored error cannot be read: ") + problem.what());
  }
  return error;
}

}  // namespace hearth::store
