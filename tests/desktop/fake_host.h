#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "core/host/host.h"

/// Doubles of the rooms below the window, in memory and under the test's control. They keep the contracts of the
/// interfaces (tree of messages, order of events, typed errors), nothing more. Part of the tests only.
namespace hearth::test {

class FakeStore final : public Store {
 public:
  Result<Conversation> createConversation(const std::string& title, const std::string& model) override;
  Result<std::vector<Conversation>> conversations() override;
  Result<Conversation> conversation(ConversationId id) override;
  Result<void> updateConversation(const Conversation& conversation) override;
  Result<void> trashConversation(ConversationId id) override;
  Result<void> restoreConversation(ConversationId id) override;
  Result<Message> addMessage(Message message) override;
  Result<void> updateMessage(const Message& message) override;
  Result<Message> message(MessageId id) override;
  Result<std::vector<Message>> path(MessageId leaf) override;
  Result<std::vector<Message>> children(ConversationId conversation, MessageId parent) override;
  Result<MessageId> latestLeaf(MessageId message) override;
  Result<std::optional<std::string>> setting(const std::string& key) override;
  Result<void> setSetting(const std::string& key, const std::string& value) override;

  void setUpdated(ConversationId id, std::int64_t ms);

 private:
  std::vector<Message> childrenLocked(ConversationId conversation, MessageId parent) const;
  std::mutex m_mutex;
  std::map<ConversationId, Conversation> m_conversations;
  std::map<ConversationId, bool> m_trashed;
  std::map<MessageId, Message> m_messages;
  std::map<std::pair<ConversationId, MessageId>, std::vector<MessageId>> m_children;
  std::map<std::string, std::string> m_settings;
  std::int64_t m_next = 1;
};

class FakeLibrary final : public Library {
 public:
  Result<std::vector<InstalledModel>> scan() override;
  std::vector<InstalledModel> models() const override;
  Result<InstalledModel> resolve(const std::string& nameOrPath) override;
  Result<InstalledModel> import(const std::filesystem::path& file,
                                const std::function<bool(ImportProgress)>& progress) override;
  std::vector<std::filesystem::path> folders() const override;
  Result<void> addFolder(const std::filesystem::path& folder) override;
  void removeFolder(const std::filesystem::path& folder) override;
  std::vector<Error> problems() const override { return m_problems; }
  std::uint64_t freeBytes() const override { return 83'000'000'000; }

  void add(InstalledModel model);
  std::vector<Error> m_problems;
  std::optional<Error> m_importError, m_folderError;
  std::atomic<bool> m_importHangs{false};  ///< goes on until cancelled

 private:
  mutable std::mutex m_mutex;
  std::vector<InstalledModel> m_models;
  std::vector<std::filesystem::path> m_folders;
};

class FakePool final : public EnginePool {
 public:
  void acquire(const std::string& id, const std::filesystem::path& path, const EngineOptions& options,
               LoadCallback done) override;
  Result<LoadedModelPtr> load(const std::string& id, const std::filesystem::path& path,
                              const EngineOptions& options) override;
  LoadedModelPtr find(const std::string&) const override { return nullptr; }
  Result<void> unload(const std::string& id) override;
  void pin(const std::string&, bool) override {}
  void keepFor(const std::string&, std::chrono::milliseconds) override {}
  std::vector<ModelStatus> statuses() const override;
  EngineStats totals() const override { return m_totals; }
  int threads() const noexcept override { return 8; }
  int addListener(Listener listener) override;
  void removeListener(int id) override;

  /// What a load does: succeeds at once, fails with this, or stays at the given progress.
  std::optional<Error> m_loadError;
  std::optional<double> m_stuckAt;
  EngineStats m_totals;
  std::atomic<int> m_lastContext{-1};  ///< that a load asked for
  void report(const ModelStatus& status);

 private:
  mutable std::mutex m_mutex;
  std::map<int, Listener> m_listeners;
  std::map<std::string, ModelStatus> m_statuses;
  int m_next = 1;
};

/// Replies are driven by the test: it takes the newest one and says what happens.
class FakeChat final : public ChatService {
 public:
  explicit FakeChat(FakeStore& store) : m_store(store) {}
  Result<ChatTaskPtr> complete(ChatRequest request, ChatSink sink) override;
  Result<SentMessage> send(ConversationId conversation, MessageId parent, const std::string& text,
                           const SendOptions& options, ChatSink sink) override;
  Result<SentMessage> regenerate(MessageId message, const SendOptions& options, ChatSink sink) override;
  Result<RenderedChat> render(const LoadedModel&, const ChatRequest&) const override { return RenderedChat{}; }
  void shutdown() override {}

  struct Reply {
    FakeStore* store = nullptr;
    Message message;
    SendOptions options;
    ChatSink sink;
    std::atomic<bool> cancelled{false};
    void loading(double progress);
    void queued(int position);
    void started(int promptTokens, int contextTokens);
    void text(const std::string& piece);
    void finish(FinishReason reason);
    void fail(const Error& error);
  };
  using ReplyPtr = std::shared_ptr<Reply>;
  [[nodiscard]] ReplyPtr last();
  [[nodiscard]] int count();
  std::optional<Error> m_refuse;
  /// A script that plays on its own: the pieces at once, then the end.
  std::vector<std::string> m_script;

