#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/formats/gguf.h"
#include "kernels/cpu/kernel_table.h"

namespace hearth {

/// Handles into a ModelPlan, and into whatever Device realised it. Small values, free to copy; absent when index < 0.
struct Matrix {
  int index = -1;
  [[nodiscard]] explicit operator bool() const noexcept { return index >= 0; }
};
/// `count` matrices of one shape that one tensor holds: the experts of a layer.
struct MatrixStack {
  int first = -1;
  int count = 0;
  [[nodiscard]] Matrix operator[](int index) const noexcept { return {first + index}; }
  [[nodiscard]] explicit operator bool() const noexcept { return count > 0; }
};
struct Vector {
  int index = -1;
  [[nodiscard]] explicit operator bool() const noexcept { return index >= 0; }
};
/// Activation rows of a step in the device's memory: [tokens of the step × cols] floats.
struct Buffer {
  int index = -1;
};
struct RopeTable {
  int index = -1;
  [[nodiscard]] explicit operator bool() const noexcept { return index >= 0; }
};

/// Rotary position embedding (RoFormer, arXiv 2104.09864): pair i of a head turns by position · frequencyScale ·
/// base^(-2i/dims) / factors[i].
struct RopeSpec {
  kernels::RopeStyle style = kernels::RopeStyle::Interleaved;
  int dims = 0;  ///< rotated dimensions of a head, even
  double base = 10000.0;
  double frequencyScale = 1.0;  ///< 1/factor of linear scaling
  Vector factors;               ///< [dims/2], optional
};

/// What a model family needs from a device, collected before anything is allocated: weights by name and shape, activation
/// buffers, rotation tables. Building one checks every tensor against the file, so that a Device can size the load (and
/// refuse it) first. Used by one thread. The file outlives the plan.
class ModelPlan {
 public:
  struct MatrixEntry {
    const GgufTensor* tensor = nullptr;
    std::int64_t rows = 0, cols = 0;
    bool lookup = false;              ///< read row by row from the file (token embedding), never packed
    std::span<const std::byte> data;  ///< the matrix's bytes: the whole tensor, or its part of a stack
    int inputsPerToken = 1;           ///< rows that a token of the step may bring to it (and its stack) at most
  };
  struct VectorEntry {
    const GgufTensor* tensor = nullptr;
    std::int64_t size = 0;
  };

  ModelPlan(const GgufFile& file, int maxTokens) : m_file(file), m_maxTokens(maxTokens) {}

  /// A matrix of `rows` outputs by `cols` inputs. Errors: Corrupt (missing, or another shape; evidence: tensor, expected,
  /// found), UnsupportedFormat (tensor, format).
  [[nodiscard]] Result<Matrix> matrix(const std::string& name, std::int64_t rows, std::int64_t cols);
  /// The same for a table that is only looked up by row, such as the token embedding.
  [[nodiscard]] Result<Matrix> lookup(const std::string& name, std::int64_t rows, std::int64_t cols);
  /// `count` matrices of `rows` by `cols` in a tensor of three dimensions; all of them together take at most
  /// `inputsPerToken` rows for each token of a step. Errors as matrix().
  [[nodiscard]] Result<MatrixStack> stack(const std::string& name, int count, std::int64_t rows, std::int64_t cols,
                                          int inputsPerToken);
  /// A vector of `size` weights: a norm, a bias. Errors as matrix().
  [[nodiscard]] Result<Vector> vector(const std::string& name, std::int64_t size);
  /// Absent (index -1) when the file has no such tensor. Errors as matrix() for a wrong shape.
  [[nodiscard]] Result<Vector> optionalVector(const std::string& name, std::int64_t size);
  [[nodiscard]] bool has(const std::string& name) const { return m_file.tensor(name) != nullptr; }

  [[nodiscard]] Buffer buffer(std::int64_t cols);
  [[nodiscard]] RopeTable rope(const RopeSpec& spec);

  [[nodiscard]] const GgufFile& file() const noexcept { return m_file; }
  [[nodiscard]] int maxTokens() const noexcept { return m_maxTokens; }
  [[nodiscard]] std::span<const MatrixEntry> matrices() const noexcept { return m_matrices; }
  [[nodiscard]] std::span<const VectorEntry> vectors() const noexcept { return m_vectors; }
  [[nodiscard]] std::span<const std::int64_t> buffers() const noexcept { return m_buffers; }  ///< columns of each
  [[nodiscard]] std::span<const RopeSpec> ropes() const noexcept { return m_ropes; }

 private:
  Result<const GgufTensor*> find(const std::string& name, std::int64_t rows, std::int64_t cols,
                                 std::int64_t count = 1) const;

  const GgufFile& m_file;
  int m_maxTokens;
  std::vector<MatrixEntry> m_matrices;
  std::vector<VectorEntry> m_vectors;
  std::vector<std::int64_t> m_buffers;
  std::vector<RopeSpec> m_ropes;
};

}  // namespace hearth
