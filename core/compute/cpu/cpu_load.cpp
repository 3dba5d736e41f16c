#include <algorithm>
#include <cmath>
#include <utility>

#include "core/compute/cpu/cpu_model.h"

namespace hearth {

CpuPlanBytes cpuPlanBytes(const ModelPlan& plan, const kernels::KernelTable& kernels, bool exact) {
  const cpu::Layout layout(plan, kernels, exact);
  CpuPlanBytes bytes{layout.weightBytes, layout.workBytes, static_cast<std::uint64_t>(layout.widestRow) * sizeof(float), 0};
  for (const auto& entry : plan.matrices()) bytes.lookups += entry.lookup ? entry.data.size() : 0;
  return bytes;
}

namespace {

class CpuDevice final : public Device {
 public:
  CpuDevice(std::shared_ptr<ThreadPool> pool, const kernels::KernelTable& kernels)
      : m_pool(std::move(pool)), m_kernels(kernels) {}
  std::uint64_t planBytes(const ModelPlan& plan, bool exact) const override { return cpuPlanBytes(plan, m_kernels, exact).sum(); }
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
// Elements in a piece of packing: half a millisecond of work, and of the file no more than a thread's cache holds.
constexpr std::int64_t kPackElements = 1 << 20;
// Progress is told at steps of this fraction at least.
constexpr double kProgressStep = 1.0 / 256;

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
  for (const auto& rope : plan.ropes())
    ropes.push_back(reserve(workBytes, tokens * static_cast<std::uint64_t>(rope.dims) * sizeof(float)));
  for (auto& offsets : prepared) {
    for (std::size_t kind = 0; kind < kKinds; ++kind) offsets[kind] = reserve(workBytes, tokens * preparedRow[kind]);
  }
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
      return fail(ErrorCode::Corrupt, "the tensor " + entry.tensor->name + " holds values that are not finite",
                  {{"tensor", entry.tensor->name}});
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
      // Read while this one is packed. (The first one is read as it is touched.)
      if (i + 1 < layout.matrices.size() && !plan.matrices()[i + 1].lookup)
        plan.file().wantPages(plan.matrices()[i + 1].data);
      std::byte* packed = weights + layout.matrices[i].offset;
      HEARTH_CHECK(model->loadMatrix(plan.file(), entry, matrix, packed, options, doneBytes, totalBytes));
    } else {
      matrix.plan.rows = entry.rows;
      matrix.plan.cols = entry.cols;
    }
    model->m_matrices.push_back(matrix);
  }
  if (options.progress) options.progress(1.0);

  for (std::size_t i = 0; i < layout.buffers.size(); ++i) {
    model->m_buffers.push_back({reinterpret_cast<float*>(work + layout.buffers[i]), plan.buffers()[i], static_cast<int>(i)});
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
  model->m_wanted.resize(layout.buffers.size());
  for (std::size_t kind = 0; kind < Layout::kKinds; ++kind) {
    model->m_prepared[kind] = work + layout.prepared[0][kind];
    model->m_preparedNext[kind] = work + layout.prepared[1][kind];
  }
  model->m_positions.resize(static_cast<std::size_t>(plan.maxTokens()));
  model->m_kept.reserve(static_cast<std::size_t>(plan.maxTokens()));
  model->m_slots.resize(static_cast<std::size_t>(plan.maxTokens()));
  return model;
}

Result<void> CpuModel::loadMatrix(const GgufFile& file, const ModelPlan::MatrixEntry& entry, LoadedMatrix& matrix,
                                  std::byte* packed, const DeviceLoadOptions& options, std::uint64_t& doneBytes,
                                  std::uint64_t totalBytes) {
  const kernels::PackPlan& plan = matrix.plan;
  if (plan.tiles <= 0 || plan.tileBytes <= 0 || plan.activation >= Layout::kKinds) {
    return fail(ErrorCode::UnsupportedFormat, "these kernels cannot compute with the format of " + entry.tensor->name,
                {{"tensor", entry.tensor->name}, {"format", entry.tensor->info->name}, {"isa", m_kernels.isa}});
  }
  const std::byte* source = entry.data.data();
  const kernels::FormatInfo& format = *entry.tensor->info;
  const std::int64_t rowBytes = entry.cols / format.blockElements * format.blockBytes;
  const bool convert = options.exact && format.id != kernels::FormatId::F32;
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
  const auto cancelled = [&] { return options.cancelled && options.cancelled(); };
  const auto fraction = [&](std::uint64_t done) { return static_cast<double>(done) / static_cast<double>(totalBytes); };
  if (cancelled()) return fail(ErrorCode::Cancelled, "loading was cancelled");
  double told = fraction(doneBytes);
  if (options.progress) options.progress(told);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> done{doneBytes};
  const std::int64_t pieceTiles =
      std::max<std::int64_t>(1, kPackElements / std::max<std::int64_t>(1, plan.tileRows * plan.cols));
  // Cut like the products that will read it (forGrid): the thread group that first touches a page is the one that needs it.
  m_pool->forGrid((plan.tiles + pieceTiles - 1) / pieceTiles, 1, [&](std::int64_t piece, std::int64_t, int thread) {
    if (thread == 0) {  // the loading thread: callbacks are its own
      if (cancelled()) stop.store(true, std::memory_order_relaxed);
      const double now = fraction(done.load(std::memory_order_relaxed));
      if (options.progress && now >= told + kProgressStep) options.progress(told = now);
    }
    if (stop.load(std::memory_order_relaxed)) return;
    const std::int64_t begin = piece * pieceTiles, end = std::min(begin + pieceTiles, plan.tiles);
    packTiles(begin, end, floats[static_cast<std::size_t>(thread)]);
    const std::int64_t firstRow = begin * plan.tileRows, endRow = std::min(end * plan.tileRows, plan.rows);
    const auto read = entry.data.subspan(static_cast<std::size_t>(firstRow * rowBytes),
                                         static_cast<std::size_t>((endRow - firstRow) * rowBytes));
    // At once, so that never more than a few pieces are in memory twice.
    file.dropPages(read);
    done.fetch_add(read.size(), std::memory_order_relaxed);
  });
  if (stop.load()) return fail(ErrorCode::Cancelled, "loading was cancelled");
  doneBytes = done.load();
  file.dropPages(entry.data);  // what the system mapped again around the pages of later pieces
  matrix.data = packed;
  return {};
}

}  // namespace cpu
}  // namespace hearth
