#include "kernels/quant/format.h"

#include "kernels/quant/k_quants.h"
#include "kernels/quant/legacy.h"
#include "kernels/quant/plain.h"

namespace hearth::kernels {
namespace {

template <class Traits>
void dequantize(const std::byte* source, float* destination, std::int64_t count) noexcept {
  for (std::int64_t i = 0; i < count; i += Traits::kBlockElements, source += Traits::kBlockBytes) {
    Traits::dequantizeBlock(source, destination + i);
  }
}

template <class Traits>
void quantize(const float* source, std::byte* destination, std::int64_t count) noexcept {
  for (std::int64_t i = 0; i < count; i += Traits::kBlockElements, destination += Traits::kBlockBytes) {
    Traits::quantizeBlock(source + i, destination);
  }
}

template <class Traits>
constexpr FormatInfo makeFormat(FormatId id, const char* name) noexcept {
  return {id, name, Traits::kBlockElements, Traits::kBlockBytes, &dequantize<Traits>, &quantize<Traits>};
}

constexpr FormatInfo kFormats[] = {
    makeFormat<F32Traits>(FormatId::F32, "F32"),    makeFormat<F16Traits>(FormatId::F16, "F16"),
    makeFormat<Bf16Traits>(FormatId::BF16, "BF16"), makeFormat<Q4_0Traits>(FormatId::Q4_0, "Q4_0"),
    makeFormat<Q4_1Traits>(FormatId::Q4_1, "Q4_1"), makeFormat<Q5_0Traits>(FormatId::Q5_0, "Q5_0"),
    makeFormat<Q5_1Traits>(FormatId::Q5_1, "Q5_1"), makeFormat<Q8_0Traits>(FormatId::Q8_0, "Q8_0"),
    makeFormat<Q4_KTraits>(FormatId::Q4_K, "Q4_K"), makeFormat<Q5_KTraits>(FormatId::Q5_K, "Q5_K"),
    makeFormat<Q6_KTraits>(FormatId::Q6_K, "Q6_K"),
};

}  // namespace

std::span<const FormatInfo> formats() noexcept { return kFormats; }

const FormatInfo* findFormat(std::uint32_t ggufType) noexcept {
  for (const FormatInfo& format : kFormats) {
    if (static_cast<std::uint32_t>(format.id) == ggufType) return &format;
  }
  return nullptr;
}

}  // namespace hearth::kernels
