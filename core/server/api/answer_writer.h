#pragma once

#include <string>
#include <string_view>

#include "core/server/api/answer.h"
#include "core/server/api/api_error.h"

namespace hearth::api {

/// How one dialect says what an answer is made of: the only thing that a new dialect needs besides its schema. Belongs to
/// one request; called under the job's lock, by one thread at a time. Everything appends to `out`; what an event adds is in
/// `answer` already when its function is called.
///
/// A stream is: (heartbeat…) begin, (heartbeat | text | reasoning | toolCall | finish)…, end — or error at any place. A
/// whole answer is `whole` alone. complete() comes once before end() or whole(), and not on errors.
class AnswerWriter {
 public:
  AnswerWriter() = default;
  AnswerWriter(const AnswerWriter&) = delete;
  AnswerWriter& operator=(const AnswerWriter&) = delete;
  virtual ~AnswerWriter() = default;

  [[nodiscard]] virtual std::string_view streamType() const noexcept { return "text/event-stream"; }
  virtual void begin(std::string& out, const Answer& answer);
  virtual void text(std::string& out, int choice, const ChatEvent& event, const Answer& answer) = 0;
  virtual void reasoning(std::string& out, int choice, const ChatEvent& event, const Answer& answer) = 0;
  /// The delta's id and name are only there in the first piece of a call.
  virtual void toolCall(std::string& out, int choice, const ToolCallDelta& delta, const Answer& answer) = 0;
  virtual void finish(std::string& out, int choice, const Answer& answer) = 0;
  virtual void end(std::string& out, const Answer& answer) = 0;
  /// A sign of life: by itself a comment line, with the place in the queue where that is known. `begun`: after begin().
  virtual void heartbeat(std::string& out, bool begun, const Answer& answer);
  /// Within a stream. Nothing follows.
  virtual void error(std::string& out, const ApiError& error) = 0;

  [[nodiscard]] virtual std::string whole(const Answer& answer) = 0;
  virtual void complete(const Answer& answer);
  /// What the lower rooms call a field, in this dialect's words: "response_format" → "format".
  [[nodiscard]] virtual std::string fieldName(std::string_view field) const;
};

/// ": queued 3, about 12 s\n\n", or ":\n\n".
void appendHeartbeatComment(std::string& out, const Answer& answer);

}  // namespace hearth::api
