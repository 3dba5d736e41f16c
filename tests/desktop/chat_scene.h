#pragma once

#include "desktop_fixture.h"

namespace hearth::test {

/// A chat with formulas, code, a table: what a reply may hold. Its id.
[[nodiscard]] ConversationId addRichChat(Desktop& desktop);

}  // namespace hearth::test
