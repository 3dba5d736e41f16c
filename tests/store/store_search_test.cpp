#include <chrono>

#include "core/store/schema.h"
#include "core/store/search_tokenizer.h"
#include "core/store/sqlite_file.h"
#include "tests/store/organiser_fixture.h"

namespace hearth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> wordsOf(std::string_view text) {
  std::vector<std::string> words;
  store::splitWords(text, [&](std::string_view word, std::size_t begin, std::size_t end) {
    EXPECT_LT(begin, end);
    EXPECT_LE(end, text.size());
    words.emplace_back(word);
    return true;
  });
  return words;
}

TEST(SearchTokenizer, WordsAreFoldedAndUnspacedScriptsAreCutIntoCharacters) {
  EXPECT_THAT(wordsOf("Hello, WORLD_2!"), ElementsAre("hello", "world", "2"));
  EXPECT_THAT(wordsOf("Éclair ÄÖÜ Straße"), ElementsAre("eclair", "aou", "strasse"));
  EXPECT_THAT(wordsOf("E\xCC\x81" "clair"), ElementsAre("eclair")) << "a mark of its own belongs to its letter";
  EXPECT_THAT(wordsOf("中文test测试"), ElementsAre("中", "文", "test", "测", "试"));
  EXPECT_THAT(wordsOf("ＡＢＣ１"), ElementsAre("abc1"));
  EXPECT_THAT(wordsOf("が か"), ElementsAre("が", "か"));
  EXPECT_THAT(wordsOf("Привет, мир"), ElementsAre("привет", "мир"));
  EXPECT_THAT(wordsOf(" \n… 🔥 --"), IsEmpty());
  EXPECT_THAT(wordsOf("a\xFF" "b \xE4\xB8"), ElementsAre("a", "b")) << "what is not UTF-8 separates";
  EXPECT_THAT(wordsOf(std::string("a\0b", 3)), ElementsAre("a", "b"));
  const auto longest = wordsOf(std::string(100'000, 'x') + " é");
  ASSERT_EQ(longest.size(), 2U);
  EXPECT_LE(longest[0].size(), 128U);
}

class SearchTest : public OrganiserTest {
 protected:
  std::vector<std::pair<std::int64_t, std::string>> find(const std::string& words, UserId owner = 0) {
    const auto hits = organiser().search(owner, words);
    EXPECT_TRUE(hits) << hits.error().describe();
    std::vector<std::pair<std::int64_t, std::string>> found;
    if (!hits) return found;
    for (const auto& hit : *hits) {
      std::string marked;
      int at = 0;
      for (const auto& [begin, end] : hit.marks) {
        marked += hit.excerpt.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(begin - at)) + "[" +
                  hit.excerpt.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)) + "]";
        at = end;
      }
      found.emplace_back(hit.message, marked + hit.excerpt.substr(static_cast<std::size_t>(at)));
    }
    return found;
  }
};

TEST_F(SearchTest, FindsWordsInTitlesAndMessagesWithTheirPlace) {
  const Conversation cooking = chat("Sourdough bread");
  const Message question = say(cooking.id, "How long must the dough lie to rest?");
  const Message answer = say(cooking.id, "Let the Dough rest overnight.\n\nThen bake it.", question.id, Role::Assistant);
  const Conversation other = chat("Taxes");
  say(other.id, "nothing of the kind");

  EXPECT_THAT(find("sourdough"), ElementsAre(std::pair(std::int64_t{0}, std::string("[Sourdough] bread"))));
  const auto both = find("dough rest");
  ASSERT_EQ(both.size(), 2U);
  EXPECT_THAT((std::vector{both[0].first, both[1].first}), ::testing::UnorderedElementsAre(question.id, answer.id));
  const auto one = find("rest overnight bake");
  ASSERT_THAT(one, ElementsAre(std::pair(answer.id, std::string("Let the Dough [rest] [overnight]. Then [bake] it."))));
  EXPECT_EQ(find("overn").size(), 1U) << "the last word may be a beginning";
  EXPECT_THAT(find("overn bake"), IsEmpty());
  EXPECT_THAT(find("\"overn\""), IsEmpty()) << "not in quotes";
  EXPECT_EQ(find("\"dough rest\"").size(), 1U);
  EXPECT_THAT(find("\"rest dough\""), IsEmpty());
  const auto hits = organiser().search(0, "overnight");
  ASSERT_TRUE(hits);
  EXPECT_EQ(hits->front().conversation, cooking.id);
  EXPECT_EQ(hits->front().title, "Sourdough bread");
  EXPECT_EQ(hits->front().role, Role::Assistant);
  EXPECT_EQ(hits->front().timeMs, answer.createdMs);
}

