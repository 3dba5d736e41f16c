#include "core/library/convert.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <exception>
#include <fstream>
#include <set>

#include "core/library/convert_source.h"

namespace hearth {
namespace library {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// tokenizer.json of the largest vocabularies has some 30 MB.
constexpr std::uintmax_t kMostTextBytes = 128U << 20U;
constexpr std::size_t kMostParts = 1024;
constexpr float kLargestHalf = 65504.0F;

Result<std::string> readText(const fs::path& path) {
  std::error_code code;
  const auto size = fs::file_size(path, code);
  if (code) return fail(errorFromErrno(code.value(), "cannot read", path.string()));
  if (size > kMostTextBytes)
    return fail(ErrorCode::Corrupt, "the file is larger than any valid one", {{"path", path.string()}});
  std::ifstream in(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(size), '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(size)))
    return fail(ErrorCode::Io, "cannot read", {{"path", path.string()}});
  return text;
}

Result<json::object> readObject(const fs::path& path) {
  HEARTH_TRY(const std::string text, readText(path));
  boost::system::error_code problem;
  json::value value = json::parse(text, problem);
  if (problem || !value.is_object()) {
    return fail(ErrorCode::Corrupt, "the file is no JSON object",
                {{"path", path.string()}, {"problem", problem ? problem.message() : "another kind of value"}});
  }
  return std::move(value.get_object());
}

std::unexpected<Error> badSetting(std::string_view key) {
  return fail(ErrorCode::Corrupt, fmt::format("the configuration's {} is missing or out of range", key),
              {{"key", std::string(key)}});
}

/// The bytes of a tensor in another format.
Result<std::vector<std::byte>> encode(const SafetensorsTensor& tensor, const kernels::FormatInfo& format) {
  const std::int64_t count = tensor.elements();
  if (tensor.format == nullptr)
    return fail(ErrorCode::UnsupportedFormat, "weights cannot be of this type",
                {{"tensor", tensor.name}, {"type", tensor.type}});
  if (tensor.format->id == format.id) return std::vector<std::byte>(tensor.data.begin(), tensor.data.end());
  std::vector<float> values(static_cast<std::size_t>(count));
  tensor.format->dequantize(tensor.data.data(), values.data(), count);
  if (format.id != kernels::FormatId::F32) {
    const auto tooLarge = [](float value) { return !(std::fabs(value) <= kLargestHalf); };
    if (std::ranges::any_of(values, tooLarge)) {
      return fail(ErrorCode::InvalidArgument, "a weight is not finite, or too large for 16 bits: use f32",
                  {{"tensor", tensor.name}, {"type", format.name}});
    }
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(count / format.blockElements * format.blockBytes));
  format.quantize(values.data(), bytes.data(), count);
  return bytes;
}

struct Converter {
  std::string_view type;  ///< config.json's model_type
  Result<void> (*convert)(ConvertTarget& target);
};
constexpr Converter kConverters[] = {{"bert", convertBert}};

}  // namespace

Result<ConvertSource> ConvertSource::open(const fs::path& given) {
  ConvertSource source;
  std::error_code code;
  const bool isFolder = fs::is_directory(given, code);
  if (!isFolder && !fs::exists(given, code))
    return fail(ErrorCode::NotFound, "there is no such file or folder", {{"path", given.string()}});
  source.m_folder = isFolder ? given : given.has_parent_path() ? given.parent_path() : fs::path(".");
  const fs::path config = source.m_folder / "config.json";
  if (!fs::exists(config, code))
    return fail(ErrorCode::NotFound, "the folder has no config.json: a model in the Hugging Face layout is expected",
                {{"path", config.string()}});
  HEARTH_TRY(source.m_config, readObject(config));
  HEARTH_CHECK(source.openWeights(isFolder ? fs::path() : given));
  return source;
}

Result<void> ConvertSource::openWeights(const fs::path& file) {
  std::set<std::string> names;
  std::error_code code;
  const fs::path index = m_folder / "model.safetensors.index.json";
  if (!file.empty()) {
    names.insert(file.filename().string());
  } else if (fs::exists(m_folder / "model.safetensors", code)) {
    names.insert("model.safetensors");
  } else if (fs::exists(index, code)) {
    HEARTH_TRY(const json::object parts, readObject(index));
    const json::value* map = parts.if_contains("weight_map");
    if (map == nullptr || !map->is_object())
      return fail(ErrorCode::Corrupt, "the index has no weight_map", {{"path", index.string()}});
    for (const auto& [tensor, part] : map->get_object()) {
      // A name, not a path: an index must not make us read elsewhere.
      if (!part.is_string() ||
          fs::path(std::string_view(part.get_string())).filename() != std::string_view(part.get_string()) ||
          names.size() > kMostParts)
        return fail(ErrorCode::Corrupt, "the index names no file of this folder",
                    {{"path", index.string()}, {"tensor", std::string(tensor)}});
      names.insert(std::string(part.get_string()));
    }
  } else {
    return fail(ErrorCode::NotFound, "the folder has no model.safetensors",
                {{"path", (m_folder / "model.safetensors").string()}});
  }
  for (const std::string& name : names) {
    HEARTH_TRY(auto opened, SafetensorsFile::open(m_folder / name));
    for (const SafetensorsTensor& tensor : opened.tensors()) {
      if (!m_used.emplace(tensor.name, false).second)
        return fail(ErrorCode::Corrupt, "two parts hold the same tensor",
                    {{"tensor", tensor.name.substr(0, 120)}, {"path", name}});
    }
    m_files.push_back(std::move(opened));
  }
  return {};
}

Result<json::object> ConvertSource::json(const fs::path& name) const {
  std::error_code code;
  if (!fs::exists(m_folder / name, code)) return boost::json::object{};
  return readObject(m_folder / name);
}

Result<std::vector<std::string>> ConvertSource::lines(const fs::path& name) const {
  HEARTH_TRY(const std::string text, readText(m_folder / name));
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    if (lines.back().ends_with('\r')) lines.back().pop_back();
    at = end + 1;
  }
  return lines;
}

const SafetensorsTensor* ConvertSource::tensor(std::string_view name) {
  for (const SafetensorsFile& file : m_files) {
    const SafetensorsTensor* found = file.tensor(name);
    if (found == nullptr) continue;
    m_used[found->name] = true;
    return found;
  }
  return nullptr;
}

std::vector<std::string> ConvertSource::unused() const {
  std::vector<std::string> names;
  for (const auto& [name, used] : m_used) {
    if (!used) names.push_back(name);
  }
  return names;
}

Result<std::int64_t> ConvertSource::integer(const json::object& object, std::string_view key, std::int64_t least,
                                            std::int64_t most) {
  const json::value* value = object.if_contains(key);
  const auto* number = value == nullptr ? nullptr : value->if_int64();
  if (number == nullptr || *number < least || *number > most) return badSetting(key);
  return *number;
}

Result<double> ConvertSource::number(const json::object& object, std::string_view key, double least, double most) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return badSetting(key);
  const double number = value->to_number<double>();
  if (!(number >= least && number <= most)) return badSetting(key);
  return number;
}

