#include "core/server/lan/self_test.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>
#include <openssl/err.h>

#include <array>
#include <exception>

namespace hearth::lan {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Outcome = SelfTestResult::Outcome;

/// What runs on `io` until it is over or the time is.
bool finished(asio::io_context& io, std::chrono::steady_clock::time_point deadline, const bool& over) {
  io.restart();
  io.run_until(deadline);
  return over;
}

std::string fingerprintOf(SSL* ssl) {
  X509* const certificate = SSL_get1_peer_certificate(ssl);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  std::string text;
  if (certificate != nullptr && X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1) {
    for (unsigned i = 0; i < size; ++i) text += fmt::format("{}{:02X}", i == 0 ? "" : ":", digest[i]);
  }
  X509_free(certificate);
  return text;
}

SelfTestResult testOne(const std::string& address, std::uint16_t port, const std::string& fingerprint,
                       std::chrono::milliseconds patience) {
  SelfTestResult result;
  result.address = address;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  asio::io_context io;
  asio::ssl::context context(asio::ssl::context::tls_client);
  context.set_verify_mode(asio::ssl::verify_none);  // the fingerprint below says more than a chain would
  asio::ssl::stream<Tcp::socket> stream(io, context);
  error_code error;
  const auto numeric = asio::ip::make_address(address, error);
  if (error) {
    result.detail = error.message();
    return result;
  }
  bool over = false;
  const auto done = [&](const error_code& e, auto&&...) {
    error = e;
    over = true;
  };
  stream.lowest_layer().async_connect(Tcp::endpoint(numeric, port), done);
  if (!finished(io, deadline, over)) {
    result.outcome = Outcome::NoAnswer;
    return result;
  }
  if (error) {
    result.outcome = error == asio::error::connection_refused                                    ? Outcome::Refused
                     : error == asio::error::timed_out || error == asio::error::host_unreachable ? Outcome::NoAnswer
                                                                                                 : Outcome::Failed;
    result.detail = error.message();
    return result;
  }
  over = false;
  stream.async_handshake(asio::ssl::stream_base::client, done);
  if (!finished(io, deadline, over) || error || fingerprintOf(stream.native_handle()) != fingerprint) {
    result.outcome = Outcome::OtherProgram;
    if (error) result.detail = error.message();
    return result;
  }
  const bool six = numeric.is_v6();
  const std::string request = fmt::format("GET /health HTTP/1.1\r\nHost: {}{}{}:{}\r\nConnection: close\r\n\r\n",
                                          six ? "[" : "", address, six ? "]" : "", port);
  std::string answer;
  over = false;
  asio::async_write(stream, asio::buffer(request), [&](const error_code& e, std::size_t) {
    if (e) return done(e);
    asio::async_read_until(stream, asio::dynamic_buffer(answer, 16 * 1024), "\r\n", done);
  });
  if (!finished(io, deadline, over)) {
    result.outcome = Outcome::NoAnswer;
  } else if (!error && answer.starts_with("HTTP/1.1 200")) {
    result.outcome = Outcome::Reachable;
  } else {
    result.detail = error ? error.message() : answer.substr(0, answer.find('\r'));
  }
  return result;
}

}  // namespace

std::string_view outcomeName(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::Reachable: return "reachable";
    case Outcome::Refused: return "refused";
    case Outcome::NoAnswer: return "no_answer";
    case Outcome::OtherProgram: return "other_program";
    case Outcome::Failed: return "failed";
  }
  return "failed";
}

std::vector<SelfTestResult> testOwnAddresses(const std::vector<std::string>& addresses, std::uint16_t port,
                                             const std::string& fingerprint, std::chrono::milliseconds patience) {
  std::vector<SelfTestResult> results;
  for (const std::string& address : addresses) {
    try {
      results.push_back(testOne(address, port, fingerprint, patience));
    } catch (const std::exception& problem) {
      results.push_back({Outcome::Failed, address, problem.what()});
    }
    ERR_clear_error();
  }
  return results;
}

}  // namespace hearth::lan
