#include "core/formats/safetensors.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstring>
#include <exception>
#include <limits>

namespace hearth {
namespace {

namespace json = boost::json;

constexpr std::size_t kLengthBytes = 8;
// The largest published headers are a few hundred KiB; a parsed one takes some ten times its text in memory.
constexpr std::uint64_t kMaxHeaderBytes = 16U << 20U;
constexpr std::size_t kMaxDepth = 8;
constexpr std::size_t kMaxRank = 8;
constexpr std::size_t kMaxNameBytes = 1024;
constexpr std::string_view kMetadataKey = "__metadata__";

struct ElementType {
  std::string_view name;
  int bytes;
  std::optional<kernels::FormatId> format = std::nullopt;
};
constexpr ElementType kTypes[] = {
    {"F32", 4, kernels::FormatId::F32},
    {"F16", 2, kernels::FormatId::F16},
    {"BF16", 2, kernels::FormatId::BF16},
    {"F64", 8},
    {"I64", 8},
    {"U64", 8},
    {"I32", 4},
    {"U32", 4},
    {"I16", 2},
    {"U16", 2},
    {"I8", 1},
    {"U8", 1},
    {"BOOL", 1},
    {"F8_E4M3", 1},
    {"F8_E5M2", 1},
};

std::string shortened(std::string_view name) { return std::string(name.substr(0, 120)); }

std::unexpected<Error> corrupt(std::string message, std::string_view tensor) {
  return fail(ErrorCode::Corrupt, std::move(message), {{"tensor", shortened(tensor)}});
}

/// A whole number of at least 0; JSON has them as int64 or, when large, as uint64.
std::optional<std::int64_t> wholeNumber(const json::value& value) {
  if (const auto* number = value.if_int64(); number != nullptr && *number >= 0) return *number;
  return std::nullopt;
}

/// One entry of the header, its data within `buffer`.
Result<SafetensorsTensor> readTensor(std::string_view name, const json::value& value, std::span<const std::byte> buffer) {
  if (name.empty() || name.size() > kMaxNameBytes) return corrupt("a tensor's name is empty or too long", name);
  const json::object* entry = value.if_object();
  if (entry == nullptr) return corrupt("a tensor's entry is no object", name);
  const json::value* type = entry->if_contains("dtype");
  const json::value* shape = entry->if_contains("shape");
  const json::value* offsets = entry->if_contains("data_offsets");
  if (type == nullptr || !type->is_string() || shape == nullptr || !shape->is_array() || offsets == nullptr ||
      !offsets->is_array() || offsets->get_array().size() != 2) {
    return corrupt("a tensor's entry lacks its type, shape or offsets", name);
  }
  SafetensorsTensor tensor;
  tensor.name = name;
  tensor.type = std::string_view(type->get_string());
  const auto known = std::ranges::find(kTypes, std::string_view(tensor.type), &ElementType::name);
  if (known == std::end(kTypes)) {
    return fail(ErrorCode::UnsupportedFormat, "a tensor is of an unknown type",
                {{"tensor", shortened(name)}, {"type", shortened(tensor.type)}});
  }
  if (known->format) tensor.format = kernels::findFormat(*known->format);

  if (shape->get_array().size() > kMaxRank) return corrupt("a tensor has too many dimensions", name);
  std::uint64_t bytes = static_cast<std::uint64_t>(known->bytes);
  for (const json::value& extent : shape->get_array()) {
    const auto size = wholeNumber(extent);
    if (!size) return corrupt("a dimension is no whole number", name);
    if (*size != 0 &&
        bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / static_cast<std::uint64_t>(*size))
      return corrupt("a tensor is larger than any file", name);
    bytes *= static_cast<std::uint64_t>(*size);
    tensor.shape.push_back(*size);
  }
  const auto begin = wholeNumber(offsets->get_array()[0]);
  const auto end = wholeNumber(offsets->get_array()[1]);
  if (!begin || !end || *begin > *end) return corrupt("a tensor's offsets are no range", name);
  if (static_cast<std::uint64_t>(*end) > buffer.size()) {
    return fail(ErrorCode::Truncated, "the file ends before a tensor does",
                {{"tensor", shortened(name)}, {"end", std::to_string(*end)}, {"bytes", std::to_string(buffer.size())}});
  }
  if (static_cast<std::uint64_t>(*end - *begin) != bytes) {
    return fail(
        ErrorCode::Corrupt, "a tensor's offsets do not match its shape",
        {{"tensor", shortened(name)}, {"expected_bytes", std::to_string(bytes)}, {"bytes", std::to_string(*end - *begin)}});
  }
  tensor.data = buffer.subspan(static_cast<std::size_t>(*begin), static_cast<std::size_t>(bytes));
  return tensor;
}

Result<json::value> readHeader(std::span<const std::byte> bytes, std::span<const std::byte>& buffer) {
  if (bytes.size() < kLengthBytes) return fail(ErrorCode::Truncated, "the file is too short for a safetensors file");
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) length = length << 8U | std::to_integer<std::uint64_t>(bytes[i]);
  const auto rest = bytes.subspan(kLengthBytes);
  if (rest.empty() || static_cast<char>(rest[0]) != '{')
    return fail(ErrorCode::WrongMagic, "this is not a safetensors file");
  if (length > kMaxHeaderBytes) {
    return fail(ErrorCode::Corrupt, "the header is larger than any valid one",
                {{"header_bytes", std::to_string(length)}, {"most", std::to_string(kMaxHeaderBytes)}});
  }
  if (length > rest.size()) {
    return fail(ErrorCode::Truncated, "the file ends within its header",
                {{"header_bytes", std::to_string(length)}, {"file_bytes", std::to_string(bytes.size())}});
  }
  buffer = rest.subspan(static_cast<std::size_t>(length));
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code problem;
  json::value header =
      json::parse({reinterpret_cast<const char*>(rest.data()), static_cast<std::size_t>(length)}, problem, {}, options);
  if (problem) return fail(ErrorCode::Corrupt, "the header is not valid JSON", {{"problem", problem.message()}});
  return header;
}

}  // namespace

