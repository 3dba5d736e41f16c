#include "core/server/transport/exchange_impl.h"

#include <utility>

namespace hearth::http {

ExchangeImpl::ExchangeImpl(Request request, std::size_t streamBufferBytes, Wake wake)
    : m_request(std::move(request)), m_streamBufferBytes(streamBufferBytes), m_wake(std::move(wake)) {}

void ExchangeImpl::respond(Response response) {
  const std::lock_guard lock(m_mutex);
  if (m_state != State::Waiting) return;
  m_state = State::Ended;
  m_head = std::move(response);
  if (m_wake) m_wake();
}

bool ExchangeImpl::startStream(Response head) {
  const std::lock_guard lock(m_mutex);
  if (m_state != State::Waiting || m_refusing || !m_wake) return false;
  m_state = State::Streaming;
  m_streamed = true;
  m_head = std::move(head);
  m_wake();
  return true;
}

bool ExchangeImpl::write(std::string_view piece) {
  const std::lock_guard lock(m_mutex);
  if (m_state != State::Streaming || m_refusing || m_overflow || !m_wake) return false;
  if (m_pending.size() + m_inFlight + piece.size() > m_streamBufferBytes) {
    // The producer must not wait and memory must not grow: who is this far behind is not reading.
    m_overflow = true;
    m_wake();
    return false;
  }
  const bool wasEmpty = m_pending.empty();
  m_pending.append(piece);
  if (wasEmpty) m_wake();
  return true;
}

void ExchangeImpl::finish() {
  const std::lock_guard lock(m_mutex);
  if (m_state != State::Streaming) return;
  m_state = State::Ended;
  m_broken = m_overflow;  // what lacks a piece must not look whole
  if (m_wake) m_wake();
}

void ExchangeImpl::abandon() {
  const std::lock_guard lock(m_mutex);
  if (m_state == State::Ended) return;
  m_state = State::Ended;
  m_broken = true;
  if (m_wake) m_wake();
}

void ExchangeImpl::onAbort(std::function<void(AbortReason)> callback) {
  std::optional<AbortReason> already;
  {
    const std::lock_guard lock(m_mutex);
    if (m_aborted || !m_wake) {
      already = m_aborted.value_or(AbortReason::Disconnected);
    } else {
      m_onAbort = std::move(callback);
    }
  }
  if (already) callback(*already);
}

void ExchangeImpl::every(std::chrono::milliseconds first, std::chrono::milliseconds interval, std::function<void()> callback) {
  const std::lock_guard lock(m_mutex);
  if (!m_wake || m_state == State::Ended) return;
  m_onTick = std::move(callback);
  m_tickInterval = interval;
  m_nextTick = Clock::now() + first;
  m_wake();
}

void ExchangeImpl::note(const std::function<void(ExchangeNotes&)>& change) {
  const std::lock_guard lock(m_mutex);
  change(m_notes);
}

double ExchangeImpl::elapsedSeconds() const noexcept { return std::chrono::duration<double>(Clock::now() - m_arrived).count(); }

void ExchangeImpl::dropped() {
  bool waiting = false;
  {
    const std::lock_guard lock(m_mutex);
    waiting = m_state == State::Waiting && !m_refusing;
  }
  if (waiting) respond(problemResponse({500, "internal_error", "The request ended without an answer."}));
  abandon();
}

ExchangeImpl::Output ExchangeImpl::take() {
  const std::lock_guard lock(m_mutex);
  Output out;
  out.head = std::exchange(m_head, std::nullopt);
  out.streamed = m_streamed;
  out.data = std::exchange(m_pending, {});
  out.ended = m_state == State::Ended;
  out.broken = m_broken;
  out.overflow = m_overflow;
  m_inFlight = out.data.size();
  return out;
}

void ExchangeImpl::abort(AbortReason reason) {
  std::function<void(AbortReason)> callback;
  {
    const std::lock_guard lock(m_mutex);
    if (reason != AbortReason::Stopping) m_refusing = true;
    if (m_aborted) return;
    m_aborted = reason;
    // An ended exchange has nothing left to cancel.
    if (m_state != State::Ended) callback = std::exchange(m_onAbort, nullptr);
  }
  if (callback) callback(reason);
}

std::optional<ExchangeImpl::Clock::time_point> ExchangeImpl::nextTick() const {
  const std::lock_guard lock(m_mutex);
  if (!m_onTick || m_state == State::Ended) return std::nullopt;
  return m_nextTick;
}

void ExchangeImpl::tick() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(m_mutex);
    const auto now = Clock::now();
    if (!m_onTick || m_state == State::Ended || now < m_nextTick) return;
    m_nextTick = now + m_tickInterval;
    callback = m_onTick;
  }
  callback();
}

ExchangeNotes ExchangeImpl::detach() {
  // The callbacks are destroyed outside the lock: they may hold the last reference to whoever calls back here.
  std::function<void(AbortReason)> onAbort;
  std::function<void()> onTick;
  const std::lock_guard lock(m_mutex);
  m_wake = nullptr;
  m_refusing = true;
  onAbort = std::exchange(m_onAbort, nullptr);
  onTick = std::exchange(m_onTick, nullptr);
  return m_notes;
}

}  // namespace hearth::http
