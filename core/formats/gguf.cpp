#include "core/formats/gguf.h"

#include <fmt/format.h>

#include <functional>
#include <utility>

#include "core/formats/gguf_layout.h"
#include "core/formats/gguf_parser.h"

namespace hearth {
namespace {

constexpr std::string_view kSplitNumber = "split.no";
constexpr std::string_view kSplitCount = "split.count";
constexpr std::string_view kSplitTensors = "split.tensors.count";

template <class T>
const T* arrayOf(const GgufValue* value) {
  const auto* array = value == nullptr ? nullptr : std::get_if<GgufArray>(value);
  return array == nullptr ? nullptr : std::get_if<T>(array);
}

// "x-00002-of-00003.gguf" without its numbers; nullopt when the name is not of that shape.
struct SplitName {
  std::string prefix;
  std::int64_t number = 0;  // from 1
  std::int64_t count = 0;
};

std::optional<SplitName> splitName(const std::string& fileName) {
  constexpr std::string_view kShape = "-00000-of-00000.gguf";
  if (fileName.size() <= kShape.size()) return std::nullopt;
  SplitName name;
  name.prefix = fileName.substr(0, fileName.size() - kShape.size());
  const std::string_view tail = std::string_view(fileName).substr(name.prefix.size());
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = tail[i] >= '0' && tail[i] <= '9';
    if (kShape[i] == '0' ? !digit : tail[i] != kShape[i]) return std::nullopt;
    if (kShape[i] == '0') {
      std::int64_t& number = i < 7 ? name.number : name.count;
      number = number * 10 + (tail[i] - '0');
    }
  }
  return name;
}

std::int64_t integerOr(const gguf::Contents& contents, std::string_view key, std::int64_t otherwise) {
  const auto at = contents.metadata.find(key);
  if (at == contents.metadata.end()) return otherwise;
  const auto* number = std::get_if<std::int64_t>(&at->second);
  return number == nullptr ? otherwise : *number;
}

struct OpenedPart {
  platform::MappedFile file;
  gguf::Contents contents;
};

Result<OpenedPart> openPart(const std::filesystem::path& path) {
  HEARTH_TRY(auto file, platform::MappedFile::open(path));
  auto contents = gguf::parseContents(file.bytes());
  if (!contents) return fail(std::move(contents.error()).with("path", path.string()));
  return OpenedPart{std::move(file), std::move(*contents)};
}

}  // namespace

Result<GgufFile> GgufFile::open(const std::filesystem::path& path) {
  HEARTH_TRY(OpenedPart opened, openPart(path));
  const std::int64_t count = integerOr(opened.contents, kSplitCount, 1);
  if (count < 0 || count > gguf::kMaxSplits) {
    return fail(ErrorCode::Corrupt, "the file says that it has an impossible number of parts",
                {{"path", path.string()}, {"split.count", std::to_string(count)}});
  }

  GgufFile result;
  if (count <= 1) {
    result.m_fileBytes = opened.file.bytes().size();
    result.m_metadata = std::move(opened.contents.metadata);
    result.m_tensors = std::move(opened.contents.tensors);
    result.m_files.push_back(std::move(opened.file));
    HEARTH_CHECK(result.indexTensors());
    return result;
  }

  const auto name = splitName(path.filename().string());
  if (!name || name->count != count || name->number < 1 || name->number > count) {
    return fail(ErrorCode::InvalidArgument,
                "one part of a split model, but its name does not say where the others are: restore its original name",
                {{"path", path.string()}, {"split.count", std::to_string(count)}});
  }
  std::int64_t tensorsPromised = -1;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto partPath = path.parent_path() / fmt::format("{}-{:05}-of-{:05}.gguf", name->prefix, i + 1, count);
    OpenedPart part;
    if (i + 1 == name->number) {
      part = std::move(opened);
    } else {
      auto other = openPart(partPath);
      if (!other && other.error().code == ErrorCode::NotFound) {
        return fail(ErrorCode::NotFound, "a part of this split model is missing", {{"path", partPath.string()}});
      }
      HEARTH_TRY(part, std::move(other));
    }
    const std::int64_t partNumber = integerOr(part.contents, kSplitNumber, -1);
    const std::int64_t partCount = integerOr(part.contents, kSplitCount, -1);
    if (partNumber != i || partCount != count) {
      return fail(ErrorCode::Corrupt, "a part of this split model says that it is another part",
                  {{"path", partPath.string()},
                   {"split.no", std::to_string(partNumber)},
                   {"split.count", std::to_string(partCount)}});
    }
    const std::int64_t promised = integerOr(part.contents, kSplitTensors, -1);
    if (i == 0) tensorsPromised = promised;
    if (promised < 0 || promised != tensorsPromised) {
      return fail(ErrorCode::Corrupt, "the parts of this split model do not belong together",
                  {{"path", partPath.string()}, {"split.tensors.count", std::to_string(promised)}});
    }
    if (i == 0) result.m_metadata = std::move(part.contents.metadata);  // the later parts repeat only split.*
    for (GgufTensor& tensor : part.contents.tensors) result.m_tensors.push_back(std::move(tensor));
    result.m_fileBytes += part.file.bytes().size();
    result.m_files.push_back(std::move(part.file));
  }
  if (static_cast<std::int64_t>(result.m_tensors.size()) != tensorsPromised) {
    return fail(ErrorCode::Corrupt, "the parts of this split model do not hold all of its tensors",
                {{"path", path.string()},
                 {"tensors", std::to_string(result.m_tensors.size())},
                 {"split.tensors.count", std::to_string(tensorsPromised)}});
  }
  if (auto indexed = result.indexTensors(); !indexed) {
    return fail(std::move(indexed.error()).with("path", path.string()));
  }
  return result;
}

