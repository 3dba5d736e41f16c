#include "fake_host.h"

#include "core/host/download_settings.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace hearth::test {

namespace {
std::int64_t nowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}
}  // namespace

// --- Store ---

Result<Conversation> FakeStore::createConversation(const std::string& title, const std::string& model) {
  const std::scoped_lock lock(m_mutex);
  Conversation made;
  made.id = m_next++;
  made.title = title;
  made.model = model;
  made.parametersJson = "{}";
  made.createdMs = made.updatedMs = nowMs();
  m_conversations[made.id] = made;
  return made;
}

Result<std::vector<Conversation>> FakeStore::conversations() {
  const std::scoped_lock lock(m_mutex);
  std::vector<Conversation> all;
  for (const auto& [id, conversation] : m_conversations) {
    if (!m_trashed[id]) all.push_back(conversation);
  }
  std::ranges::stable_sort(all, [](const Conversation& a, const Conversation& b) { return a.updatedMs > b.updatedMs; });
  return all;
}

Result<Conversation> FakeStore::conversation(ConversationId id) {
  const std::scoped_lock lock(m_mutex);
  const auto it = m_conversations.find(id);
  if (it == m_conversations.end()) return fail(ErrorCode::NotFound, "no such conversation");
  return it->second;
}

Result<void> FakeStore::updateConversation(const Conversation& conversation) {
  const std::scoped_lock lock(m_mutex);
  m_conversations[conversation.id] = conversation;
  return {};
}

Result<void> FakeStore::trashConversation(ConversationId id) {
  const std::scoped_lock lock(m_mutex);
  m_trashed[id] = true;
  return {};
}

Result<void> FakeStore::restoreConversation(ConversationId id) {
  const std::scoped_lock lock(m_mutex);
  m_trashed[id] = false;
  return {};
}

Result<Message> FakeStore::addMessage(Message message) {
  const std::scoped_lock lock(m_mutex);
  message.id = m_next++;
  message.createdMs = nowMs();
  m_messages[message.id] = message;
  m_children[{message.conversation, message.parent}].push_back(message.id);
  m_conversations[message.conversation].activeLeaf = message.id;
  m_conversations[message.conversation].updatedMs = nowMs();
  return message;
}

Result<void> FakeStore::updateMessage(const Message& message) {
  const std::scoped_lock lock(m_mutex);
  m_messages[message.id] = message;
  return {};
}

Result<Message> FakeStore::message(MessageId id) {
  const std::scoped_lock lock(m_mutex);
  const auto it = m_messages.find(id);
  if (it == m_messages.end()) return fail(ErrorCode::NotFound, "no such message");
  return it->second;
}

std::vector<Message> FakeStore::childrenLocked(ConversationId conversation, MessageId parent) const {
  std::vector<Message> found;
  if (const auto at = m_children.find({conversation, parent}); at != m_children.end()) {
    for (const MessageId id : at->second) found.push_back(m_messages.at(id));
  }
  return found;
}

Result<std::vector<Message>> FakeStore::path(MessageId leaf) {
  const std::scoped_lock lock(m_mutex);
  std::vector<Message> path;
  for (MessageId id = leaf; id != 0;) {
    Message message = m_messages.at(id);
    const std::vector<Message> siblings = childrenLocked(message.conversation, message.parent);
    message.siblingCount = static_cast<int>(siblings.size());
    message.siblingIndex = static_cast<int>(std::ranges::find(siblings, id, &Message::id) - siblings.begin());
    id = message.parent;
    path.push_back(std::move(message));
  }
  std::ranges::reverse(path);
  return path;
}

Result<std::vector<Message>> FakeStore::children(ConversationId conversation, MessageId parent) {
  const std::scoped_lock lock(m_mutex);
  return childrenLocked(conversation, parent);
}

Result<MessageId> FakeStore::latestLeaf(MessageId message) {
  const std::scoped_lock lock(m_mutex);
  const ConversationId conversation = m_messages.at(message).conversation;
  for (;;) {
    const std::vector<Message> below = childrenLocked(conversation, message);
    if (below.empty()) return message;
    message = below.back().id;
  }
}

Result<std::optional<std::string>> FakeStore::setting(const std::string& key) {
  const std::scoped_lock lock(m_mutex);
  const auto it = m_settings.find(key);
  return it == m_settings.end() ? std::nullopt : std::optional(it->second);
}

Result<void> FakeStore::setSetting(const std::string& key, const std::string& value) {
  const std::scoped_lock lock(m_mutex);
  m_settings[key] = value;
  return {};
}

void FakeStore::setUpdated(ConversationId id, std::int64_t ms) {
  const std::scoped_lock lock(m_mutex);
  m_conversations[id].updatedMs = ms;
}

