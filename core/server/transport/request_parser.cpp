#include "core/server/transport/request_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <charconv>
#include <exception>

namespace hearth::http {
namespace beast = boost::beast;

namespace {

// A chunk's size line or the trailers: nothing honest is longer.
constexpr std::size_t kMostChunkFraming = 8 * 1024;
constexpr int kMostEmptyLines = 4;
/// Beast counts the head's last line or not, depending on how the bytes came: its limit stands behind ours, which is exact.
constexpr std::size_t kBeastSlack = 64;

/// Beast waits for an empty line once a head has come in parts; lines that end in LF alone would wait for the deadline.
bool hasBareLineFeed(std::string_view text) noexcept {
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if (at > 0 && text[at - 1] != '\r') return true;
  }
  return false;
}

std::string_view view(beast::string_view text) noexcept { return {text.data(), text.size()}; }

}  // namespace

class RequestParser::Impl final : public beast::http::basic_parser<true> {
 public:
  explicit Impl(const ParseLimits& limits) : m_limits(limits) {
    header_limit(static_cast<std::uint32_t>(limits.headerBytes + kBeastSlack));
    body_limit(boost::none);  // counted here: the limit is known only once the head has been judged
  }

  void limitBody(std::size_t bytes) {
    m_bodyLimit = bytes;
    m_tooLarge.reset();
    if (m_declared > m_bodyLimit || m_bodyBytes > m_bodyLimit)
      m_tooLarge = HttpProblem{413, "body_too_large", "The request's body is larger than " + std::to_string(m_bodyLimit) + " bytes."};
  }

  std::size_t take(std::string_view bytes) {
    std::size_t taken = 0;
    // RFC 9112 §2.2: empty lines before a request are skipped.
    while (!m_started && m_emptyLines < kMostEmptyLines && bytes.substr(taken).starts_with("\r\n")) {
      taken += 2;
      ++m_emptyLines;
    }
    while (!m_problem && !m_tooLarge && !is_done() && taken < bytes.size()) {
      if (!m_started && bytes.substr(taken) == "\r" && m_emptyLines < kMostEmptyLines) break;
      m_started = true;
      const bool hadHead = m_headDone;
      const std::string_view rest = bytes.substr(taken);
      beast::error_code error;
      const std::size_t parsed = put(boost::asio::const_buffer(rest.data(), rest.size()), error);
      taken += parsed;
      if (!m_headDone) {
        m_headBytes += parsed;
        const std::size_t waiting = error == beast::http::error::need_more ? rest.size() - parsed : 0;
        if (m_headBytes + waiting > m_limits.headerBytes) {
          setProblem(beast::http::error::header_limit);
          break;
        }
      }
      if (error && error != beast::http::error::need_more) {
        setProblem(error);
        break;
      }
      if (is_header_done() && !m_headDone) {
        m_headDone = true;
        checkHead();
        if (!m_problem) limitBody(m_bodyLimit);
      }
      if (error == beast::http::error::need_more) {
        if (!m_headDone && hasBareLineFeed(bytes.substr(taken))) m_problem = HttpProblem{400, "bad_request", "Malformed HTTP: a line ends without CR."};
        if (m_headDone && bytes.size() - taken > kMostChunkFraming)
          m_problem = HttpProblem{400, "bad_request", "A chunk's framing is too long."};
        break;
      }
      if (!hadHead && m_headDone) break;
    }
    return taken;
  }

  const ParseLimits m_limits;
  Request m_request;
  std::optional<HttpProblem> m_problem;
  std::optional<HttpProblem> m_tooLarge;  // stands behind m_problem; goes when the limit is raised
  bool m_started = false;
  bool m_headDone = false;
  bool m_expectsContinue = false;

 private:
  void setProblem(const beast::error_code& error) {
    using Code = beast::http::error;
    if (m_problem) return;
    if (error == Code::header_limit) {
      m_problem = HttpProblem{431, "headers_too_large", "The request's headers are larger than " + std::to_string(m_limits.headerBytes) + " bytes."};
    } else if (error == Code::body_limit || error == Code::buffer_overflow) {
      m_problem = HttpProblem{413, "body_too_large", "The request's body is larger than " + std::to_string(m_bodyLimit) + " bytes."};
    } else if (error == Code::bad_version) {
      m_problem = HttpProblem{400, "bad_request", "Only HTTP/1.0 and HTTP/1.1 are spoken here."};
    } else {
      m_problem = HttpProblem{400, "bad_request", "Malformed HTTP: " + error.message() + "."};
    }
  }

