#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "core/store/organiser.h"
#include "core/store/store.h"
#include "core/store/team_store.h"
#include "tests/support/scratch_folder.h"

namespace hearth {

/// A store with two owners: the machine's own user (0) and Anna of the team.
class OrganiserTest : public ::testing::Test {
 protected:
  void SetUp() override {
    reopen();
    store::UserRow row;
    row.name = row.folded = "anna";
    ASSERT_TRUE(m_store->team()->change([&](store::TeamTransaction& change) -> Result<void> {
      row.id = 0;
      change.insert(row);
      return {};
    }));
    m_anna = row.id;
  }
  void reopen() {
    m_store.reset();
    auto opened = Store::open(m_folder / "hearth.db");
    ASSERT_TRUE(opened) << opened.error().describe();
    m_store = std::move(*opened);
  }
  store::Organiser& organiser() { return *m_store->organiser(); }
  Conversation chat(const std::string& title, UserId owner = 0) {
    auto made = m_store->createConversationOf(owner, title, "m");
    EXPECT_TRUE(made) << made.error().describe();
    return made.value_or(Conversation{});
  }
  Message say(ConversationId id, const std::string& text, MessageId parent = 0, Role role = Role::User,
              MessageState state = MessageState::Complete) {
    Message message;
    message.conversation = id;
    message.parent = parent;
    message.role = role;
    message.text = text;
    message.state = state;
    auto added = m_store->addMessage(message);
    EXPECT_TRUE(added) << added.error().describe();
    return added.value_or(Message{});
  }
  /// Rows of a table, beside the store.
  int count(const std::string& table) {
    SQLite::Database database((m_folder / "hearth.db").string(), SQLite::OPEN_READONLY);
    return database.execAndGet("SELECT count(*) FROM " + table).getInt();
  }

  ScratchFolder m_folder;
  std::unique_ptr<Store> m_store;
  UserId m_anna = 0;
};

}  // namespace hearth
