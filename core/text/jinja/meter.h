#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "core/text/chat_template.h"

namespace hearth::jinja {

/// Thrown and caught inside core/text only: a template's own failure on its way to ChatTemplate's boundary.
struct Failure {
  std::string message;
  int line = 0;         ///< 1-based; 0 = not known yet, the nearest statement fills it in
  std::string limit{};  ///< which cap was reached: "steps", "depth", "output_bytes"; empty otherwise
  std::size_t limitValue = 0;
};

[[noreturn]] inline void raise(std::string message) { throw Failure{std::move(message)}; }

/// Counts what one rendering costs, so that no template can take the machine: nodes evaluated, elements touched, and bytes
/// produced or searched (kBytesPerStep of them are one step). One per rendering, one thread.
class Meter {
 public:
  static constexpr std::size_t kBytesPerStep = 128;

  explicit Meter(const TemplateLimits& limits) : m_limits(limits), m_left(limits.steps) {}

  void charge(std::size_t steps) {
    if (steps > m_left) throw Failure{"the template ran past its step limit", 0, "steps", m_limits.steps};
    m_left -= steps;
  }
  void chargeBytes(std::size_t bytes) { charge(bytes / kBytesPerStep); }

  /// Called before a string of `bytes` exists, so that 'x' * 10**12 costs nothing.
  void checkOutput(std::size_t bytes) const {
    if (bytes > m_limits.outputBytes)
      throw Failure{"the template's text grew past its size limit", 0, "output_bytes", m_limits.outputBytes};
  }
  void checkDepth(std::size_t depth) const {
    if (depth > m_limits.depth) throw Failure{"the template nests deeper than allowed", 0, "depth", m_limits.depth};
  }

 private:
  friend class DepthGuard;
  TemplateLimits m_limits;
  std::size_t m_left;
  std::size_t m_depth = 0;
};

/// One level of nesting while it lives.
class DepthGuard {
 public:
  explicit DepthGuard(Meter& meter) : m_meter(meter) {
    m_meter.checkDepth(m_meter.m_depth + 1);
    ++m_meter.m_depth;
  }
  ~DepthGuard() { --m_meter.m_depth; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;

 private:
  Meter& m_meter;
};

}  // namespace hearth::jinja
