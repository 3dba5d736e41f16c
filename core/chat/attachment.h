#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::chat {

/// The text of a file that goes along with a message.
struct Attachment {
  std::string name;  ///< of the file, no path
  std::string text;  ///< UTF-8
  bool cut = false;  ///< the file is longer
  bool operator==(const Attachment&) const = default;
};

struct AttachedMessage {
  std::vector<Attachment> attachments;
  std::string text;  ///< what the person wrote
};

/// A message as it is stored and as the model reads it: each attachment between lines that name it, then the text.
///   <attached-file name="notes.txt" bytes="12">
///   …12 bytes…
///   </attached-file>
/// The length says where the text ends, whatever is in it.
[[nodiscard]] std::string joinAttachments(const std::vector<Attachment>& attachments, std::string_view text);
/// The same taken apart again; a message that only looks like it is a text.
[[nodiscard]] AttachedMessage splitAttachments(std::string_view message);

}  // namespace hearth::chat
