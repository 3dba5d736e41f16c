#include <algorithm>
#include <cmath>
#include <utility>

#include "core/compute/cpu/cpu_model.h"

namespace hearth {

std::uint64_t cpuPlanBytes(const ModelPlan& plan, const kernels::KernelTable& kernels, bool exact) {
  const cpu::Layout layout(plan, kernels, exact);
  return layout.weightBytes + layout.workBytes;
}

namespace {

class CpuDevice final : public Device {
 public:
  CpuDevice(std::shared_ptr<ThreadPool> pool, const kernels::KernelTable& kernels) : m_pool(std::move(pool)), m_kernels(kernels) {}
  std::uint64_t planBytes(const ModelPlan& plan, bool exact) const override { return cpuPlanBytes(plan, m_kernels, exact); }
  Result<std::unique_ptr<DeviceModel>> load(const ModelPlan& plan, const DeviceLoadOptions& options) const override {
    return cpu::CpuModel::load(m_pool, m_kernels, plan, options);
  }

 private:
  std::shared_ptr<ThreadPool> m_pool;
  const kernels::KernelTable& m_kernels;
};

}  // namespace

std::unique_ptr<Device> makeCpuDevice(std::shared_ptr<ThreadPool> pool, const kernels::KernelTable& kernels) {
  return std::make_unique<CpuDevice>(std::move(pool), kernels);
}

namespace cpu {
namespace {

constexpr std::uint64_t kAlignment = 64;  // what packed matrices and prepared rows need
// Elements packed between two looks at the cancel flag: about 10 ms of work.
constexpr std::int64_t kPackStep = 8 << 20;

std::uint64_t reserve(std::uint64_t& total, std::uint64_t bytes) {
  const std::uint64_t offset = total;
  total += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  return offset;
}

}  // namespace

Layout::Layout(const ModelPlan& plan, const kernels::KernelTable& kernels, bool exact) {
  const auto tokens = static_cast<std::uint64_t>(plan.maxTokens());
  std::array<std::uint64_t, kKinds> preparedRow{};
  for (const auto& entry : plan.matrices()) {
    PlacedMatrix placed;
    if (!entry.lookup) {
      placed.plan = kernels.planPack(exact ? kernels::FormatId::F32 : entry.tensor->format, entry.rows, entry.cols);
      placed.offset = reserve(weightBytes, static_cast<std::uint64_t>(placed.plan.tiles * placed.plan.tileBytes));
      const auto kind = static_cast<kernels::ActivationKind>(placed.plan.activation);
      auto& row = preparedRow[std::min<std::size_t>(kind, kKinds - 1)];
      row = std::max(row, static_cast<std::uint64_t>(entry.inputsPerToken * kernels.activationBytes(kind, entry.cols)));
      widestRow = std::max(widestRow, entry.cols);
    }
    matrices.push_back(placed);
  }
  for (const auto& entry : plan.vectors()) {
    vectors.push_back(reserve(weightBytes, static_cast<std::uint64_t>(entry.size) * sizeof(float)));
    widestRow = std::max(widestRow, entry.size);
  }
  for (const std::int64_t cols : plan.buffers()) {
    buffers.push_back(reserve(workBytes, tokens * static_cast<std::uint64_t>(cols) * sizeof(float)));
    widestRow = std::max(widestRow, cols);
  }
  for (const auto& rope : plan.ropes()) ropes.push_back(reserve(workBytes, tokens * static_cast<std::uint64_t>(rope.dims) * sizeof(float)));
  for (std::size_t kind = 0; kind < kKinds; ++kind) prepared[kind] = reserve(workBytes, tokens * preparedRow[kind]);
}

Result<std::unique_ptr<CpuModel>> CpuModel::load(std::shared_ptr<ThreadPool> pool, const kernels::KernelTable& kernels,
                                                 const ModelPlan& plan, const DeviceLoadOptions& options) {
  const Layout layout(plan, kernels, options.exact);
  std::unique_ptr<CpuModel> model(new CpuModel(std::move(pool), kernels));
  HEARTH_TRY(model->m_weights, platform::BigMemory::reserve(std::max<std::uint64_t>(layout.weightBytes, kAlignment)));
  HEARTH_TRY(model->m_work, platform::BigMemory::reserve(std::max<std::uint64_t>(layout.workBytes, kAlignment)));
  std::byte* weights = model->m_weights.data();
  std::byte* work = model->m_work.data();

  for (std::size_t i = 0; i < layout.vectors.size(); ++i) {
    const auto& entry = plan.vectors()[i];
    auto* values = reinterpret_cast<float*>(weights + layout.vectors[i]);
    entry.tensor->info->dequantize(entry.tensor->data.data(), values, entry.size);
    if (!std::all_of(values, values + entry.size, [](float value) { return std::isfinite(value); })) {
      return fail(ErrorCode::Corrupt, "the tensor " + entry.tensor->name + " holds values that are not finite", {{"tensor", entry.tensor->name}});
    }
    model->m_vectors.push_back(values);
  }

  std::uint64_t totalBytes = 1, doneBytes = 0;
  for (const auto& entry : plan.matrices()) totalBytes += entry.lookup ? 0 : entry.data.size();
  model->m_scratch.resize(static_cast<std::size_t>(model->m_pool->threadCount()));
  for (auto& scratch : model->m_scratch) scratch.row.resize(static_cast<std::size_t>(layout.widestRow));
  for (std::size_t i = 0; i < layout.matrices.size(); ++i) {
    const auto& entry = plan.matrices()[i];
    LoadedMatrix matrix{layout.matrices[i].plan, entry.data.data(), entry.tensor->info};
    if (!entry.lookup) {
      std::byte* packed = weights + layout.matrices[i].offset;
      HEARTH_CHECK(model->loadMatrix(entry, matrix, packed, options.exact, options, doneBytes, totalBytes));
      const bool last = i + 1 == layout.matrices.size() || plan.matrices()[i + 1].tensor != entry.tensor;  // of a stack
      if (last) plan.file().dropPages(*entry.tensor);
    } else {
      matrix.plan.rows = entry.rows;
      matrix.plan.cols = entry.cols;
    }
    model->m_matrices.push_back(matrix);
  }
  if (options.progress) options.progress(1.0);

  for (std::size_t i = 0; i < layout.buffers.size(); ++i) {
    model->m_buffers.push_back({reinterpret_cast<float*>(work + layout.buffers[i]), plan.buffers()[i]});
  }
  for (std::size_t i = 0; i < layout.ropes.size(); ++i) {
    Rope rope{plan.ropes()[i], {}, reinterpret_cast<float*>(work + layout.ropes[i]), nullptr};
    const int pairs = rope.spec.dims / 2;
    rope.sines = rope.cosines + static_cast<std::int64_t>(plan.maxTokens()) * pairs;
    const float* factors = model->vector(rope.spec.factors);
    for (int pair = 0; pair < pairs; ++pair) {
      const double frequency = rope.spec.frequencyScale * std::pow(rope.spec.base, -2.0 * pair / rope.spec.dims);
      rope.frequencies.push_back(factors != nullptr ? frequency / static_cast<double>(factors[pair]) : frequency);
    }
    model->m_ropes.push_back(std::move(rope));
  }
  for (std::size_t kind = 0; kind < Layout::kKinds; ++kind) model->m_prepared[kind] = work + layout.prepared[kind];
  model->m_positions.resize(static_cast<std::size_t>(plan.maxTokens()));
  model->m_slots.resize(static_cast<std::size_t>(plan.maxTokens()));
  return model;
}

Result<void> CpuModel::loadMatrix(const ModelPlan::MatrixEntry& entry, LoadedMatrix& matrix, std::byte* packed, bool exact,
                                  const DeviceLoadOptions& options, std::uint64_t& doneBytes, std::uint64_t totalBytes) {
  const kernels::PackPlan& plan = matrix.plan;
  if (plan.tiles <= 0 || plan.tileBytes <= 0 || plan.activation >= Layout::kKinds) {
    return fail(ErrorCode::UnsupportedFormat, "these kernels cannot compute with the format of " + entry.tensor->name,
                {{"tensor", entry.tensor->name}, {"format", entry.tensor->info->name}, {"isa", m_kernels.isa}});
  }
  const std::byte* source = entry.data.data();
  const kernels::FormatInfo& format = *entry.tensor->info;
  const std::int64_t rowBytes = entry.cols / format.blockElements * format.blockBytes;
  const bool convert = exact && format.id != kernels::FormatId::F32;
  // Exact: a tile is dequantised into the thread's own floats and packed as a matrix of that one tile.
  const auto packTiles = [&](std::int64_t begin, std::int64_t end, std::vector<float>& floats) {
    if (!convert) {
      m_kernels.pack(plan, source, packed, begin, end);
      return;
    }
    for (std::int64_t tile = begin; tile < end; ++tile) {
      kernels::PackPlan one = plan;
      one.rows = std::min(plan.tileRows, plan.rows - tile * plan.tileRows);
      one.tiles = 1;
      format.dequantize(source + tile * plan.tileRows * rowBytes, floats.data(), one.rows * plan.cols);
      m_kernels.pack(one, reinterpret_cast<const std::byte*>(floats.data()), packed + tile * plan.tileBytes, 0, 1);
    }
  };
  std::vector<std::vector<float>> floats(static_cast<std::size_t>(m_pool->threadCount()));
  if (convert) {
    for (auto& one : floats) one.resize(static_cast<std::size_t>(plan.tileRows * plan.cols));
  }
  const std::int64_t step = std::max<std::int64_t>(1, kPackStep / std::max<std::int64_t>(1, plan.tileRows * plan.cols));
  for (std::int64_t begin = 0; begin < plan.tiles; begin += step) {
    if (options.cancelled && options.cancelled()) return fail(ErrorCode::Cancelled, "loading was cancelled");
    if (options.progress) options.progress(static_cast<double>(doneBytes) / static_cast<double>(totalBytes));
    const std::int64_t end = std::min(begin + step, plan.tiles);
    const std::int64_t grain = std::max<std::int64_t>(1, (end - begin) / (8 * m_pool->threadCount()));
    m_pool->forRange(end - begin, grain, [&](std::int64_t first, std::int64_t last, int thread) {
      packTiles(begin + first, begin + last, floats[static_cast<std::size_t>(thread)]);
    });
    doneBytes += static_cast<std::uint64_t>((std::min(end * plan.tileRows, plan.rows) - begin * plan.tileRows) * rowBytes);
  }
  matrix.data = packed;
  return {};
}

}  // namespace cpu
}  // namespace hearth
