#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/formats/gguf.h"
#include "core/formats/safetensors.h"

namespace hearth::library {

/// The files of a Hugging Face model: its weights mapped, its JSON files read when asked for. Used by one thread.
class ConvertSource {
 public:
  /// Errors: NotFound, Corrupt, those of SafetensorsFile::open.
  [[nodiscard]] static Result<ConvertSource> open(const std::filesystem::path& folderOrFile);

  [[nodiscard]] const boost::json::object& config() const noexcept { return m_config; }
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return m_folder; }
  /// A JSON object in the folder; an empty one when there is no such file. Errors: Corrupt, Io.
  [[nodiscard]] Result<boost::json::object> json(const std::filesystem::path& name) const;
  /// The lines of a text file; NotFound when there is none.
  [[nodiscard]] Result<std::vector<std::string>> lines(const std::filesystem::path& name) const;

  /// Null when absent. Marks it as used.
  [[nodiscard]] const SafetensorsTensor* tensor(std::string_view name);
  [[nodiscard]] std::vector<std::string> unused() const;

  /// A whole number of `object` in [least, most]. Errors: Corrupt (evidence: key).
  [[nodiscard]] static Result<std::int64_t> integer(const boost::json::object& object, std::string_view key,
                                                    std::int64_t least, std::int64_t most);
  [[nodiscard]] static Result<double> number(const boost::json::object& object, std::string_view key, double least,
                                             double most);
  [[nodiscard]] static std::string text(const boost::json::object& object, std::string_view key);  ///< empty when absent
  [[nodiscard]] static bool flag(const boost::json::object& object, std::string_view key, bool otherwise);

 private:
  [[nodiscard]] Result<void> openWeights(const std::filesystem::path& file);
  std::filesystem::path m_folder;
  boost::json::object m_config;
  std::vector<SafetensorsFile> m_files;
  std::map<std::string, bool, std::less<>> m_used;
};

/// What one architecture writes: metadata at once, tensors through `add`. See convert.cpp.
class ConvertTarget {
 public:
  ConvertTarget(ConvertSource& source, kernels::FormatId type) : m_source(source), m_type(type) {}
  GgufWriter& writer() noexcept { return m_writer; }
  ConvertSource& source() noexcept { return m_source; }
  enum class Kind { Matrix, Exact };
  /// Copies the tensor `from`, which must have `shape` (outermost first), as `to`: matrices in the type that was asked for,
  /// the rest as F32. The source outlives the writing. Errors: Corrupt (evidence: tensor, expected, found).
  [[nodiscard]] Result<void> add(const std::string& from, std::string to, const std::vector<std::int64_t>& shape, Kind kind);
  [[nodiscard]] int tensors() const noexcept { return m_count; }
  [[nodiscard]] std::string_view typeName() const noexcept;
  std::function<Result<void>()> step;  ///< called as each tensor is written

 private:
  ConvertSource& m_source;
  kernels::FormatId m_type;
  GgufWriter m_writer;
  int m_count = 0;
};

[[nodiscard]] Result<void> convertBert(ConvertTarget& target);

}  // namespace hearth::library
