#include <cstdint>
#include <cstdlib>

#include "core/formats/gguf.h"

// Any bytes: parsing either fails with an error or gives a file whose every view lies inside the bytes.
namespace {

using namespace hearth;

// Reads each byte, so that the address sanitizer sees what lies outside.
std::uint64_t readAll(std::string_view text) {
  std::uint64_t sum = 0;
  for (const char c : text) sum += static_cast<unsigned char>(c);
  return sum;
}

std::uint64_t readValue(const GgufValue& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return readAll(*text);
  const auto* array = std::get_if<GgufArray>(&value);
  if (array == nullptr) return 1;
  std::uint64_t sum = 0;
  if (const auto* strings = std::get_if<std::vector<std::string_view>>(array)) {
    for (const std::string_view text : *strings) sum += readAll(text);
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto file = GgufFile::parse(bytes);
  if (!file) {
    if (file.error().code == ErrorCode::Internal || file.error().describe().empty()) std::abort();
    return 0;
  }
  std::uint64_t sum = file->fileBytes() + file->architecture().size();
  for (const auto& [key, value] : file->metadata()) {
    sum += readAll(key) + readValue(value) + (file->find(key) == &value ? 1 : 0);
    (void)file->number(key);
    (void)file->boolean(key);
  }
  for (const GgufTensor& tensor : file->tensors()) {
    if (file->tensor(tensor.name) != &tensor || tensor.info == nullptr || tensor.elements() <= 0) std::abort();
    if (tensor.data.size() != static_cast<std::size_t>(tensor.elements() / tensor.info->blockElements * tensor.info->blockBytes)) {
      std::abort();
    }
    if (tensor.data.data() < bytes.data() || tensor.data.data() + tensor.data.size() > bytes.data() + bytes.size()) std::abort();
    sum += readAll({reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size()});
  }
  return sum == 0xffffffffffffffffULL ? 1 : 0;
}