std::string ConvertSource::text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool ConvertSource::flag(const json::object& object, std::string_view key, bool otherwise) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_bool() ? value->get_bool() : otherwise;
}

std::string_view ConvertTarget::typeName() const noexcept {
  const auto* info = kernels::findFormat(m_type);
  return info == nullptr ? "" : info->name;
}

Result<void> ConvertTarget::add(const std::string& from, std::string to, const std::vector<std::int64_t>& shape, Kind kind) {
  const SafetensorsTensor* tensor = m_source.tensor(from);
  if (tensor == nullptr)
    return fail(ErrorCode::Corrupt, fmt::format("the model lacks the tensor {}", from), {{"tensor", from}});
  if (tensor->shape != shape) {
    return fail(ErrorCode::Corrupt, fmt::format("the tensor {} has another shape than the configuration says", from),
                {{"tensor", from},
                 {"expected", fmt::format("{}", fmt::join(shape, " x "))},
                 {"found", fmt::format("{}", fmt::join(tensor->shape, " x "))}});
  }
  const auto* format = kernels::findFormat(kind == Kind::Exact ? kernels::FormatId::F32 : m_type);
  if (shape.back() % format->blockElements != 0) format = kernels::findFormat(kernels::FormatId::F16);
  m_writer.addLazyTensor(std::move(to), format->id, {shape.rbegin(), shape.rend()},
                         [this, tensor, format]() -> Result<std::vector<std::byte>> {
                           if (step) HEARTH_CHECK(step());
                           return encode(*tensor, *format);
                         });
  ++m_count;
  return {};
}

}  // namespace library

std::vector<std::string> convertibleArchitectures() {
  std::vector<std::string> names;
  for (const auto& converter : library::kConverters) names.emplace_back(converter.type);
  return names;
}

Result<ConvertedModel> convertModel(const std::filesystem::path& given, const std::filesystem::path& target,
                                    const ConvertOptions& options) {
  using kernels::FormatId;
  std::uint32_t fileType = 0;  // general.file_type of the GGUF specification
  switch (options.type) {
    case FormatId::F32: fileType = 0; break;
    case FormatId::F16: fileType = 1; break;
    case FormatId::Q8_0: fileType = 7; break;
    default: return fail(ErrorCode::InvalidArgument, "the type must be f32, f16 or q8_0", {{"field", "type"}});
  }
  try {
    std::error_code code;
    if (std::filesystem::exists(target, code))
      return fail(ErrorCode::AlreadyExists, "the file is there already", {{"path", target.string()}});
    HEARTH_TRY(library::ConvertSource source, library::ConvertSource::open(given));
    ConvertedModel model;
    model.architecture = library::ConvertSource::text(source.config(), "model_type");
    const auto converter =
        std::ranges::find(library::kConverters, std::string_view(model.architecture), &library::Converter::type);
    if (converter == std::end(library::kConverters)) {
      return fail(ErrorCode::UnsupportedArchitecture,
                  fmt::format("models of the type \"{}\" cannot be converted yet", model.architecture.substr(0, 80)),
                  {{"architecture", model.architecture.substr(0, 80)},
                   {"supported", fmt::format("{}", fmt::join(convertibleArchitectures(), ", "))}});
    }
    model.name = std::filesystem::absolute(source.folder(), code).lexically_normal().filename().string();
    if (model.name.empty()) model.name = target.stem().string();
    library::ConvertTarget writing(source, options.type);
    writing.writer().set("general.architecture", model.architecture);
    writing.writer().set("general.name", model.name);
    writing.writer().set("general.file_type", fileType);
    HEARTH_CHECK(converter->convert(writing));
    std::uint64_t done = 0;
    writing.step = [&]() -> Result<void> {
      if (options.progress && !options.progress(done++, static_cast<std::uint64_t>(writing.tensors())))
        return fail(ErrorCode::Cancelled, "the conversion was stopped");
      return {};
    };
    HEARTH_CHECK(writing.writer().write(target));
    model.tensors = writing.tensors();
    model.fileBytes = std::filesystem::file_size(target, code);
    model.ignored = source.unused();
    return model;
  } catch (const std::exception& problem) {
    return fail(ErrorCode::Internal, std::string("the conversion failed: ") + problem.what());
  }
}

}  // namespace hearth
