#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/text/output/json_scanner.h"

namespace hearth::output {

using ToolNames = std::set<std::string, std::less<>>;

/// A JSON object that calls a tool, read byte by byte:
///
///     {"name": TOOL, "arguments": {…}}     also "parameters"; also {"type": "function", "function": {"name": …, …}}
///
/// Once the name is known to be a tool's and the arguments begin as an object, they are given out as they are read; in every
/// other order the call is known when the object ends. Arguments written as a string that holds a JSON object are unwrapped
/// once. Anything else is not a call. One thread.
class CallObject {
 public:
  enum class Status : std::uint8_t {
    More,
    Begun,  ///< this is a call: name() is known, arguments() may grow
    Done,   ///< the object has ended, and is a call
    Bad,    ///< before Begun: not a call. After it: the object breaks before this byte
  };
  /// `names` outlives it. `needsArguments`: without them it is not a call (else they are {}).
  CallObject(const ToolNames& names, bool needsArguments, bool nested = false)
      : m_names(names), m_needsArguments(needsArguments), m_nested(nested) {}

  [[nodiscard]] Status step(char c);
  [[nodiscard]] const std::string& name() const noexcept { return m_name; }
  /// What of the arguments was read and not taken yet.
  [[nodiscard]] std::string takeArguments() { return std::exchange(m_arguments, {}); }
  [[nodiscard]] bool argumentsEnded() const noexcept { return m_argumentsEnded; }

 private:
  Status endMember(std::string_view value);
  Status complete();

  const ToolNames& m_names;
  bool m_needsArguments;
  bool m_nested;
  JsonScanner m_scanner;
  std::string m_raw;  // the object so far, until it is known to be a call
  std::size_t m_keyAt = 0, m_valueAt = 0;
  std::string m_key, m_name, m_given, m_function, m_arguments;
  bool m_begun = false, m_argumentsEnded = false;
};

/// The text of a JSON string with its quotes; invalid surrogates and the like: an empty text.
[[nodiscard]] std::string unquote(std::string_view json);

}  // namespace hearth::output