 private:
  Result<SentMessage> begin(Message user, MessageId parent, ConversationId conversation, const SendOptions& options,
                            ChatSink sink);
  FakeStore& m_store;
  std::mutex m_mutex;
  std::vector<ReplyPtr> m_replies;
};

class FakeServer final : public Server {
 public:
  Result<void> start(const ServerOptions& options) override;
  void stop() override { m_running = false; }
  bool running() const noexcept override { return m_running; }
  std::string address() const override;
  std::uint16_t port() const noexcept override { return m_port; }
  void setRequestListener(RequestListener listener) override;
  void report(const RequestRecord& record);
  ServerStatus status() const override;
  std::vector<QueueLine> queue() const override;
  bool cancel(const std::string& id) override;
  void setQueue(std::vector<QueueLine> lines);
  std::uint16_t m_takenPort = 0;
  std::atomic<bool> m_adminMissing{false};  ///< sharing is refused
  ServerStatus m_shared;                    ///< what status() says while it is shared; set before it is

 private:
  mutable std::mutex m_mutex;
  RequestListener m_listener;
  std::vector<QueueLine> m_queue;  ///< guarded by m_mutex
  std::atomic<bool> m_running{false};
  std::atomic<std::uint16_t> m_port{0};
  std::atomic<bool> m_lan{false};
};

class FakeMonitor final : public HardwareMonitor {
 public:
  HardwareSample sample() override;
  const GpuDriver& gpuDriver() const noexcept override { return m_driver; }
  GpuDriver m_driver{GpuDriverState::NoDriver,
                     {},
                     {{"library", "libnvidia-ml.so.1"},
                      {"reason", "libnvidia-ml.so.1: cannot open shared object file: No such file or directory"}}};
  std::vector<GpuSample> m_gpus;
  double m_time = 1'000;
};

class FakeMetrics final : public MetricsRegistry {
 public:
  void add(const std::string&, double, const Labels&) override {}
  void set(const std::string&, double, const Labels&) override {}
  void observe(const std::string&, double, const Labels&) override {}
  void observe(const std::string&, const Tally&, const Labels&) override {}
  void addCollector(std::function<void(MetricsRegistry&)>) override {}
  std::string text() override { return {}; }
};

/// Downloads that stand as the test says; what is asked of them is written down.
class FakeDownloads final : public Downloads {
 public:
  Result<std::string> add(const DownloadRequest& request) override;
  Result<void> pause(const std::string& id) override { return note("pause " + id); }
  Result<void> resume(const std::string& id) override { return note("resume " + id); }
  Result<void> remove(const std::string& id) override { return note("remove " + id); }
  std::vector<DownloadStatus> list() const override;
  std::optional<DownloadStatus> find(const std::string&) const override { return std::nullopt; }
  void setOptions(const DownloadOptions&) override {}

  void set(std::vector<DownloadStatus> list);
  [[nodiscard]] std::vector<std::string> asked() const;

 private:
  Result<void> note(const std::string& what);
  mutable std::mutex m_mutex;
  std::vector<DownloadStatus> m_list;
  std::vector<std::string> m_asked;
};

class FakeHost final : public Host {
 public:
  explicit FakeHost(std::filesystem::path folder) : m_paths{std::move(folder)}, m_chat(m_store) {}
  ~FakeHost() override;
  const DataPaths& paths() const noexcept override { return m_paths; }
  FakeStore& store() noexcept override { return m_store; }
  /// The real one, on a database of its own in the host's folder; made when it is first asked for.
  Team& team() noexcept override;
  FakeLibrary& library() noexcept override { return m_library; }
  /// The real ones, into the host's folder and from the hub of the test; made when they are first asked for. What is done
  /// appears in the library.
  Downloads& downloads() noexcept override;
  ModelSource& modelSource() noexcept override;
  FakePool& pool() noexcept override { return m_pool; }
  FakeChat& chat() noexcept override { return m_chat; }
  FakeServer& server() noexcept override { return m_server; }
  FakeMonitor& monitor() noexcept override { return m_monitor; }
  FakeMetrics& metrics() noexcept override { return m_metrics; }
  EngineOptions engineOptions(const InstalledModel&) const override { return {.contextTokens = m_context}; }
  Result<void> applySettings() override;
  std::atomic<int> m_context{0};             ///< as the settings say
  std::string m_hub = "http://127.0.0.1:1";  ///< where nobody listens; before the window is there
  std::unique_ptr<Downloads> m_downloads;    ///< a test may bring its own, before the window is there

 private:
  DataPaths m_paths;
  FakeStore m_store;
  std::mutex m_realMutex;
  std::unique_ptr<Store> m_teamStore;
  std::unique_ptr<Team> m_team;
  FakeLibrary m_library;
  FakePool m_pool;
  FakeChat m_chat;
  FakeServer m_server;
  FakeMonitor m_monitor;
  FakeMetrics m_metrics;
  std::unique_ptr<ModelSource> m_source;
};

/// A model as the library lists it.
[[nodiscard]] InstalledModel makeModel(const std::string& id, const std::string& name, const std::string& quantisation,
                                       std::uint64_t bytes, std::int64_t parameters, int context);

}  // namespace hearth::test
