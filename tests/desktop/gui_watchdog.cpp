#include "gui_watchdog.h"

#include <QCoreApplication>
#include <QEvent>

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

namespace hearth::test {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kPause = 2ms;

/// Nanoseconds that a thread of this process was ready and had no processor; 0 where the system does not say.
std::int64_t waitedForProcessor(long thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/schedstat");
  std::int64_t ran = 0;
  std::int64_t waited = 0;
  return file >> ran >> waited ? waited : 0;
}

}  // namespace

class GuiWatchdog::Receiver : public QObject {
 public:
  bool event(QEvent* event) override {
    if (event->type() != QEvent::User) return QObject::event(event);
    const double wall = std::chrono::duration<double, std::milli>(Clock::now() - sent.load()).count();
    const double stolen = static_cast<double>(waitedForProcessor(thread) - waited.load()) / 1e6;
    if (const double gap = wall - stolen; fresh && gap > longest) longest = gap;
    fresh = true;
    ++turns;
    open = false;
    return true;
  }
  const long thread = ::syscall(SYS_gettid);
  std::atomic<Clock::time_point> sent{Clock::now()};
  std::atomic<std::int64_t> waited{0};
  std::atomic<bool> open{false};
  // The Qt thread's.
  double longest = 0;
  int turns = 0;
  bool fresh = true;  // the event under way was sent after the reset
};

GuiWatchdog::GuiWatchdog() : m_receiver(std::make_unique<Receiver>()) {
  m_thread = std::jthread([this](const std::stop_token& stop) { watch(stop); });
}

GuiWatchdog::~GuiWatchdog() {
  m_thread.request_stop();
  m_thread.join();
}

void GuiWatchdog::watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!m_receiver->open.exchange(true)) {
      m_receiver->waited = waitedForProcessor(m_receiver->thread);
      m_receiver->sent = Clock::now();
      QCoreApplication::postEvent(m_receiver.get(), new QEvent(QEvent::User), Qt::HighEventPriority);
    }
    std::this_thread::sleep_for(kPause);
  }
}

void GuiWatchdog::reset() {
  m_receiver->longest = 0;
  m_receiver->turns = 0;
  m_receiver->fresh = !m_receiver->open;
}

double GuiWatchdog::longestGap() const { return m_receiver->longest; }
int GuiWatchdog::turns() const { return m_receiver->turns; }

}  // namespace hearth::test
