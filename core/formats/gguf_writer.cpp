#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <system_error>
#include <utility>

#include "core/formats/gguf.h"
#include "core/formats/gguf_layout.h"

namespace hearth {
namespace {

using gguf::ValueType;

// The header is small (megabytes at most): it is built in memory, then written at once.
class Header {
 public:
  template <class T>
  void number(T value) {
    const auto* raw = reinterpret_cast<const char*>(&value);
    m_bytes.append(raw, sizeof(T));
  }
  void type(ValueType value) { number(static_cast<std::uint32_t>(value)); }
  void string(std::string_view value) {
    number(static_cast<std::uint64_t>(value.size()));
    m_bytes.append(value);
  }
  void array(ValueType element, std::size_t count) {
    type(ValueType::Array);
    type(element);
    number(static_cast<std::uint64_t>(count));
  }
  void pad(std::uint64_t alignment) { m_bytes.resize((m_bytes.size() + alignment - 1) / alignment * alignment, '\0'); }
  [[nodiscard]] const std::string& bytes() const noexcept { return m_bytes; }

 private:
  std::string m_bytes;
};

struct ValueWriter {
  Header& out;
  void operator()(std::uint32_t value) const { out.type(ValueType::Uint32), out.number(value); }
  void operator()(std::int32_t value) const { out.type(ValueType::Int32), out.number(value); }
  void operator()(std::uint64_t value) const { out.type(ValueType::Uint64), out.number(value); }
  void operator()(float value) const { out.type(ValueType::Float32), out.number(value); }
  void operator()(bool value) const { out.type(ValueType::Bool), out.number(static_cast<std::uint8_t>(value)); }
  void operator()(const std::string& value) const { out.type(ValueType::String), out.string(value); }
  void operator()(const std::vector<std::string>& values) const {
    out.array(ValueType::String, values.size());
    for (const std::string& value : values) out.string(value);
  }
  void operator()(const std::vector<std::int32_t>& values) const {
    out.array(ValueType::Int32, values.size());
    for (const std::int32_t value : values) out.number(value);
  }
  void operator()(const std::vector<float>& values) const {
    out.array(ValueType::Float32, values.size());
    for (const float value : values) out.number(value);
  }
};

// Bytes of a tensor with these dimensions, or an error that says what is wrong with them.
Result<std::uint64_t> tensorBytes(const std::string& name, const kernels::FormatInfo* info,
                                  const std::vector<std::int64_t>& dims) {
  if (info == nullptr) return fail(ErrorCode::InvalidArgument, "a tensor's format is unknown", {{"tensor", name}});
  if (dims.empty() || dims.size() > gguf::kMaxRank || dims[0] % info->blockElements != 0) {
    return fail(ErrorCode::InvalidArgument, "a tensor's dimensions do not fit its format", {{"tensor", name}});
  }
  std::int64_t elements = 1;
  for (const std::int64_t extent : dims) {
    if (extent <= 0 || extent > std::numeric_limits<std::int64_t>::max() / 16 / elements) {
      return fail(ErrorCode::InvalidArgument, "a tensor has an impossible dimension", {{"tensor", name}});
    }
    elements *= extent;
  }
  return static_cast<std::uint64_t>(elements / info->blockElements) * static_cast<std::uint64_t>(info->blockBytes);
}

Result<void> checkSize(const std::string& tensor, std::uint64_t expected, std::uint64_t found) {
  if (expected == found) return {};
  return fail(ErrorCode::InvalidArgument, "a tensor's bytes do not match its dimensions",
              {{"tensor", tensor}, {"expected_bytes", std::to_string(expected)}, {"bytes", std::to_string(found)}});
}

// A file that is being written under a temporary name; removed unless it was committed. Owns the stream.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target) : m_target(target), m_path(target) {
    m_path += ".part-" + std::to_string(std::random_device{}());  // several writers may aim at one target
  }
  ~TemporaryFile() {
    if (m_stream != nullptr) std::fclose(m_stream);
    std::error_code ignored;
    if (!m_committed) std::filesystem::remove(m_path, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] Result<void> open() {
    m_stream = std::fopen(m_path.c_str(), "wb");
    if (m_stream == nullptr) return fail(errorFromErrno(errno, "cannot create", m_path.string()));
    return {};
  }
  [[nodiscard]] Result<void> write(const void* data, std::size_t size) {
    if (size != 0 && std::fwrite(data, 1, size, m_stream) != size) {
      return fail(errorFromErrno(errno, "cannot write", m_target.string()));
    }
    return {};
  }
  [[nodiscard]] Result<void> commit() {
    // fclose writes what is buffered: a full disk may show only here.
    std::FILE* stream = std::exchange(m_stream, nullptr);
    if (std::fclose(stream) != 0) return fail(errorFromErrno(errno, "cannot write", m_target.string()));
    HEARTH_CHECK(platform::syncFile(m_path));
    std::error_code problem;
    std::filesystem::rename(m_path, m_target, problem);
    if (problem) return fail(errorFromErrno(problem.value(), "cannot rename into place", m_target.string()));
    m_committed = true;
    return platform::syncFolder(m_target.has_parent_path() ? m_target.parent_path() : std::filesystem::path("."));
  }

 private:
  std::filesystem::path m_target;
  std::filesystem::path m_path;
  std::FILE* m_stream = nullptr;
  bool m_committed = false;
};

}  // namespace

