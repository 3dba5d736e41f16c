#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "core/base/log.h"
#include "core/monitor/monitor.h"

namespace hearth {
namespace {

// From one decode step to a long prompt.
const std::vector<double> kSeconds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120};
// From one token to the longest context.
const std::vector<double> kTokens{1, 2, 5, 10, 20, 50, 100, 200, 500, 1'000, 2'000, 5'000, 10'000, 20'000, 50'000, 100'000};

class MetricsRegistryImpl final : public MetricsRegistry {
 public:
  void add(const std::string& name, double amount, const Labels& labels) override {
    if (!(amount >= 0)) return refuse(name, "a counter only grows");
    guarded(name, [&] { family(m_counters, name, prometheus::BuildCounter()).Add(toMap(labels)).Increment(amount); });
  }

  void set(const std::string& name, double value, const Labels& labels) override {
    guarded(name, [&] { family(m_gauges, name, prometheus::BuildGauge()).Add(toMap(labels)).Set(value); });
  }

  void observe(const std::string& name, double value, const Labels& labels) override {
    guarded(name, [&] { family(m_histograms, name, prometheus::BuildHistogram()).Add(toMap(labels), kSeconds).Observe(value); });
  }

  void observe(const std::string& name, const Tally& values, const Labels& labels) override {
    if (values.empty()) return;
    guarded(name, [&] {
      family(m_histograms, name, prometheus::BuildHistogram())
          .Add(toMap(labels), Tally::boundaries(values.unit()))
          .ObserveMultiple(values.counts(), values.sum());
    });
  }

  void addCollector(std::function<void(MetricsRegistry&)> collector) override {
    const std::lock_guard lock(m_mutex);
    m_collectors.push_back(std::move(collector));
  }

  std::string text() override {
    std::vector<std::function<void(MetricsRegistry&)>> collectors;
    {
      const std::lock_guard lock(m_mutex);
      collectors = m_collectors;
    }
    for (const auto& collector : collectors) collector(*this);
    return prometheus::TextSerializer().Serialize(m_registry.Collect());
  }

 private:
  static prometheus::Labels toMap(const Labels& labels) { return {labels.begin(), labels.end()}; }

  template <class Metric>
  using Families = std::map<std::string, prometheus::Family<Metric>*>;

  template <class Metric, class Builder>
  prometheus::Family<Metric>& family(Families<Metric>& families, const std::string& name, Builder builder) {
    const std::lock_guard lock(m_mutex);
    auto found = families.find(name);
    if (found == families.end()) found = families.emplace(name, &builder.Name(name).Register(m_registry)).first;
    return *found->second;
  }

  // The library throws on names that Prometheus forbids and on one name of two kinds: a bug of ours, said once.
  template <class Work>
  void guarded(const std::string& name, Work&& work) {
    try {
      work();
    } catch (const std::exception& error) {
      refuse(name, error.what());
    }
  }

  void refuse(const std::string& name, std::string_view reason) {
    const std::lock_guard lock(m_mutex);
    if (m_refused.insert(name).second) log::error("monitor", fmt::format("metric {} dropped: {}", name, reason));
  }

  prometheus::Registry m_registry;  // self-synchronised
  std::mutex m_mutex;               // guards what follows
  Families<prometheus::Counter> m_counters;
  Families<prometheus::Gauge> m_gauges;
  Families<prometheus::Histogram> m_histograms;
  std::vector<std::function<void(MetricsRegistry&)>> m_collectors;
  std::set<std::string> m_refused;
};

}  // namespace

const std::vector<double>& Tally::boundaries(Unit unit) noexcept { return unit == Unit::Seconds ? kSeconds : kTokens; }

void Tally::add(double value) {
  if (!(value >= 0)) return;
  const std::vector<double>& bounds = boundaries(m_unit);
  const auto bucket = std::ranges::lower_bound(bounds, value) - bounds.begin();
  ++m_counts[static_cast<std::size_t>(bucket)];
  ++m_total;
  m_sum += value;
}

void Tally::clear() noexcept {
  std::ranges::fill(m_counts, 0.0);
  m_total = 0;
  m_sum = 0;
}

std::unique_ptr<MetricsRegistry> MetricsRegistry::create() { return std::make_unique<MetricsRegistryImpl>(); }

}  // namespace hearth
