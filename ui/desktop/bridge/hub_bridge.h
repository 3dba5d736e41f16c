#pragma once

#include <QObject>
#include <QString>

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/host/host.h"
#include "core/library/catalogue.h"
#include "core/library/other_programs.h"
#include "ui/desktop/bridge/worker.h"

namespace hearth::ui {

/// What models can be got, and what this machine can do with them. Qt thread only; questions to hubs run on a worker of
/// their own and end with detach().
class HubBridge : public QObject {
  Q_OBJECT
 public:
  HubBridge(Host& host, Worker& worker);
  ~HubBridge() override;
  void detach();

  struct HubName {
    QString id, name;
  };
  /// Those that can be searched, the default first.
  [[nodiscard]] std::vector<HubName> hubs() const;
  /// Words → repositories. A new question ends the one before, whose `done` is not called then.
  void search(const QString& hub, const QString& words, QObject* context,
              std::function<void(const Result<std::vector<HubModel>>&)> done);
  /// What a repository has; `reference` as parseModelReference makes it, without an address of a file. Ends no other
  /// question.
  void list(const ModelReference& reference, QObject* context, std::function<void(const Result<HubListing>&)> done);
  void cancelSearch();

  /// The machine as it is now; the speed of its memory is measured once (a tenth of a second, not on this thread).
  struct Machine {
    MachineProfile profile;
    QString cpu;
    int cores = 0;
  };
  void machine(QObject* context, std::function<void(const Machine&)> done);
  /// As it was found last, if it was.
  [[nodiscard]] const std::optional<Machine>& knownMachine() const noexcept { return m_machine; }
  /// Tests and pictures bring their own.
  void setMachine(const Machine& machine) { m_given = m_machine = machine; }

  /// False for a kind of model that the engine lacks; an empty name is given the chance.
  [[nodiscard]] static bool canRun(const std::string& architecture);
  /// Folders of other programs with models that the library does not search yet.
  void otherModels(QObject* context, std::function<void(const std::vector<OtherModels>&)> done);
  void setHome(const QString& folder) { m_home = m_root = folder; }  ///< tests bring their own

 private:
  Host& m_host;
  Worker& m_worker;
  std::stop_source m_ending;
  std::stop_source m_search;
  quint64 m_question = 0;
  std::optional<Machine> m_machine, m_given;
  QString m_home, m_root = QStringLiteral("/");
};

}  // namespace hearth::ui
