#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace hearth::test {

struct RawResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;                            ///< chunks joined
  bool complete = false;                       ///< ended as its framing says
};

/// A blocking socket that sends exactly the bytes that it is told, well-formed or not.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receiveBuffer = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  [[nodiscard]] bool connected() const noexcept { return m_socket >= 0; }
  bool send(std::string_view bytes);  ///< false when the peer is gone
  void shutdownSend();
  void close();
  /// Whatever comes until the peer closes or `limit` passes.
  std::string readAll(std::chrono::milliseconds limit = std::chrono::seconds(10));
  /// Reads until `marker` has come, in what was not consumed yet, and returns all up to its end. Empty on timeout or end.
  std::string readUntil(std::string_view marker, std::chrono::milliseconds limit = std::chrono::seconds(10));
  /// One response; none when the connection ended before its head.
  std::optional<RawResponse> readResponse(bool toHead = false, std::chrono::milliseconds limit = std::chrono::seconds(10));
  /// True when the peer has closed (or does so within the limit), nothing unread before it.
  bool closedByPeer(std::chrono::milliseconds limit = std::chrono::seconds(10));

 private:
  enum class Got { Bytes, End, Timeout };
  Got readSome(std::chrono::steady_clock::time_point deadline);
  int m_socket = -1;
  std::string m_buffer;
};

[[nodiscard]] std::string get(std::string_view path, std::string_view extraHeaders = {});
[[nodiscard]] std::string postJson(std::string_view path, std::string_view body, std::string_view extraHeaders = {});

/// Polls until `condition` holds; false after the limit.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace hearth::test
