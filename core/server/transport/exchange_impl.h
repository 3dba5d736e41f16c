#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/server/transport/http_types.h"

namespace hearth::http {

/// The meeting point of one request's worker (any thread) and its connection (the connection's strand): a small bounded
/// queue of output, and the news of an end in either direction. Owns no socket and no timer, so that it may outlive both.
class ExchangeImpl final : public Exchange {
 public:
  using Clock = std::chrono::steady_clock;
  using Wake = std::function<void()>;

  /// `wake` tells the connection that there is something to do; called under the lock, so it must only post.
  ExchangeImpl(Request request, std::size_t streamBufferBytes, Wake wake);

  // Exchange: any thread.
  [[nodiscard]] const Request& request() const noexcept override { return m_request; }
  [[nodiscard]] std::string takeBody() override { return std::exchange(m_request.body, {}); }
  void respond(Response response) override;
  bool startStream(Response head) override;
  bool write(std::string_view piece) override;
  void finish() override;
  void abandon() override;
  void onAbort(std::function<void(AbortReason)> callback) override;
  void every(std::chrono::milliseconds first, std::chrono::milliseconds interval, std::function<void()> callback) override;
  void note(const std::function<void(ExchangeNotes&)>& change) override;
  [[nodiscard]] double elapsedSeconds() const noexcept override;

  /// The last holder let go: an unanswered request gets its 500, an unfinished stream is broken off.
  void dropped();

  // The connection's side.
  struct Output {
    std::optional<Response> head;  ///< to send first; with its body when not streamed
    bool streamed = false;
    std::string data;     ///< of a stream
    bool ended = false;   ///< nothing follows; properly …
    bool broken = false;  ///< … or not: close without the last chunk
    bool overflow = false;  ///< more was written than the client reads
  };
  /// Takes what is pending. `data` counts as buffered until the next call.
  [[nodiscard]] Output take();
  /// Calls the abort callback, once. After Disconnected and SlowReader every write is refused.
  void abort(AbortReason reason);
  /// When the next tick is due, if any; tick() calls it back when it is.
  [[nodiscard]] std::optional<Clock::time_point> nextTick() const;
  void tick();
  /// The connection is done with this exchange: no wake, abort or tick happens after this.
  [[nodiscard]] ExchangeNotes detach();

 private:
  enum class State : std::uint8_t { Waiting, Streaming, Ended };

  Request m_request;  // constant but for the body, which belongs to the handler
  const std::size_t m_streamBufferBytes;
  const Clock::time_point m_arrived = Clock::now();

  // Guarded by m_mutex.
  mutable std::mutex m_mutex;
  Wake m_wake;  // empty once detached
  State m_state = State::Waiting;
  std::optional<Response> m_head;
  bool m_streamed = false;
  bool m_broken = false;
  bool m_overflow = false;
  bool m_refusing = false;  // the client is gone
  std::string m_pending;
  std::size_t m_inFlight = 0;
  std::optional<AbortReason> m_aborted;
  std::function<void(AbortReason)> m_onAbort;
  std::function<void()> m_onTick;
  Clock::time_point m_nextTick;
  std::chrono::milliseconds m_tickInterval{0};
  ExchangeNotes m_notes;
};

}  // namespace hearth::http