// --- Library ---

Result<std::vector<InstalledModel>> FakeLibrary::scan() { return models(); }

std::vector<InstalledModel> FakeLibrary::models() const {
  const std::scoped_lock lock(m_mutex);
  return m_models;
}

Result<InstalledModel> FakeLibrary::resolve(const std::string& name) {
  const std::scoped_lock lock(m_mutex);
  const auto it = std::ranges::find(m_models, name, &InstalledModel::id);
  if (it == m_models.end()) return fail(ErrorCode::NotFound, "no such model");
  return *it;
}

Result<InstalledModel> FakeLibrary::import(const std::filesystem::path& file,
                                           const std::function<bool(ImportProgress)>& progress) {
  if (m_importError) return fail(*m_importError);
  for (std::uint64_t done = 0; done < 1'000'000'000 || m_importHangs;
       done = std::min<std::uint64_t>(done + 100'000'000, 900'000'000)) {
    if (!progress({done, 1'000'000'000})) return fail(ErrorCode::Cancelled, "cancelled");
    if (done == 900'000'000 && !m_importHangs) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  InstalledModel model =
      makeModel(file.stem().string(), file.stem().string(), "Q4_K_M", 1'000'000'000, 1'500'000'000, 32768);
  add(model);
  return model;
}

std::vector<std::filesystem::path> FakeLibrary::folders() const {
  const std::scoped_lock lock(m_mutex);
  return m_folders;
}

Result<void> FakeLibrary::addFolder(const std::filesystem::path& folder) {
  if (m_folderError) return fail(*m_folderError);
  const std::scoped_lock lock(m_mutex);
  m_folders.push_back(folder);
  return {};
}

void FakeLibrary::removeFolder(const std::filesystem::path& folder) {
  const std::scoped_lock lock(m_mutex);
  std::erase(m_folders, folder);
}

void FakeLibrary::add(InstalledModel model) {
  const std::scoped_lock lock(m_mutex);
  m_models.push_back(std::move(model));
}

// --- Pool ---

void FakePool::acquire(const std::string& id, const std::filesystem::path&, const EngineOptions& options,
                       LoadCallback done) {
  m_lastContext = options.contextTokens;
  ModelStatus status;
  status.id = id;
  status.state = ModelState::Loading;
  status.progress = m_stuckAt.value_or(0.5);
  report(status);
  if (m_stuckAt) return;
  if (m_loadError) {
    status.state = ModelState::Failed;
    status.error = m_loadError;
    report(status);
    done(fail(*m_loadError));
    return;
  }
  status.state = ModelState::Ready;
  status.weightBytes = 1'100'000'000;
  status.kvBytes = 240'000'000;
  report(status);
  auto loaded = std::make_shared<LoadedModel>();
  loaded->id = id;
  done(LoadedModelPtr(loaded));
}

Result<LoadedModelPtr> FakePool::load(const std::string&, const std::filesystem::path&, const EngineOptions&) {
  return fail(ErrorCode::Internal, "not used by the desktop");
}

Result<void> FakePool::unload(const std::string& id) {
  ModelStatus status;
  status.id = id;
  report(status);
  return {};
}

std::vector<ModelStatus> FakePool::statuses() const {
  const std::scoped_lock lock(m_mutex);
  std::vector<ModelStatus> all;
  for (const auto& [id, status] : m_statuses) all.push_back(status);
  return all;
}

int FakePool::addListener(Listener listener) {
  const std::scoped_lock lock(m_mutex);
  m_listeners[m_next] = std::move(listener);
  return m_next++;
}

void FakePool::removeListener(int id) {
  const std::scoped_lock lock(m_mutex);
  m_listeners.erase(id);
}

void FakePool::report(const ModelStatus& status) {
  const std::scoped_lock lock(m_mutex);
  m_statuses[status.id] = status;
  for (const auto& [id, listener] : m_listeners) listener(status);
}

// --- Chat ---

Result<ChatTaskPtr> FakeChat::complete(ChatRequest, ChatSink) {
  return fail(ErrorCode::Internal, "not used by the desktop");
}

Result<SentMessage> FakeChat::begin(Message user, MessageId parent, ConversationId conversation, const SendOptions& options,
                                    ChatSink sink) {
  struct Task final : ChatTask {
    explicit Task(ReplyPtr r) : reply(std::move(r)) {}
    void cancel() override { reply->cancelled = true; }
    std::uint64_t id() const noexcept override { return static_cast<std::uint64_t>(reply->message.id); }
    ReplyPtr reply;
  };
  Message draft;
  draft.conversation = conversation;
  draft.parent = parent;
  draft.role = Role::Assistant;
  draft.state = MessageState::Streaming;
  draft.model = options.model;
  auto reply = std::make_shared<Reply>();
  reply->store = &m_store;
  reply->message = *m_store.addMessage(draft);
  reply->options = options;
  reply->sink = std::move(sink);
  {
    const std::scoped_lock lock(m_mutex);
    m_replies.push_back(reply);
  }
  SentMessage sent{std::move(user), reply->message, std::make_shared<Task>(reply)};
  if (!m_script.empty()) {
    reply->started(412, 8192);
    for (const std::string& piece : m_script) reply->text(piece);
    reply->finish(FinishReason::Stop);
  }
  return sent;
}

Result<SentMessage> FakeChat::send(ConversationId conversation, MessageId parent, const std::string& text,
                                   const SendOptions& options, ChatSink sink) {
  if (m_refuse) return fail(*m_refuse);
  Message user;
  user.conversation = conversation;
  user.parent = parent;
  user.text = text;
  user = *m_store.addMessage(user);
  return begin(user, user.id, conversation, options, std::move(sink));
}

Result<SentMessage> FakeChat::regenerate(MessageId message, const SendOptions& options, ChatSink sink) {
  if (m_refuse) return fail(*m_refuse);
  const Message old = *m_store.message(message);
  return begin({}, old.parent, old.conversation, options, std::move(sink));
}

FakeChat::ReplyPtr FakeChat::last() {
  const std::scoped_lock lock(m_mutex);
  return m_replies.empty() ? nullptr : m_replies.back();
}

int FakeChat::count() {
  const std::scoped_lock lock(m_mutex);
  return static_cast<int>(m_replies.size());
}

void FakeChat::Reply::loading(double progress) {
  ChatEvent event;
  event.kind = ChatEvent::Kind::Loading;
  event.loadProgress = progress;
  sink(event);
}

void FakeChat::Reply::queued(int position) {
  ChatEvent event;
  event.kind = ChatEvent::Kind::Queued;
  event.queuePosition = position;
  event.queueEstimateSeconds = 4;
  sink(event);
}

void FakeChat::Reply::started(int promptTokens, int contextTokens) {
  ChatEvent event;
  event.kind = ChatEvent::Kind::Started;
  message.promptTokens = event.promptTokens = promptTokens;
  event.contextTokens = contextTokens;
  sink(event);
}

void FakeChat::Reply::text(const std::string& piece) {
  ChatEvent event;
  event.kind = ChatEvent::Kind::Text;
  event.text = piece;
  message.text += piece;
  ++message.generatedTokens;
  sink(event);
}

void FakeChat::Reply::finish(FinishReason reason) {
  message.state = reason == FinishReason::Cancelled ? MessageState::Stopped : MessageState::Complete;
  message.lengthLimited = reason == FinishReason::Length;
  message.tokensPerSecond = 84;
  message.firstTokenSeconds = 0.21;
  (void)store->updateMessage(message);
  ChatEvent event;
  event.kind = ChatEvent::Kind::Finished;
  event.reason = reason;
  event.promptTokens = message.promptTokens;
  event.generatedTokens = message.generatedTokens;
  event.tokensPerSecond = 84;
  event.firstTokenSeconds = 0.21;
  sink(event);
}

void FakeChat::Reply::fail(const Error& error) {
  message.state = MessageState::Failed;
  message.error = error;
  (void)store->updateMessage(message);
  ChatEvent event;
  event.kind = ChatEvent::Kind::Failed;
  event.error = error;
  sink(event);
}

// --- Host, server, monitor ---

Team& FakeHost::team() noexcept {
  const std::scoped_lock lock(m_realMutex);  // the window's workers ask for it too
  if (!m_team) {
    std::filesystem::create_directories(m_paths.root);
    m_teamStore = Store::open(m_paths.database()).value();
    m_team = Team::create(*m_teamStore, {.background = false, .nowMs = {}}).value();
  }
  return *m_team;
}

Result<void> FakeHost::applySettings() {
  HEARTH_TRY(const auto text, m_store.setting("engine.context_tokens"));
  m_context = text ? std::stoi(*text) : 0;
  HEARTH_TRY(const auto mirror, m_store.setting(settings::kHuggingFaceEndpoint));
  HEARTH_TRY(const auto token, m_store.setting(settings::kHuggingFaceToken));
  HubOptions hubs;
  hubs.huggingFace = mirror && !mirror->empty() ? *mirror : m_hub;
  hubs.modelScope = m_hub;
  hubs.huggingFaceToken = token.value_or("");
  modelSource().setHubs(hubs);
  return {};
}

FakeHost::~FakeHost() {
  m_source.reset();
  m_downloads.reset();
}

Downloads& FakeHost::downloads() noexcept {
  const std::scoped_lock lock(m_realMutex);
  if (!m_downloads) {
    std::filesystem::create_directories(m_paths.models());
    DownloadOptions options;
    options.retryBase = std::chrono::milliseconds(20);
    m_downloads = Downloads::create(m_paths.models(), options, [this](const DownloadStatus& status) {
      if (status.state != DownloadState::Done) return;
      InstalledModel model =
          makeModel(status.path.stem().string(), status.request.title, status.request.variant, status.done, 1'000'000, 2048);
      model.path = status.path;
      m_library.add(model);
    });
  }
  return *m_downloads;
}

ModelSource& FakeHost::modelSource() noexcept {
  Downloads& fetching = downloads();
  const std::scoped_lock lock(m_realMutex);
  if (!m_source) {
    HubOptions hubs;
    hubs.huggingFace = hubs.modelScope = hubs.ollama = m_hub;
    m_source = ModelSource::create(fetching, hubs, 0);
  }
  return *m_source;
}

// --- Downloads ---

Result<std::string> FakeDownloads::add(const DownloadRequest& request) {
  const std::scoped_lock lock(m_mutex);
  m_asked.push_back("add " + request.title);
  DownloadStatus status;
  status.id = "d" + std::to_string(m_list.size());
  status.request = request;
  m_list.push_back(status);
  return status.id;
}

Result<void> FakeDownloads::note(const std::string& what) {
  const std::scoped_lock lock(m_mutex);
  m_asked.push_back(what);
  return {};
}

std::vector<DownloadStatus> FakeDownloads::list() const {
  const std::scoped_lock lock(m_mutex);
  return m_list;
}

void FakeDownloads::set(std::vector<DownloadStatus> list) {
  const std::scoped_lock lock(m_mutex);
  m_list = std::move(list);
}

std::vector<std::string> FakeDownloads::asked() const {
  const std::scoped_lock lock(m_mutex);
  return m_asked;
}

Result<void> FakeServer::start(const ServerOptions& options) {
  if (options.port == m_takenPort) {
    return hearth::fail(
        Error{ErrorCode::PortInUse, "address in use", {{"host", options.host}, {"port", std::to_string(options.port)}}});
  }
  if (options.lan && m_adminMissing)
    return hearth::fail(Error{ErrorCode::NotFound, "no administrator", {{"missing", "admin"}}});
  m_port = options.port;
  m_lan = options.lan;
  m_running = true;
  return {};
}

ServerStatus FakeServer::status() const {
  ServerStatus status = m_lan ? m_shared : ServerStatus{};
  status.running = m_running;
  status.lan = m_running && m_lan;
  status.address = address();
  return status;
}

std::vector<QueueLine> FakeServer::queue() const {
  const std::scoped_lock lock(m_mutex);
  return m_queue;
}

bool FakeServer::cancel(const std::string& id) {
  const std::scoped_lock lock(m_mutex);
  return std::erase_if(m_queue, [&id](const QueueLine& line) { return line.id == id; }) > 0;
}

void FakeServer::setQueue(std::vector<QueueLine> lines) {
  const std::scoped_lock lock(m_mutex);
  m_queue = std::move(lines);
}

std::string FakeServer::address() const { return m_running ? "http://127.0.0.1:" + std::to_string(m_port) : std::string(); }

void FakeServer::setRequestListener(RequestListener listener) {
  const std::scoped_lock lock(m_mutex);
  m_listener = std::move(listener);
}

void FakeServer::report(const RequestRecord& record) {
  const std::scoped_lock lock(m_mutex);
  if (m_listener) m_listener(record);
}

HardwareSample FakeMonitor::sample() {
  HardwareSample sample;
  sample.time = m_time++;
  sample.cpuPercent = 38;
  sample.memoryTotal = 32'000'000'000;
  sample.memoryAvailable = 17'800'000'000;
  sample.processResident = 1'500'000'000;
  sample.gpus = m_gpus;
  return sample;
}

InstalledModel makeModel(const std::string& id, const std::string& name, const std::string& quantisation,
                         std::uint64_t bytes, std::int64_t parameters, int context) {
  InstalledModel model;
  model.id = id;
  model.path = "/models/" + id + ".gguf";
  model.fileBytes = bytes;
  model.inDataFolder = true;
  model.hasChatTemplate = true;
  ModelConfig config;
  config.architecture = "qwen2";
  config.name = name;
  config.quantisation = quantisation;
  config.parameters = parameters;
  config.trainedContext = context;
  model.config = config;
  return model;
}

}  // namespace hearth::test
