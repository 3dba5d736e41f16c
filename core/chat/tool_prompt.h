#pragma once

#include <boost/json/fwd.hpp>

#include <string_view>

namespace hearth::chat {

/// Whether a template shows tools by itself.
[[nodiscard]] bool templateShowsTools(std::string_view templateSource);

/// For a template that knows nothing of tools: describes them, and how to call them, in the system message (or, where the
/// template takes none, in the first user's), and turns earlier calls and their results into plain turns of the assistant
/// and the user. `messages` as templateMessages() makes them with arguments as values; `tools` the request's, or null.
void describeTools(boost::json::array& messages, const boost::json::value& tools, std::string_view templateSource);

}  // namespace hearth::chat