  /// What Beast lets through, but a proxy before us might read otherwise.
  void checkHead() {
    int lengths = 0;
    int codings = 0;
    bool plainLength = true;
    bool chunkedOnly = true;
    for (const Header& header : m_request.headers) {
      if (equalsIgnoringCase(header.name, "content-length")) {
        ++lengths;
        plainLength = plainLength && !header.value.empty() && std::ranges::all_of(header.value, [](char c) { return c >= '0' && c <= '9'; });
        (void)std::from_chars(header.value.data(), header.value.data() + header.value.size(), m_declared);  // Beast has refused what is too long
      } else if (equalsIgnoringCase(header.name, "transfer-encoding")) {
        ++codings;
        chunkedOnly = chunkedOnly && equalsIgnoringCase(header.value, "chunked");
      } else if (equalsIgnoringCase(header.name, "expect")) {
        if (!equalsIgnoringCase(header.value, "100-continue")) {
          m_problem = HttpProblem{417, "expectation_failed", "The only expectation that can be met is 100-continue."};
          return;
        }
        m_expectsContinue = m_request.versionMinor >= 1 && !is_done();
      }
    }
    if (lengths > 1 || !plainLength) {
      m_problem = HttpProblem{400, "bad_request", "Content-Length must be given once, as a plain number."};
    } else if (codings > 0 && (lengths > 0 || codings > 1 || !chunkedOnly || m_request.versionMinor == 0)) {
      m_problem = HttpProblem{400, "bad_request", "Transfer-Encoding must be chunked, alone, in HTTP/1.1."};
    }
  }

  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version, beast::error_code&) override {
    m_request.method = view(method);
    m_request.target = view(target);
    m_request.versionMinor = version % 10;
  }
  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value, beast::error_code& error) override {
    if (m_headDone) return;  // a trailer: never a header
    if (m_request.headers.size() >= m_limits.headers) {
      error = beast::http::error::header_limit;
      return;
    }
    m_request.headers.push_back({std::string(view(name)), std::string(view(value))});
  }
  void on_header_impl(beast::error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, beast::error_code&) override {}
  std::size_t on_body_impl(beast::string_view body, beast::error_code& error) override { return takeBody(body, error); }
  void on_chunk_header_impl(std::uint64_t size, beast::string_view, beast::error_code& error) override {
    if (size > m_bodyLimit || m_bodyBytes > m_bodyLimit - size) error = beast::http::error::body_limit;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, beast::error_code& error) override { return takeBody(body, error); }
  std::size_t takeBody(beast::string_view body, beast::error_code& error) {
    m_bodyBytes += body.size();
    if (m_bodyBytes > m_bodyLimit) {
      error = beast::http::error::body_limit;
      return 0;
    }
    m_request.body.append(view(body));
    return body.size();
  }
  void on_finish_impl(beast::error_code&) override {}

  std::uint64_t m_bodyLimit = m_limits.bodyBytes;
  std::uint64_t m_declared = 0;   // Content-Length
  std::uint64_t m_bodyBytes = 0;  // so far, without framing
  int m_emptyLines = 0;
  std::size_t m_headBytes = 0;
};

RequestParser::RequestParser(const ParseLimits& limits) : m_impl(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

std::size_t RequestParser::feed(std::string_view bytes) {
  try {
    return m_impl->take(bytes);
  } catch (const std::exception&) {  // std::bad_alloc, or Beast's length errors
    m_impl->m_problem = HttpProblem{503, "out_of_memory", "The request could not be held in memory."};
    return 0;
  }
}

bool RequestParser::started() const noexcept { return m_impl->m_started; }
bool RequestParser::headDone() const noexcept { return m_impl->m_headDone; }
bool RequestParser::done() const noexcept { return m_impl->m_headDone && m_impl->is_done() && !problem(); }
const std::optional<HttpProblem>& RequestParser::problem() const noexcept { return m_impl->m_problem ? m_impl->m_problem : m_impl->m_tooLarge; }
bool RequestParser::malformed() const noexcept { return m_impl->m_problem.has_value(); }
void RequestParser::limitBody(std::size_t bytes) { m_impl->limitBody(bytes); }
bool RequestParser::expectsContinue() const noexcept { return m_impl->m_expectsContinue; }
bool RequestParser::keepAlive() const noexcept { return m_impl->keep_alive(); }
Request& RequestParser::request() noexcept { return m_impl->m_request; }

}  // namespace hearth::http