void GgufWriter::set(std::string key, Value value) {
  const auto at = std::ranges::find(m_metadata, key, &std::pair<std::string, Value>::first);
  if (at != m_metadata.end()) {
    at->second = std::move(value);
  } else {
    m_metadata.emplace_back(std::move(key), std::move(value));
  }
}

void GgufWriter::addTensor(std::string name, kernels::FormatId format, std::vector<std::int64_t> dims,
                           std::vector<std::byte> bytes) {
  m_tensors.push_back({std::move(name), format, std::move(dims), std::move(bytes), {}});
}

void GgufWriter::addLazyTensor(std::string name, kernels::FormatId format, std::vector<std::int64_t> dims,
                               std::function<Result<std::vector<std::byte>>()> make) {
  m_tensors.push_back({std::move(name), format, std::move(dims), {}, std::move(make)});
}

Result<void> GgufWriter::write(const std::filesystem::path& path) const {
  std::uint64_t alignment = gguf::kDefaultAlignment;
  Header header;
  header.number(gguf::kMagic);
  header.number(gguf::kNewestVersion);
  header.number(static_cast<std::uint64_t>(m_tensors.size()));
  header.number(static_cast<std::uint64_t>(m_metadata.size()));
  for (const auto& [key, value] : m_metadata) {
    if (key.empty() || key.size() > gguf::kMaxKeyBytes) {
      return fail(ErrorCode::InvalidArgument, "a metadata key is empty or too long", {{"key", key.substr(0, 120)}});
    }
    if (key == "general.alignment") {
      const auto* wanted = std::get_if<std::uint32_t>(&value);
      if (wanted == nullptr || !std::has_single_bit(*wanted) || *wanted < gguf::kMinAlignment ||
          *wanted > gguf::kMaxAlignment) {
        return fail(ErrorCode::InvalidArgument, "general.alignment must be a uint32 power of two, 8 at least");
      }
      alignment = *wanted;
    }
    header.string(key);
    std::visit(ValueWriter{header}, value);
  }
  std::set<std::string_view> names;
  std::uint64_t offset = 0;
  for (const Tensor& tensor : m_tensors) {
    if (tensor.name.empty() || tensor.name.size() > 64 || !names.insert(tensor.name).second) {
      return fail(ErrorCode::InvalidArgument, "a tensor's name is empty, longer than 64 bytes, or used twice",
                  {{"tensor", tensor.name.substr(0, 120)}});
    }
    HEARTH_TRY(const std::uint64_t bytes, tensorBytes(tensor.name, kernels::findFormat(tensor.format), tensor.dims));
    if (!tensor.make) HEARTH_CHECK(checkSize(tensor.name, bytes, tensor.bytes.size()));
    header.string(tensor.name);
    header.number(static_cast<std::uint32_t>(tensor.dims.size()));
    for (const std::int64_t extent : tensor.dims) header.number(static_cast<std::uint64_t>(extent));
    header.number(static_cast<std::uint32_t>(tensor.format));
    header.number(offset);
    offset += (bytes + alignment - 1) / alignment * alignment;
  }
  header.pad(alignment);

  TemporaryFile file(path);
  HEARTH_CHECK(file.open());
  HEARTH_CHECK(file.write(header.bytes().data(), header.bytes().size()));
  const std::vector<std::byte> padding(alignment, std::byte{0});
  for (const Tensor& tensor : m_tensors) {
    std::vector<std::byte> made;
    if (tensor.make) {
      HEARTH_TRY(made, tensor.make());
      HEARTH_TRY(const std::uint64_t wanted, tensorBytes(tensor.name, kernels::findFormat(tensor.format), tensor.dims));
      HEARTH_CHECK(checkSize(tensor.name, wanted, made.size()));
    }
    const auto& bytes = tensor.make ? made : tensor.bytes;
    HEARTH_CHECK(file.write(bytes.data(), bytes.size()));
    const std::uint64_t over = bytes.size() % alignment;
    if (over != 0) HEARTH_CHECK(file.write(padding.data(), alignment - over));
  }
  return file.commit();
}

}  // namespace hearth
