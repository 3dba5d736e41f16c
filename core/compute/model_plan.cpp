#include "core/compute/model_plan.h"

#include <fmt/format.h>

namespace hearth {
Result<const GgufTensor*> ModelPlan::find(const std::string& name, std::int64_t rows, std::int64_t cols,
                                          std::int64_t count) const {
  const GgufTensor* tensor = m_file.tensor(name);
  if (tensor == nullptr)
    return fail(ErrorCode::Corrupt, fmt::format("the model lacks the tensor {}", name), {{"tensor", name}});
  if (tensor->dims[0] != cols || tensor->dims[1] != rows || tensor->dims[2] != count || tensor->dims[3] != 1) {
    return fail(
        ErrorCode::Corrupt, fmt::format("the tensor {} has another shape than the model's configuration says", name),
        {{"tensor", name},
         {"expected", count == 1 ? fmt::format("{} x {}", cols, rows) : fmt::format("{} x {} x {}", cols, rows, count)},
         {"found", fmt::format("{}", fmt::join(tensor->dims, " x "))}});
  }
  if (tensor->info == nullptr || tensor->info->dequantize == nullptr || cols % tensor->info->blockElements != 0) {
    return fail(ErrorCode::UnsupportedFormat,
                fmt::format("the tensor {} is stored in a format that weights cannot have", name),
                {{"tensor", name},
                 {"format", tensor->info != nullptr ? tensor->info->name : "unknown"},
                 {"columns", std::to_string(cols)}});
  }
  return tensor;
}

Result<Matrix> ModelPlan::matrix(const std::string& name, std::int64_t rows, std::int64_t cols) {
  HEARTH_TRY(const GgufTensor* tensor, find(name, rows, cols));
  m_matrices.push_back({tensor, rows, cols, false, tensor->data, 1});
  return Matrix{static_cast<int>(m_matrices.size()) - 1};
}

Result<Matrix> ModelPlan::lookup(const std::string& name, std::int64_t rows, std::int64_t cols) {
  HEARTH_TRY(const GgufTensor* tensor, find(name, rows, cols));
  m_matrices.push_back({tensor, rows, cols, true, tensor->data, 1});
  return Matrix{static_cast<int>(m_matrices.size()) - 1};
}

Result<MatrixStack> ModelPlan::stack(const std::string& name, int count, std::int64_t rows, std::int64_t cols,
                                     int inputsPerToken) {
  HEARTH_TRY(const GgufTensor* tensor, find(name, rows, cols, count));
  const MatrixStack stack{static_cast<int>(m_matrices.size()), count};
  // Rows are whole blocks and the file was checked to hold them all, so the parts are equal.
  const std::size_t bytes = tensor->data.size() / static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    m_matrices.push_back({tensor, rows, cols, false, tensor->data.subspan(i * bytes, bytes), inputsPerToken});
  }
  return stack;
}

Result<Vector> ModelPlan::vector(const std::string& name, std::int64_t size) {
  HEARTH_TRY(const GgufTensor* tensor, find(name, 1, size));
  m_vectors.push_back({tensor, size});
  return Vector{static_cast<int>(m_vectors.size()) - 1};
}

Result<Vector> ModelPlan::optionalVector(const std::string& name, std::int64_t size) {
  if (!has(name)) return Vector{};
  return vector(name, size);
}

Buffer ModelPlan::buffer(std::int64_t cols) {
  m_buffers.push_back(cols);
  return Buffer{static_cast<int>(m_buffers.size()) - 1};
}

RopeTable ModelPlan::rope(const RopeSpec& spec) {
  m_ropes.push_back(spec);
  return RopeTable{static_cast<int>(m_ropes.size()) - 1};
}

}  // namespace hearth
