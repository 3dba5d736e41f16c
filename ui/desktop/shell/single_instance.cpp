#include "ui/desktop/shell/single_instance.h"

#include <QCryptographicHash>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QLocalServer>
#include <QLocalSocket>
#include <QStandardPaths>
#include <QThread>
#include <QTimer>

#include <utility>

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr int kPatience = 5000;  // ms that one who connects has for its line
constexpr unsigned long kPause = 50;  // ms between attempts
constexpr std::size_t kMostWaiting = 16;
const QByteArray kAnswer = "ok\n";

}  // namespace

QString SingleInstance::socketOf(const QString& dataFolder) {
  // Not in the data folder: its path may be too long for a socket, and not every file system has sockets.
  const QString real = QFileInfo(dataFolder).canonicalFilePath();
  const QByteArray hash = QCryptographicHash::hash((real.isEmpty() ? dataFolder : real).toUtf8(), QCryptographicHash::Sha256).toHex().left(16);
  return QStandardPaths::writableLocation(QStandardPaths::RuntimeLocation) + "/hearth-desktop-"_L1 + QString::fromLatin1(hash);
}

SingleInstance::SingleInstance(const QString& dataFolder, QObject* parent) : QObject(parent), m_file(dataFolder + "/desktop.lock"_L1), m_socket(socketOf(dataFolder)) {
  lock();
}

void SingleInstance::lock() {
  auto lock = platform::FileLock::take(m_file.toStdString());
  m_taken = !lock && lock.error().code == ErrorCode::AlreadyExists;
  if (!lock) return;
  m_lock.emplace(std::move(*lock));
  listen();
}

void SingleInstance::close() {
  setHandler({});
  if (m_server) m_server->close();
}

SingleInstance::~SingleInstance() = default;

void SingleInstance::listen() {
  // We hold the lock: a socket that is there belongs to one who ended without a word.
  QLocalServer::removeServer(m_socket);
  m_server = new QLocalServer(this);
  m_server->setSocketOptions(QLocalServer::UserAccessOption);
  connect(m_server, &QLocalServer::newConnection, this, [this] {
    while (QLocalSocket* socket = m_server->nextPendingConnection()) {
      connect(socket, &QLocalSocket::disconnected, socket, &QObject::deleteLater);
      connect(socket, &QLocalSocket::readyRead, this, [this, socket] { receive(socket); });
      QTimer::singleShot(kPatience, socket, [socket] { socket->abort(); });
      receive(socket);
    }
  });
  if (!m_server->listen(m_socket)) qWarning("hearth-desktop: other starts cannot reach this one: %s", qPrintable(m_server->errorString()));
}

void SingleInstance::receive(QLocalSocket* socket) {
  if (!socket->canReadLine()) {
    if (socket->bytesAvailable() > StartRequest::kMostBytes) socket->abort();
    return;
  }
  const auto request = StartRequest::fromLine(socket->readLine(StartRequest::kMostBytes + 1));
  if (!request) {
    socket->abort();
    return;
  }
  socket->write(kAnswer);
  socket->disconnectFromServer();
  take(*request);
}

void SingleInstance::take(const StartRequest& request) {
  if (m_handler) {
    m_handler(request);
  } else if (m_waiting.size() < kMostWaiting) {
    m_waiting.push_back(request);
  }
}

void SingleInstance::setHandler(std::function<void(const StartRequest&)> handler) {
  m_handler = std::move(handler);
  if (!m_handler) return;
  for (const StartRequest& request : std::exchange(m_waiting, {})) m_handler(request);
}

bool SingleInstance::handOver(const StartRequest& request, int milliseconds) {
  QElapsedTimer clock;
  clock.start();
  const auto left = [&] { return static_cast<int>(std::max<qint64>(0, milliseconds - clock.elapsed())); };
  const QByteArray line = request.toLine();
  for (;;) {
    QLocalSocket socket;
    socket.connectToServer(m_socket);
    if (socket.waitForConnected(left())) {
      socket.write(line);
      while (!socket.canReadLine() && left() > 0 && socket.waitForReadyRead(left())) {
      }
      if (socket.readLine() == kAnswer) return true;
    }
    // It holds the lock and does not listen yet, or not any more: then the lock will be free, and this start is the first.
    lock();
    if (first() || left() == 0) return false;
    QThread::msleep(kPause);
  }
}

}  // namespace hearth::ui