TEST_F(SearchTest, TwoCharactersOfChineseAreEnough) {
  const Conversation c = chat("旅行计划");
  const Message m = say(c.id, "请帮我写一份北京三日游的行程安排，预算有限。");
  say(c.id, "京北的天气");
  EXPECT_THAT(find("北京"), ElementsAre(std::pair(m.id, std::string("请帮我写一份[北京]三日游的行程安排，预算有限。"))));
  EXPECT_EQ(find("行").size(), 2U);
  EXPECT_EQ(find("北京三日游").size(), 1U);
  EXPECT_EQ(find("北京 预算").size(), 1U);
  EXPECT_THAT(find("京预"), IsEmpty());
  EXPECT_EQ(find("计划").size(), 1U);
}

TEST_F(SearchTest, WhatWasTypedIsNeverAnOperator) {
  const Conversation c = chat("t");
  say(c.id, "alpha beta NEAR OR gamma");
  for (const char* hostile : {"alpha OR zzz", "alpha NOT beta", "text:alpha", "alpha AND", "(alpha", "alpha*", "^alpha", "NEAR(alpha beta)",
                              "\"alpha", "\"\"\"", "*", "a'b", "{alpha}", "-alpha", "+", "search_messages : alpha", "\x01\x02\x03"}) {
    ASSERT_TRUE(organiser().search(0, hostile)) << hostile;
  }
  EXPECT_THAT(find("alpha OR zzz"), IsEmpty());
  EXPECT_EQ(find("or gamma").size(), 1U);
  EXPECT_THAT(find("... --"), IsEmpty());
  EXPECT_THAT(find(""), IsEmpty());
  EXPECT_TRUE(organiser().search(0, std::string(200'000, 'a') + " " + std::string(100'000, '"')));
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "alpha ";
  EXPECT_EQ(find(many).size(), 1U);
}

TEST_F(SearchTest, FollowsEveryChange) {
  Conversation c = chat("first name");
  Message m = say(c.id, "original words");
  EXPECT_EQ(find("original").size(), 1U);
  m.text = "replaced entirely";
  ASSERT_TRUE(m_store->updateMessage(m));
  EXPECT_THAT(find("original"), IsEmpty());
  EXPECT_EQ(find("replaced").size(), 1U);
  c = m_store->conversation(c.id).value();
  c.title = "second name";
  ASSERT_TRUE(m_store->updateConversation(c));
  EXPECT_THAT(find("first"), IsEmpty());
  EXPECT_EQ(find("second").size(), 1U);

  // A reply is found once it is written, and after the program was killed in the middle of it, too.
  Message reply = say(c.id, "", m.id, Role::Assistant, MessageState::Streaming);
  reply.text = "unfinished symphony";
  ASSERT_TRUE(m_store->updateMessage(reply));
  EXPECT_THAT(find("symphony"), IsEmpty());
  reopen();
  EXPECT_EQ(find("symphony").size(), 1U);
  reply.text += " in b minor";
  reply.state = MessageState::Complete;
  ASSERT_TRUE(m_store->updateMessage(reply));
  EXPECT_EQ(find("minor").size(), 1U);

  ASSERT_TRUE(organiser().trash(0, {c.id}));
  EXPECT_THAT(find("symphony"), IsEmpty());
  EXPECT_THAT(find("second"), IsEmpty());
  ASSERT_TRUE(organiser().restore(0, {c.id}));
  EXPECT_EQ(find("symphony").size(), 1U);
  ASSERT_TRUE(organiser().trash(0, {c.id}));
  ASSERT_TRUE(organiser().erase(0, {c.id}));
  EXPECT_EQ(count("search_queue"), 0);
  EXPECT_EQ(count("messages"), 0);
  m_store.reset();
  SQLite::Database database = store::openConnection(m_folder / "hearth.db", SQLite::OPEN_READWRITE);
  EXPECT_EQ(database.execAndGet("SELECT count(*) FROM search_messages('symphony')").getInt(), 0);
  database.exec("INSERT INTO search_messages (search_messages) VALUES ('integrity-check')");
  database.exec("INSERT INTO search_titles (search_titles) VALUES ('integrity-check')");
}

