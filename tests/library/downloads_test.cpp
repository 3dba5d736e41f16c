#include "core/library/downloads.h"

#include <gtest/gtest.h>

#include "core/library/verify.h"

#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "core/library/download/checksums.h"
#include "core/library/download/download_record.h"
#include "tests/library/fault_hub.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string randomBytes(std::size_t size, unsigned seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; i += 8) {
    const std::uint64_t word = random();
    for (std::size_t k = 0; k < 8 && i + k < size; ++k) bytes[i + k] = static_cast<char>(word >> (8 * k));
  }
  return bytes;
}

std::string contentOf(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string sumOf(const ScratchFolder& scratch, const std::string& bytes) {
  const fs::path file = scratch / "sum-of-this";
  std::ofstream(file, std::ios::binary) << bytes;
  return *library::sha256OfFile(file, {});
}

DownloadOptions quick() {
  DownloadOptions options;
  options.retryBase = 2ms;
  options.stallAfter = 1s;
  options.smallestSegment = 64U << 10U;
  options.connectTimeout = 2s;
  return options;
}

class DownloadsTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(models()); }
  fs::path models() const { return m_scratch / "models"; }
  void start(DownloadOptions options = quick()) { m_downloads = Downloads::create(models(), options); }

  /// A file of the hub and the request for it.
  DownloadRequest serve(const std::string& name, const std::string& content, bool withSum = true) {
    m_hub.put("/" + name, {.content = content});
    DownloadRequest request;
    request.title = name;
    request.repository = "someone/" + name;
    request.files = {{name, m_hub.url("/" + name), content.size(), withSum ? sumOf(m_scratch, content) : ""}};
    return request;
  }

  DownloadStatus waitFor(const std::string& id, std::chrono::seconds most = 30s) {
    const auto end = std::chrono::steady_clock::now() + most;
    for (;;) {
      const auto status = m_downloads->find(id);
      if (!status) return {};
      const bool settled = status->state == DownloadState::Done || status->state == DownloadState::Failed || status->state == DownloadState::Paused;
      if (settled || std::chrono::steady_clock::now() > end) return *status;
      std::this_thread::sleep_for(2ms);
    }
  }
  bool waitUntil(const std::function<bool()>& good, std::chrono::seconds most = 20s) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!good()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(2ms);
    }
    return true;
  }

  ScratchFolder m_scratch;
  FaultHub m_hub;
  std::unique_ptr<Downloads> m_downloads;
};

TEST_F(DownloadsTest, FetchesInSegmentsAndChecksTheSum) {
  const std::string content = randomBytes(3'000'001, 1);
  auto request = serve("model.bin", content);
  request.folder = "someone/model";
  request.license = "apache-2.0";
  m_hub.onRequest([](const HubRequest&) { return Fault{Fault::Kind::Slow}; });
  start();
  const auto id = m_downloads->add(request);
  ASSERT_TRUE(id) << id.error().describe();
  const auto status = waitFor(*id);
  ASSERT_EQ(status.state, DownloadState::Done) << (status.error ? status.error->describe() : "");
  EXPECT_EQ(status.path, models() / "someone/model/model.bin");
  EXPECT_EQ(contentOf(status.path), content);
  EXPECT_EQ(status.done, content.size());
  EXPECT_FALSE(status.unverified);
  EXPECT_GT(m_hub.most(), 1);
  EXPECT_LE(m_hub.most(), 4);
  EXPECT_TRUE(fs::is_empty(models() / ".downloads"));
  const auto origin = originOf(models(), status.path);
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->repository, "someone/model.bin");
  EXPECT_EQ(origin->license, "apache-2.0");
  EXPECT_EQ(origin->sha256, request.files[0].sha256);
  EXPECT_EQ(origin->bytes, content.size());
  EXPECT_FALSE(originOf(models(), "/etc/passwd"));
  const auto verified = verifyModel(models(), status.path, {});
  ASSERT_TRUE(verified) << verified.error().describe();
  EXPECT_EQ(verified->front().expected, verified->front().sha256);
}

