#include <cstdint>
#include <cstdlib>

#include "core/formats/safetensors.h"

// Any bytes: parsing either fails with an error or gives a file whose every view lies inside the bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hearth;
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto file = SafetensorsFile::parse(bytes);
  if (!file) {
    if (file.error().code == ErrorCode::Internal || file.error().describe().empty()) std::abort();
    return 0;
  }
  std::uint64_t sum = 0, taken = 0;
  for (const SafetensorsTensor& tensor : file->tensors()) {
    if (file->tensor(tensor.name) == nullptr || tensor.elements() < 0) std::abort();
    if (tensor.format != nullptr &&
        static_cast<std::uint64_t>(tensor.elements() * tensor.format->blockBytes) != tensor.data.size())
      std::abort();
    for (const std::byte byte : tensor.data) sum += std::to_integer<std::uint64_t>(byte);
    taken += tensor.data.size();
  }
  if (taken > size) std::abort();
  return sum == ~0ULL ? 1 : 0;
}
