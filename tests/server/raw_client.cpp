#include "tests/server/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace hearth::test {

RawClient::RawClient(std::uint16_t port, int receiveBuffer) {
  m_socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receiveBuffer > 0) ::setsockopt(m_socket, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, sizeof(receiveBuffer));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(m_socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) close();
}

RawClient::~RawClient() { close(); }

void RawClient::close() {
  if (m_socket >= 0) ::close(m_socket);
  m_socket = -1;
}

void RawClient::shutdownSend() { ::shutdown(m_socket, SHUT_WR); }

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(m_socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

RawClient::Got RawClient::readSome(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  pollfd descriptor{m_socket, POLLIN, 0};
  if (left < 0 || ::poll(&descriptor, 1, static_cast<int>(left)) <= 0) return Got::Timeout;
  std::array<char, 65536> buffer{};
  const auto count = ::recv(m_socket, buffer.data(), buffer.size(), 0);
  if (count <= 0) return Got::End;
  m_buffer.append(buffer.data(), static_cast<std::size_t>(count));
  return Got::Bytes;
}

std::string RawClient::readAll(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (readSome(deadline) == Got::Bytes) {
  }
  return std::exchange(m_buffer, {});
}

std::string RawClient::readUntil(std::string_view marker, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const std::size_t found = m_buffer.find(marker);
    if (found != std::string::npos) {
      std::string out = m_buffer.substr(0, found + marker.size());
      m_buffer.erase(0, found + marker.size());
      return out;
    }
    if (readSome(deadline) != Got::Bytes) return {};
  }
}

std::optional<RawResponse> RawClient::readResponse(bool toHead, std::chrono::milliseconds limit) {
  const std::string head = readUntil("\r\n\r\n", limit);
  if (head.size() < 12) return std::nullopt;
  RawResponse out;
  out.status = std::stoi(head.substr(9, 3));
  std::size_t at = head.find("\r\n") + 2;
  while (at + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    if (colon >= end) return std::nullopt;
    std::string name = head.substr(at, colon - at);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    out.headers[name] = head.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  if (toHead || out.status == 204 || out.status == 100) {
    out.complete = true;
    return out;
  }
  const auto deadline = std::chrono::steady_clock::now() + limit;
  if (const auto length = out.headers.find("content-length"); length != out.headers.end()) {
    const std::size_t wanted = std::stoul(length->second);
    while (m_buffer.size() < wanted && readSome(deadline) == Got::Bytes) {
    }
    out.complete = m_buffer.size() >= wanted;
    out.body = m_buffer.substr(0, wanted);
    m_buffer.erase(0, std::min(wanted, m_buffer.size()));
    return out;
  }
  if (out.headers.contains("transfer-encoding")) {
    for (;;) {
      const std::string line = readUntil("\r\n", limit);
      if (line.empty()) return out;
      const std::size_t size = std::stoul(line, nullptr, 16);
      while (m_buffer.size() < size + 2 && readSome(deadline) == Got::Bytes) {
      }
      if (m_buffer.size() < size + 2) return out;
      out.body += m_buffer.substr(0, size);
      const bool framed = m_buffer.substr(size, 2) == "\r\n";
      m_buffer.erase(0, size + 2);
      if (!framed) return out;
      if (size == 0) {
        out.complete = true;
        return out;
      }
    }
  }
  while (readSome(deadline) == Got::Bytes) {
  }
  out.body = std::exchange(m_buffer, {});
  out.complete = true;
  return out;
}

bool RawClient::closedByPeer(std::chrono::milliseconds limit) {
  return m_buffer.empty() && readSome(std::chrono::steady_clock::now() + limit) == Got::End;
}

std::string get(std::string_view path, std::string_view extraHeaders) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(extraHeaders) + "\r\n";
}

std::string postJson(std::string_view path, std::string_view body, std::string_view extraHeaders) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + std::string(extraHeaders) + "\r\n" + std::string(body);
}

}  // namespace hearth::test