TEST_F(SearchTest, NobodyFindsWhatBelongsToAnother) {
  const Conversation hers = chat("secret plans", m_anna);
  say(hers.id, "meet at midnight");
  const Conversation mine = chat("open plans");
  EXPECT_EQ(find("plans").size(), 1U);
  EXPECT_EQ(find("plans", m_anna).size(), 1U);
  EXPECT_THAT(find("midnight"), IsEmpty());
  EXPECT_EQ(find("midnight", m_anna).size(), 1U);
  ASSERT_TRUE(m_store->team()->change([&](store::TeamTransaction& change) -> Result<void> {
    change.removeUser(m_anna);
    return {};
  }));
  EXPECT_THAT(find("midnight", m_anna), IsEmpty());
  m_store.reset();
  SQLite::Database database = store::openConnection(m_folder / "hearth.db", SQLite::OPEN_READWRITE);
  database.exec("INSERT INTO search_messages (search_messages) VALUES ('integrity-check')");
}

TEST_F(SearchTest, TheBestPlaceComesFirstAndTheExcerptIsAroundIt) {
  const Conversation c = chat("t");
  std::string longText;
  for (int i = 0; i < 3000; ++i) longText += "filler ";
  const Message far = say(c.id, longText + "needle in a haystack");
  const Message near = say(c.id, "needle needle");
  const auto found = find("needle");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].first, near.id);
  EXPECT_EQ(found[1].first, far.id);
  EXPECT_LT(found[1].second.size(), 300U);
  EXPECT_THAT(found[1].second, HasSubstr("filler [needle] in a haystack"));
  const auto few = organiser().search(0, "needle", 1);
  ASSERT_TRUE(few);
  EXPECT_EQ(few->size(), 1U);
}

TEST_F(SearchTest, AnOldDatabaseIsIndexedWhenItIsFirstSearched) {
  m_store.reset();
  const std::filesystem::path path = m_folder / "old.db";
  {
    SQLite::Database database = store::openConnection(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    ASSERT_TRUE(store::migrate(database, path, store::migrations().first(4)));
    database.exec("INSERT INTO conversations (id, title, model, system_prompt, created_ms, updated_ms) VALUES (1, 'old title', 'm', 'be brief', 1, 1);"
                  "INSERT INTO messages (id, conversation, role, state, text, created_ms) VALUES (1, 1, 0, 0, 'an ancient question', 1),"
                  " (2, 1, 2, 1, 'half an answer', 1)");
    SQLite::Statement more(database, "INSERT INTO messages (conversation, parent, role, state, text, created_ms) VALUES (1, 2, 0, 0, ?, 1)");
    SQLite::Transaction all(database);
    for (int i = 0; i < 1000; ++i) {
      more.reset();
      more.bind(1, "number n" + std::to_string(i));
      more.exec();
    }
    all.commit();
  }
  auto opened = Store::open(path);
  ASSERT_TRUE(opened) << opened.error().describe();
  EXPECT_TRUE(std::filesystem::exists(m_folder / "old.db.v4.backup"));
  store::Organiser& shelf = *(*opened)->organiser();
  EXPECT_EQ(shelf.search(0, "ancient")->size(), 1U);
  EXPECT_EQ(shelf.search(0, "title")->size(), 1U);
  EXPECT_EQ(shelf.search(0, "n999")->size(), 1U);
  EXPECT_EQ(shelf.search(0, "half")->size(), 1U) << "interrupted when it was opened";
  const Conversation c = (*opened)->conversation(1).value();
  EXPECT_EQ(c.systemPrompt, "be brief");
  EXPECT_EQ(c.folder, 0);
  EXPECT_EQ(c.persona, 0);
  EXPECT_FALSE(c.ownPrompt);
  ASSERT_TRUE((*opened)->backup(m_folder / "copy.db")) << "the copy passes its check";
}

TEST_F(SearchTest, ThousandsOfMessagesAreSearchedQuickly) {
  std::vector<store::ConversationTree> trees(20);
  std::int64_t id = 0;
  for (auto& tree : trees) {
    tree.conversation.title = "bulk";
    for (int i = 0; i < 500; ++i) {
      Message message;
      message.id = ++id;
      message.text = "message number " + std::to_string(id) + " about the weather in town 天气很好";
      tree.messages.push_back(std::move(message));
    }
  }
  ASSERT_TRUE(organiser().importTrees(0, trees));
  ASSERT_TRUE(organiser().index());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(find("9999").size(), 1U);
  EXPECT_EQ(find("天气").size(), 100U);
  const auto took = std::chrono::steady_clock::now() - start;
  RecordProperty("milliseconds", static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  EXPECT_LT(took, std::chrono::seconds(5)) << "not even on a busy machine";
}

}  // namespace
}  // namespace hearth
