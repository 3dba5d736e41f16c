#pragma once

#include <QObject>

#include <atomic>
#include <memory>
#include <thread>

namespace hearth::test {

/// Measures how long the Qt thread keeps others waiting: a thread of its own sends it an event every few milliseconds and
/// takes the time until it is handled. Time in which the system gave the processor to somebody else does not count, so that
/// a busy machine is not taken for a slow window. Made and asked on the Qt thread; between reset() and the question only the
/// event loop may run (QTest::qWait, waitUntil), for the test's own work on this thread would be measured too.
class GuiWatchdog {
 public:
  GuiWatchdog();
  ~GuiWatchdog();
  GuiWatchdog(const GuiWatchdog&) = delete;
  GuiWatchdog& operator=(const GuiWatchdog&) = delete;

  /// Forgets what was measured. Call it from the test, then run the event loop.
  void reset();
  /// The longest gap since then, in milliseconds.
  [[nodiscard]] double longestGap() const;
  /// How many events were handled since then: a measurement that saw none proves nothing.
  [[nodiscard]] int turns() const;

 private:
  class Receiver;
  void watch(const std::stop_token& stop);

  std::unique_ptr<Receiver> m_receiver;
  std::jthread m_thread;
};

}  // namespace hearth::test