Result<GgufFile> GgufFile::parse(std::span<const std::byte> bytes) {
  HEARTH_TRY(gguf::Contents contents, gguf::parseContents(bytes));
  if (const std::int64_t count = integerOr(contents, kSplitCount, 1); count > 1) {
    return fail(ErrorCode::InvalidArgument, "one part of a split model cannot be read alone",
                {{"split.count", std::to_string(count)}});
  }
  GgufFile result;
  result.m_fileBytes = bytes.size();
  result.m_metadata = std::move(contents.metadata);
  result.m_tensors = std::move(contents.tensors);
  HEARTH_CHECK(result.indexTensors());
  return result;
}

Result<void> GgufFile::indexTensors() {
  for (std::size_t i = 0; i < m_tensors.size(); ++i) {
    if (!m_tensorIndex.emplace(m_tensors[i].name, i).second) {
      return fail(ErrorCode::Corrupt, "two parts of this split model hold the same tensor", {{"tensor", m_tensors[i].name}});
    }
  }
  return {};
}

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto at = m_metadata.find(key);
  return at == m_metadata.end() ? nullptr : &at->second;
}

std::optional<std::int64_t> GgufFile::integer(std::string_view key) const {
  const GgufValue* value = find(key);
  const auto* number = value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::optional<double> GgufFile::number(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* real = std::get_if<double>(value)) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(value)) return static_cast<double>(*whole);
  return std::nullopt;
}

std::optional<bool> GgufFile::boolean(std::string_view key) const {
  const GgufValue* value = find(key);
  const auto* flag = value == nullptr ? nullptr : std::get_if<bool>(value);
  return flag == nullptr ? std::nullopt : std::optional(*flag);
}

std::optional<std::string_view> GgufFile::string(std::string_view key) const {
  const GgufValue* value = find(key);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string_view>(value);
  return text == nullptr ? std::nullopt : std::optional(*text);
}

const std::vector<std::string_view>* GgufFile::strings(std::string_view key) const {
  return arrayOf<std::vector<std::string_view>>(find(key));
}
const std::vector<std::int64_t>* GgufFile::integers(std::string_view key) const {
  return arrayOf<std::vector<std::int64_t>>(find(key));
}
const std::vector<double>* GgufFile::numbers(std::string_view key) const { return arrayOf<std::vector<double>>(find(key)); }

const GgufTensor* GgufFile::tensor(std::string_view name) const {
  const auto at = m_tensorIndex.find(name);
  return at == m_tensorIndex.end() ? nullptr : &m_tensors[at->second];
}

std::uint64_t GgufFile::fileBytes() const noexcept { return m_fileBytes; }

std::string GgufFile::architecture() const { return std::string(string("general.architecture").value_or("")); }

bool GgufFile::unchanged() const noexcept {
  for (const platform::MappedFile& file : m_files) {
    if (!file.unchanged()) return false;
  }
  return true;
}

GgufFile::Place GgufFile::place(std::span<const std::byte> data) const noexcept {
  const std::less_equal<> atOrBefore;  // pointers of different mappings: < would be unspecified
  for (const platform::MappedFile& file : m_files) {
    const std::span<const std::byte> bytes = file.bytes();
    if (atOrBefore(bytes.data(), data.data()) && atOrBefore(data.data() + data.size(), bytes.data() + bytes.size())) {
      return {&file, static_cast<std::size_t>(data.data() - bytes.data())};
    }
  }
  return {};
}

void GgufFile::dropPages(std::span<const std::byte> data) const noexcept {
  if (const Place at = place(data); at.file != nullptr) at.file->dontNeed(at.offset, data.size());
}

void GgufFile::wantPages(std::span<const std::byte> data) const noexcept {
  if (const Place at = place(data); at.file != nullptr) at.file->willNeed(at.offset, data.size());
}

}  // namespace hearth
