#include "ui/desktop/common/error_text.h"

#include <QCoreApplication>
#include <QStringList>

#include "ui/desktop/common/format.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

class Sentences {
  Q_DECLARE_TR_FUNCTIONS(ErrorText)

 public:
  static QString cause(const Error& error);
  static QString fix(const Error& error);
  static QString fact(const Evidence& evidence);
};

QString valueOf(const Error& error, const char* key) {
  const std::string_view value = error.find(key);
  return QString::fromUtf8(value.data(), static_cast<qsizetype>(value.size()));
}

QString Sentences::cause(const Error& error) {
  switch (error.code) {
    case ErrorCode::Internal: return tr("Something went wrong inside Hearth.");
    case ErrorCode::InvalidArgument: return tr("A value is not allowed here.");
    case ErrorCode::NotFound: return tr("It is not there any more.");
    case ErrorCode::AlreadyExists:
      if (!error.find("pid").empty()) return tr("Hearth is already running with this data folder (process %1).").arg(valueOf(error, "pid"));
      return tr("Something with this name exists already.");
    case ErrorCode::PermissionDenied: return tr("Hearth may not read or write this place.");
    case ErrorCode::ReadOnly: return tr("This place can only be read, not written.");
    case ErrorCode::DiskFull: return tr("The disk is full.");
    case ErrorCode::Io: return tr("Reading or writing the disk failed.");
    case ErrorCode::Corrupt: return tr("The file is damaged: it contradicts itself.");
    case ErrorCode::Truncated: return tr("The file is incomplete: it ends too early.");
    case ErrorCode::WrongMagic: return tr("This is not a GGUF model file.");
    case ErrorCode::UnsupportedVersion: return tr("This was made by a newer version.");
    case ErrorCode::UnsupportedArchitecture: return tr("Hearth cannot run this kind of model yet.");
    case ErrorCode::UnsupportedFormat: return tr("The model uses a format that Hearth does not know yet.");
    case ErrorCode::OutOfMemory: return tr("There is not enough memory.");
    case ErrorCode::TemplateFailed: return tr("The model's chat template refused this conversation.");
    case ErrorCode::ContextOverflow: return tr("The conversation is longer than the model's context.");
    case ErrorCode::QueueFull: return tr("Too many requests are waiting already.");
    case ErrorCode::ShuttingDown: return tr("Hearth or the model is closing.");
    case ErrorCode::Cancelled: return tr("Cancelled.");
    case ErrorCode::Timeout: return tr("It took too long.");
    case ErrorCode::PortInUse: {
      const QString port = valueOf(error, "port");
      return port.isEmpty() ? tr("Another program uses this port.") : tr("Port %1 is used by another program.").arg(port);
    }
    case ErrorCode::Network: return tr("The network did not answer.");
    case ErrorCode::HashMismatch: return tr("The file is not the one that was promised: its checksum differs.");
    case ErrorCode::ModelNotLoaded: return tr("The model is not loaded.");
  }
  return tr("Something went wrong inside Hearth.");
}

QString Sentences::fix(const Error& error) {
  switch (error.code) {
    case ErrorCode::NotFound: return tr("Look at the Models page: the file may have been moved or removed.");
    case ErrorCode::AlreadyExists:
      if (!error.find("pid").empty()) return tr("Use the window that is open, close it first, or choose another folder with --data-dir.");
      return tr("Choose another name, or remove the other one first.");
    case ErrorCode::PermissionDenied: return tr("Give your user access to it, or choose another folder with --data-dir.");
    case ErrorCode::ReadOnly: return tr("Make it writable, or choose another folder with --data-dir.");
    case ErrorCode::DiskFull: return tr("Free some space, then try again. Nothing was lost.");
    case ErrorCode::Io: return tr("Check the disk and its cable or network, then try again.");
    case ErrorCode::Corrupt:
      return error.find("path").ends_with(".db")
                 ? tr("The file was left as it is. Move it away to start fresh, or put back a copy from the backups in the data folder.")
                 : tr("Get the file again from where it came from.");
    case ErrorCode::Truncated:
    case ErrorCode::HashMismatch: return tr("Get the file again from where it came from.");
    case ErrorCode::WrongMagic: return tr("Choose a file whose name ends in .gguf.");
    case ErrorCode::UnsupportedVersion: return tr("Update Hearth.");
    case ErrorCode::UnsupportedArchitecture:
    case ErrorCode::UnsupportedFormat: return tr("Choose another model, or another quantisation of this one.");
    case ErrorCode::OutOfMemory: return tr("Unload another model, or choose a smaller one.");
    case ErrorCode::TemplateFailed: return tr("Remove the system prompt, or choose another model for this chat.");
    case ErrorCode::ContextOverflow: return tr("Start a new chat, or edit an earlier message to go on from there.");
    case ErrorCode::QueueFull:
    case ErrorCode::Timeout:
    case ErrorCode::Network: return tr("Try again in a moment.");
    case ErrorCode::PortInUse: return tr("Choose another port.");
    case ErrorCode::ModelNotLoaded: return tr("Load it on the Models page.");
    case ErrorCode::Internal: return tr("Try again. The log in the data folder says more.");
    case ErrorCode::InvalidArgument: return tr("Change the value, then try again.");
    case ErrorCode::ShuttingDown:
    case ErrorCode::Cancelled: break;
  }
  return {};
}

QString Sentences::fact(const Evidence& evidence) {
  const QString value = q(evidence.value);
  const bool bytes = evidence.key.ends_with("_bytes");
  bool number = false;
  const qulonglong amount = value.toULongLong(&number);
  const QString shown = bytes && number ? bytesText(amount) : value;
  const auto line = [&shown](const QString& name) { return tr("%1: %2").arg(name, shown); };
  if (evidence.key == "path") return line(tr("File"));
  if (evidence.key == "needed_bytes") return line(tr("Needed"));
  if (evidence.key == "available_bytes") return line(tr("Available"));
  if (evidence.key == "prompt_tokens") return line(tr("Tokens in the conversation"));
  if (evidence.key == "context_tokens") return line(tr("Tokens that fit"));
  if (evidence.key == "architecture") return line(tr("Architecture"));
  if (evidence.key == "tensor") return line(tr("Tensor"));
  if (evidence.key == "field") return line(tr("Field"));
  if (evidence.key == "value") return line(tr("Value"));
  if (evidence.key == "port") return line(tr("Port"));
  if (evidence.key == "pid") return line(tr("Process"));
  return line(q(evidence.key));
}

}  // namespace

QString ErrorText::oneLine() const {
  QStringList parts{cause};
  if (!evidence.isEmpty()) parts << QString(evidence).replace(u'\n', u" · "_s);
  if (!fix.isEmpty()) parts << fix;
  return parts.join(u' ');
}

ErrorText errorText(const Error& error) {
  QStringList facts;
  for (const Evidence& evidence : error.evidence) {
    if (!evidence.value.empty()) facts << Sentences::fact(evidence);
  }
  // Without facts the message is the evidence.
  if (facts.isEmpty() && !error.message.empty() && error.code != ErrorCode::Cancelled) facts << q(error.message);
  return {Sentences::cause(error), facts.join(u'\n'), Sentences::fix(error)};
}

}  // namespace hearth::ui