TEST_F(DownloadsTest, TakesServersThatKnowNoRangesOrLengths) {
  for (const bool ranges : {false, true}) {
    for (const bool length : {false, true}) {
      const std::string name = std::string("plain") + (ranges ? "-r" : "") + (length ? "-l" : "");
      const std::string content = randomBytes(700'000, 2);
      auto request = serve(name, content);
      request.files[0].bytes = 0;
      m_hub.put("/" + name, {.content = content, .etag = "", .ranges = ranges, .tellsLength = length});
      if (!m_downloads) start();
      const auto id = m_downloads->add(request);
      ASSERT_TRUE(id);
      const auto status = waitFor(*id);
      ASSERT_EQ(status.state, DownloadState::Done) << name << " " << (status.error ? status.error->describe() : "");
      EXPECT_EQ(contentOf(status.path), content) << name;
    }
  }
}

TEST_F(DownloadsTest, TakesTheSumFromTheHubsAnswer) {
  const std::string content = randomBytes(100'000, 3);
  auto request = serve("linked.bin", content);
  m_hub.put("/cdn", {.content = content, .etag = "\"other\""});
  m_hub.put("/linked.bin", {.linkedEtag = "\"" + request.files[0].sha256 + "\"", .redirectTo = m_hub.url("/cdn")});
  request.files[0].sha256.clear();
  start();
  auto status = waitFor(*m_downloads->add(request));
  ASSERT_EQ(status.state, DownloadState::Done) << status.error->describe();
  EXPECT_FALSE(status.unverified);
  EXPECT_EQ(originOf(models(), status.path)->sha256, sumOf(m_scratch, content));
  // And a wrong one is not taken.
  m_hub.put("/wrong.bin", {.linkedEtag = std::string("\"") + std::string(64, 'a') + "\"", .redirectTo = m_hub.url("/cdn")});
  request.files[0].url = m_hub.url("/wrong.bin");
  request.files[0].name = "wrong.bin";
  status = waitFor(*m_downloads->add(request));
  ASSERT_EQ(status.state, DownloadState::Failed);
  EXPECT_EQ(status.error->code, ErrorCode::HashMismatch);
  EXPECT_FALSE(fs::exists(models() / "wrong.bin"));
}

TEST_F(DownloadsTest, SaysWhenNothingNamesASum) {
  start();
  const auto status = waitFor(*m_downloads->add(serve("unnamed.bin", randomBytes(1000, 4), false)));
  ASSERT_EQ(status.state, DownloadState::Done);
  EXPECT_TRUE(status.unverified);
}

TEST_F(DownloadsTest, AModelThatIsNoneIsNotPutInPlace) {
  start();
  const auto status = waitFor(*m_downloads->add(serve("bad.gguf", randomBytes(10'000, 5))));
  ASSERT_EQ(status.state, DownloadState::Failed);
  EXPECT_EQ(status.error->code, ErrorCode::WrongMagic) << status.error->describe();
  EXPECT_FALSE(fs::exists(models() / "bad.gguf"));
}

TEST_F(DownloadsTest, GoesOnWhereItWasAfterARestart) {
  const std::string content = randomBytes(4'000'000, 6);
  const auto request = serve("resumed.bin", content);
  m_hub.onRequest([](const HubRequest&) { return Fault{Fault::Kind::Slow}; });
  auto options = quick();
  options.connectionsPerFile = 2;
  start(options);
  const auto id = m_downloads->add(request);
  ASSERT_TRUE(waitUntil([&] { return m_downloads->find(*id)->done > 1'000'000; }));
  m_downloads.reset();
  const auto before = m_hub.requests().size();
  const auto record = library::readRecord(models() / ".downloads" / *id);
  ASSERT_TRUE(record) << record.error().describe();
  EXPECT_GT(record->files[0].done(), 1'000'000U);
  m_hub.onRequest({});
  start(options);
  const auto status = waitFor(*id);
  ASSERT_EQ(status.state, DownloadState::Done);
  EXPECT_EQ(contentOf(status.path), content);
  const auto requests = m_hub.requests();
  ASSERT_GT(requests.size(), before);
  EXPECT_NE(requests[before].range, "bytes=0-");
  EXPECT_EQ(requests[before].ifRange, "\"v1\"");
}

TEST_F(DownloadsTest, BeginsAgainWhenTheFileChangedMeanwhile) {
  const std::string content = randomBytes(2'000'000, 7), newer = randomBytes(2'000'000, 8);
  auto request = serve("changing.bin", content);
  request.files[0].sha256 = sumOf(m_scratch, newer);
  m_hub.onRequest([](const HubRequest&) { return Fault{Fault::Kind::Slow}; });
  start();
  const auto id = m_downloads->add(request);
  ASSERT_TRUE(waitUntil([&] { return m_downloads->find(*id)->done > 500'000; }));
  ASSERT_TRUE(m_downloads->pause(*id));
  ASSERT_TRUE(waitUntil([&] { return m_downloads->find(*id)->state == DownloadState::Paused; }));
  m_hub.put("/changing.bin", {.content = newer, .etag = "\"v2\""});
  m_hub.onRequest({});
  ASSERT_TRUE(m_downloads->resume(*id));
  ASSERT_TRUE(waitUntil([&] { return m_downloads->find(*id)->state == DownloadState::Done; }));
  EXPECT_EQ(contentOf(models() / "changing.bin"), newer);
}

TEST_F(DownloadsTest, RefusesByName) {
  start();
  struct Case {
    int status;
    ErrorCode code;
  };
  for (const Case& c : {Case{401, ErrorCode::Unauthenticated}, Case{403, ErrorCode::Forbidden}, Case{410, ErrorCode::NotFound}}) {
    m_hub.onRequest([&](const HubRequest&) { return Fault{Fault::Kind::Status, c.status}; });
    const std::string name = "s" + std::to_string(c.status);
    const auto status = waitFor(*m_downloads->add(serve(name, "abc")));
    ASSERT_EQ(status.state, DownloadState::Failed) << c.status;
    EXPECT_EQ(status.error->code, c.code) << c.status;
    EXPECT_EQ(status.error->find("status"), std::to_string(c.status));
  }
  m_hub.onRequest({});
  auto request = serve("other-length", "abcdef");
  request.files[0].bytes = 7;
  const auto status = waitFor(*m_downloads->add(request));
  ASSERT_EQ(status.state, DownloadState::Failed);
  EXPECT_EQ(status.error->find("listed_bytes"), "7");
}

TEST_F(DownloadsTest, GivesUpAfterTriesThatBringNothingAndTriesAgainWhenAsked) {
  m_hub.onRequest([](const HubRequest&) { return Fault{Fault::Kind::Refuse}; });
  auto options = quick();
  options.mostTries = 3;
  start(options);
  const auto id = m_downloads->add(serve("dead.bin", randomBytes(1000, 9)));
  auto status = waitFor(*id);
  ASSERT_EQ(status.state, DownloadState::Failed);
  EXPECT_EQ(status.error->code, ErrorCode::Network);
  EXPECT_EQ(m_hub.requests().size(), 4U);
  m_hub.onRequest({});
  ASSERT_TRUE(m_downloads->resume(*id));
  ASSERT_TRUE(waitUntil([&] { return m_downloads->find(*id)->state == DownloadState::Done; }));
}

TEST_F(DownloadsTest, WaitsAsLongAsTheHubSays) {
  m_hub.onRequest([](const HubRequest& request) { return request.number == 0 ? Fault{Fault::Kind::Stall, 0, 10} : Fault{}; });
  start();
  const auto began = std::chrono::steady_clock::now();
  const auto status = waitFor(*m_downloads->add(serve("stalls.bin", randomBytes(50'000, 10))));
  EXPECT_EQ(status.state, DownloadState::Done);
  EXPECT_GT(std::chrono::steady_clock::now() - began, 900ms);  // the watchdog, not luck
  EXPECT_EQ(m_hub.requests().size(), 2U);
}

TEST_F(DownloadsTest, ATokenGoesToItsHubOnly) {
  const std::string content = randomBytes(1000, 11);
  FaultHub other;
  other.put("/cdn", {.content = content});
  auto request = serve("gated.bin", content);
  m_hub.put("/gated.bin", {.redirectTo = other.url("/cdn", "localhost")});
  auto options = quick();
  options.token = [](const std::string&) { return std::string("hf_secret"); };
  start(options);
  ASSERT_EQ(waitFor(*m_downloads->add(request)).state, DownloadState::Done);
  EXPECT_EQ(m_hub.requests().at(0).authorization, "Bearer hf_secret");
  EXPECT_EQ(other.requests().at(0).authorization, "");
}

TEST_F(DownloadsTest, KeepsToTheSpeedLimit) {
  auto options = quick();
  options.bytesPerSecond = 1'000'000;
  start(options);
  const auto began = std::chrono::steady_clock::now();
  const auto status = waitFor(*m_downloads->add(serve("slow.bin", randomBytes(2'000'000, 12))));
  ASSERT_EQ(status.state, DownloadState::Done);
  EXPECT_GT(std::chrono::steady_clock::now() - began, 1200ms);
}

TEST_F(DownloadsTest, QueuesPausesAndRemoves) {
  m_hub.onRequest([](const HubRequest&) { return Fault{Fault::Kind::Slow}; });
  auto options = quick();
  options.parallelDownloads = 1;
  start(options);
  const auto first = m_downloads->add(serve("first.bin", randomBytes(3'000'000, 13)));
  const auto second = m_downloads->add(serve("second.bin", randomBytes(300'000, 14)));
  ASSERT_TRUE(waitUntil([&] { return m_downloads->find(*first)->done > 100'000; }));
  EXPECT_EQ(m_downloads->find(*second)->state, DownloadState::Queued);
  EXPECT_EQ(m_downloads->list().size(), 2U);
  ASSERT_TRUE(m_downloads->pause(*first));
  EXPECT_EQ(waitFor(*second).state, DownloadState::Done);
  EXPECT_EQ(m_downloads->find(*first)->state, DownloadState::Paused);
  // A pause holds over a restart.
  m_downloads.reset();
  start(options);
  std::this_thread::sleep_for(50ms);
  ASSERT_TRUE(m_downloads->find(*first));
  EXPECT_EQ(m_downloads->find(*first)->state, DownloadState::Paused);
  EXPECT_FALSE(m_downloads->find(*second));
  ASSERT_TRUE(m_downloads->remove(*first));
  ASSERT_TRUE(waitUntil([&] { return m_downloads->list().empty(); }));
  EXPECT_FALSE(fs::exists(models() / ".downloads" / *first));
  EXPECT_FALSE(m_downloads->pause(*first));
}

TEST_F(DownloadsTest, AnUpdateKeepsThePreviousFile) {
  start();
  auto request = serve("updated.bin", "the old one");
  ASSERT_EQ(waitFor(*m_downloads->add(request)).state, DownloadState::Done);
  const auto again = m_downloads->add(request);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::AlreadyExists);
  request = serve("updated.bin", "the new one");
  request.replace = true;
  ASSERT_EQ(waitFor(*m_downloads->add(request)).state, DownloadState::Done);
  EXPECT_EQ(contentOf(models() / "updated.bin"), "the new one");
  EXPECT_EQ(contentOf(models() / ".previous" / "updated.bin"), "the old one");
}

TEST_F(DownloadsTest, OddRequestsAreRefused) {
  start();
  const auto good = serve("odd.bin", "abc");
  const auto refused = [&](const std::function<void(DownloadRequest&)>& change) {
    DownloadRequest request = good;
    change(request);
    const auto id = m_downloads->add(request);
    return !id && id.error().code == ErrorCode::InvalidArgument;
  };
  EXPECT_TRUE(refused([](auto& r) { r.files.clear(); }));
  EXPECT_TRUE(refused([](auto& r) { r.files[0].name = "../out"; }));
  EXPECT_TRUE(refused([](auto& r) { r.files[0].name = ".hidden"; }));
  EXPECT_TRUE(refused([](auto& r) { r.files.push_back(r.files[0]); }));
  EXPECT_TRUE(refused([](auto& r) { r.files[0].url = "file:///etc/passwd"; }));
  EXPECT_TRUE(refused([](auto& r) { r.files[0].url = "https://user:pass@host/x"; }));
  EXPECT_TRUE(refused([](auto& r) { r.files[0].url = "http://"; }));
  EXPECT_TRUE(refused([](auto& r) { r.files[0].sha256 = "abc"; }));
  EXPECT_TRUE(refused([](auto& r) { r.folder = "a/../../b"; }));
  EXPECT_TRUE(refused([](auto& r) { r.folder = "/etc"; }));
  EXPECT_TRUE(refused([](auto& r) { r.folder = ".origins"; }));
  DownloadRequest huge = good;
  huge.files[0].bytes = 1ULL << 60U;
  const auto full = m_downloads->add(huge);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::DiskFull);
}

TEST_F(DownloadsTest, RecordsThatCannotBeReadAreDropped) {
  fs::create_directories(models() / ".downloads/1234/files");
  std::ofstream(models() / ".downloads/1234/record.json") << R"({"version":1,"id":"1234")";
  fs::create_directories(models() / ".downloads/newer");
  std::ofstream(models() / ".downloads/newer/record.json") << R"({"version":2})";
  start();
  EXPECT_TRUE(m_downloads->list().empty());
  EXPECT_FALSE(fs::exists(models() / ".downloads/1234"));
  EXPECT_TRUE(fs::exists(models() / ".downloads/newer"));  // a newer version's: not ours to delete
}

// The promise of the issue: whatever happens on the way, a file ends verified or is refused by name.
TEST_F(DownloadsTest, AThousandRandomFaults) {
  using Kind = Fault::Kind;
  std::mutex mutex;
  std::mt19937 random(20261122);
  int faults = 0;
  m_hub.onRequest([&](const HubRequest& request) {
    const std::lock_guard lock(mutex);
    const auto roll = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
    if (roll(100) < 45) return Fault{};
    ++faults;
    constexpr Kind kKinds[] = {Kind::Refuse, Kind::Cut, Kind::Cut, Kind::Cut, Kind::Status, Kind::WrongPart, Kind::TooMuch, Kind::ShortLength, Kind::Cut, Kind::WholeFile};
    constexpr int kStatus[] = {500, 502, 503, 429, 408};
    Fault fault{kKinds[roll(std::size(kKinds))], kStatus[roll(std::size(kStatus))], static_cast<std::size_t>(roll(200'000))};
    if (roll(150) == 0) fault.kind = Kind::Stall;
    if (roll(25) == 0) fault.kind = Kind::Corrupt;
    if (roll(40) == 0) {  // the file changes under our hands, and back
      m_hub.put(request.path, {.content = randomBytes(400'000, 99), .etag = "\"changed\""});
    }
    return fault;
  });
  auto options = quick();
  options.mostTries = 12;
  options.parallelDownloads = 4;
  start(options);
  int verified = 0, refused = 0;
  for (int round = 0; faults < 1000; ++round) {
    ASSERT_LT(round, 400);
    std::vector<std::pair<std::string, std::string>> ids;
    for (int i = 0; i < 4; ++i) {
      const std::string name = "f" + std::to_string(round) + "-" + std::to_string(i);
      const std::string content = randomBytes(400'000, static_cast<unsigned>(round * 4 + i));
      const auto id = m_downloads->add(serve(name, content));
      ASSERT_TRUE(id) << id.error().describe();
      ids.emplace_back(*id, content);
    }
    for (const auto& [id, content] : ids) {
      const auto status = waitFor(id, 60s);
      if (status.state == DownloadState::Done) {
        ASSERT_EQ(contentOf(status.path), content);
        fs::remove(status.path);
        ++verified;
      } else {
        ASSERT_EQ(status.state, DownloadState::Failed) << downloadStateName(status.state);
        ASSERT_TRUE(status.error);
        EXPECT_TRUE(status.error->code == ErrorCode::HashMismatch || status.error->code == ErrorCode::Corrupt || status.error->code == ErrorCode::Network)
            << status.error->describe();
        EXPECT_FALSE(fs::exists(models() / status.request.files[0].name));
        ++refused;
      }
      ASSERT_TRUE(m_downloads->remove(id));
    }
  }
  EXPECT_GT(verified, 100);
  EXPECT_GT(refused, 0);
  RecordProperty("verified", verified);
  RecordProperty("refused", refused);
}

}  // namespace
}  // namespace hearth
