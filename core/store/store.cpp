#include "core/store/store.h"

namespace hearth {

// For stores that have no transactions (fakes in tests); the real one overrides it.
Result<std::vector<Message>> Store::addMessages(std::vector<Message> chain) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (i > 0) chain[i].parent = chain[i - 1].id;
    HEARTH_TRY(chain[i], addMessage(chain[i]));
  }
  return chain;
}

}  // namespace hearth
