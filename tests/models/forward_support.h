#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include "core/models/model.h"

namespace hearth::testing {

/// One model with a KV cache of its own, fed a sequence at a time: what the engine does, without its scheduler.
class Runner {
 public:
  Runner(Model& model, int pageTokens, int pages, std::optional<kernels::KvType> type = {}) : m_model(model) {
    KvShape shape = model.kvShape();
    if (type) shape.type = *type;
    m_kv = std::move(*KvStorage::create(shape, pageTokens, pages));
    m_table.resize(static_cast<std::size_t>(pages));
    // Not in order, so that a block table that is ignored is noticed.
    for (int i = 0; i < pages; ++i) m_table[static_cast<std::size_t>(i)] = pages - 1 - i;
  }

  /// Runs tokens after what was run before; appends logits of every token (or the last alone) to `logits`.
  Result<void> feed(std::span<const TokenId> tokens, std::vector<float>* logits, bool lastOnly = false) {
    const SequenceSlice slice{0, static_cast<std::int32_t>(tokens.size()), m_past, m_table};
    std::vector<std::int32_t> rows(lastOnly ? 1 : tokens.size());
    std::iota(rows.begin(), rows.end(), lastOnly ? static_cast<int>(tokens.size()) - 1 : 0);
    if (logits == nullptr) rows.clear();
    const std::size_t vocabulary = static_cast<std::size_t>(m_model.config().vocabulary);
    std::vector<float> out(rows.size() * vocabulary);
    const Batch batch{tokens, std::span(&slice, 1), rows};
    HEARTH_CHECK(m_model.forward(batch, *m_kv, out));
    m_past += static_cast<std::int32_t>(tokens.size());
    if (logits != nullptr) logits->insert(logits->end(), out.begin(), out.end());
    return {};
  }

  /// feed() in pieces of at most `chunk` tokens.
  Result<std::vector<float>> all(std::span<const TokenId> tokens, std::size_t chunk) {
    std::vector<float> logits;
    for (std::size_t at = 0; at < tokens.size(); at += chunk) {
      HEARTH_CHECK(feed(tokens.subspan(at, std::min(chunk, tokens.size() - at)), &logits));
    }
    return logits;
  }

  void restart() { m_past = 0; }
  [[nodiscard]] KvStorage& kv() noexcept { return *m_kv; }
  [[nodiscard]] std::span<const PageId> table() const noexcept { return m_table; }

 private:
  Model& m_model;
  std::unique_ptr<KvStorage> m_kv;
  std::vector<PageId> m_table;
  std::int32_t m_past = 0;
};

/// |a - b| / |b| in the Euclidean norm over everything.
inline double relativeError(std::span<const float> a, std::span<const float> b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - b[i], 2);
    size += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(difference / size);
}

/// relativeError() of each row of `vocabulary` logits, ascending.
inline std::vector<double> rowErrors(std::span<const float> a, std::span<const float> b, std::size_t vocabulary) {
  std::vector<double> errors;
  for (std::size_t at = 0; at + vocabulary <= b.size(); at += vocabulary) {
    errors.push_back(relativeError(a.subspan(at, vocabulary), b.subspan(at, vocabulary)));
  }
  std::sort(errors.begin(), errors.end());
  return errors;
}

/// Mean negative log likelihood of tokens[i + 1] under logits row i.
inline double meanLoss(std::span<const float> logits, std::span<const TokenId> tokens, std::size_t vocabulary) {
  double total = 0;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const float* row = logits.data() + i * vocabulary;
    const double top = *std::max_element(row, row + vocabulary);
    double sum = 0;
    for (std::size_t v = 0; v < vocabulary; ++v) sum += std::exp(row[v] - top);
    total += std::log(sum) + top - row[tokens[i + 1]];
  }
  return total / static_cast<double>(tokens.size() - 1);
}

/// Share of rows whose largest logit is at the same place.
inline double topAgreement(std::span<const float> a, std::span<const float> b, std::size_t vocabulary) {
  const std::size_t rows = b.size() / vocabulary;
  std::size_t same = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto top = [&](std::span<const float> x) {
      const float* row = x.data() + i * vocabulary;
      return std::max_element(row, row + vocabulary) - row;
    };
    same += top(a) == top(b) ? 1 : 0;
  }
  return static_cast<double>(same) / static_cast<double>(rows);
}

}  // namespace hearth::testing
