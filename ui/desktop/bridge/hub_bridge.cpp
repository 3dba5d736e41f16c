#include "ui/desktop/bridge/hub_bridge.h"

#include <QDir>

#include <algorithm>

#include "core/base/platform/platform.h"
#include "core/models/registry.h"
#include "core/monitor/memory_speed.h"

namespace hearth::ui {

namespace {
constexpr int kMostResults = 30;
}

HubBridge::HubBridge(Host& host, Worker& worker) : m_host(host), m_worker(worker), m_home(QDir::homePath()) {}

HubBridge::~HubBridge() { detach(); }

void HubBridge::detach() {
  m_ending.request_stop();
  m_search.request_stop();
}

std::vector<HubBridge::HubName> HubBridge::hubs() const {
  std::vector<HubName> names;
  const auto all = m_host.modelSource().hubs();
  for (const auto& hub : *all) {
    if (!hub->searches()) continue;
    names.push_back({QString::fromUtf8(hub->id().data(), static_cast<qsizetype>(hub->id().size())),
                     QString::fromUtf8(hub->name().data(), static_cast<qsizetype>(hub->name().size()))});
  }
  return names;
}

void HubBridge::search(const QString& hub, const QString& words, QObject* context,
                       std::function<void(const Result<std::vector<HubModel>>&)> done) {
  cancelSearch();
  m_worker.run(
      context,
      [hubs = m_host.modelSource().hubs(), id = hub.toStdString(), text = words.toStdString(),
       stop = m_search.get_token()]() -> Result<std::vector<HubModel>> {
        const auto found = std::ranges::find(*hubs, id, [](const auto& each) { return each->id(); });
        if (found == hubs->end()) return fail(ErrorCode::InvalidArgument, "no such hub", {{"hub", id}});
        return (*found)->search(text, kMostResults, stop);
      },
      [this, question = m_question, done = std::move(done)](const Result<std::vector<HubModel>>& found) {
        if (question == m_question) done(found);
      });
}

void HubBridge::cancelSearch() {
  ++m_question;
  m_search.request_stop();
  m_search = std::stop_source();
  if (m_ending.stop_requested()) m_search.request_stop();
}

void HubBridge::list(const ModelReference& reference, QObject* context,
                     std::function<void(const Result<HubListing>&)> done) {
  m_worker.run(
      context,
      [hubs = m_host.modelSource().hubs(), reference, stop = m_ending.get_token()]() -> Result<HubListing> {
        const auto found = std::ranges::find(*hubs, reference.hub, [](const auto& each) { return each->id(); });
        if (found == hubs->end()) return fail(ErrorCode::InvalidArgument, "no such hub", {{"hub", reference.hub}});
        return (*found)->list(reference.repository, reference.revision, stop);
      },
      std::move(done));
}

void HubBridge::machine(QObject* context, std::function<void(const Machine&)> done) {
  if (m_given) {
    done(*m_given);
    return;
  }
  const double known = m_machine ? m_machine->profile.readBytesPerSecond : 0;
  const int threads = m_host.pool().threads();
  m_worker.run(
      context,
      [this, known, threads] {
        Machine machine;
        const platform::MemoryInfo memory = platform::memoryInfo();
        machine.profile.memoryBytes = memory.totalBytes;
        machine.profile.freeBytes = memory.availableBytes;
        machine.profile.readBytesPerSecond = known > 0 ? known : memoryReadSpeed(threads);
        machine.cpu = QString::fromStdString(platform::cpuName());
        machine.cores = platform::physicalCores();
        return machine;
      },
      [this, done = std::move(done)](const Machine& machine) {
        m_machine = machine;
        done(machine);
      });
}

bool HubBridge::canRun(const std::string& architecture) {
  return architecture.empty() || std::ranges::find(models::architectures(), architecture, &models::Architecture::name) !=
                                     models::architectures().end();
}

void HubBridge::otherModels(QObject* context, std::function<void(const std::vector<OtherModels>&)> done) {
  m_worker.run(
      context,
      [this, home = m_home.toStdString(), root = m_root.toStdString()] {
        std::vector<std::filesystem::path> searched = m_host.library().folders();
        searched.push_back(m_host.paths().models());
        return findOtherModels(home, searched, root);
      },
      std::move(done));
}

}  // namespace hearth::ui