std::int64_t SafetensorsTensor::elements() const noexcept {
  std::int64_t product = 1;  // was checked against overflow
  for (const std::int64_t extent : shape) product *= extent;
  return product;
}

Result<SafetensorsFile> SafetensorsFile::parse(std::span<const std::byte> bytes) {
  try {
    std::span<const std::byte> buffer;
    HEARTH_TRY(const json::value header, readHeader(bytes, buffer));
    const json::object* entries = header.if_object();
    if (entries == nullptr) return fail(ErrorCode::WrongMagic, "this is not a safetensors file");
    SafetensorsFile file;
    for (const auto& [key, value] : *entries) {
      if (key == kMetadataKey) {
        if (!value.is_object()) return fail(ErrorCode::Corrupt, "the metadata is no object");
        for (const auto& [name, text] : value.get_object()) {
          if (!text.is_string()) return fail(ErrorCode::Corrupt, "the metadata holds more than texts");
          file.m_metadata.emplace(name, std::string_view(text.get_string()));
        }
        continue;
      }
      HEARTH_TRY(auto tensor, readTensor(key, value, buffer));
      file.m_tensors.push_back(std::move(tensor));
    }
    // One after the other without a hole or an overlap: what two readers could understand differently is refused.
    std::ranges::sort(file.m_tensors, [](const SafetensorsTensor& a, const SafetensorsTensor& b) {
      return a.data.data() != b.data.data() ? a.data.data() < b.data.data() : a.data.size() < b.data.size();
    });
    const std::byte* place = buffer.data();
    for (std::size_t i = 0; i < file.m_tensors.size(); ++i) {
      const SafetensorsTensor& tensor = file.m_tensors[i];
      if (tensor.data.data() != place) return corrupt("a tensor does not begin where the one before it ends", tensor.name);
      place += tensor.data.size();
      file.m_index.emplace(tensor.name, i);
    }
    if (place != buffer.data() + buffer.size()) {
      return fail(ErrorCode::Corrupt, "bytes follow the last tensor",
                  {{"bytes", std::to_string(buffer.data() + buffer.size() - place)}});
    }
    return file;
  } catch (const std::exception& problem) {
    return fail(ErrorCode::OutOfMemory, std::string("the header cannot be read: ") + problem.what());
  }
}

Result<SafetensorsFile> SafetensorsFile::open(const std::filesystem::path& path) {
  HEARTH_TRY(auto mapped, platform::MappedFile::open(path));
  auto file = parse(mapped.bytes());
  if (!file) return std::unexpected(std::move(file).error().with("path", path.string()));
  file->m_file = std::move(mapped);  // the mapping stays where it is
  return file;
}

const SafetensorsTensor* SafetensorsFile::tensor(std::string_view name) const {
  const auto at = m_index.find(name);
  return at == m_index.end() ? nullptr : &m_tensors[at->second];
}

}  // namespace hearth
