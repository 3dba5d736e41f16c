#include "tests/store/organiser_fixture.h"

namespace hearth {
namespace {

using store::ConversationTree;
using store::Folder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> titles(const std::vector<Conversation>& all) {
  std::vector<std::string> list;
  for (const auto& c : all) list.push_back(c.title);
  return list;
}
template <class T>
std::vector<std::string> names(const std::vector<T>& all) {
  std::vector<std::string> list;
  for (const auto& each : all) list.push_back(each.name);
  return list;
}

TEST_F(OrganiserTest, FoldersNestAndKeepWhatIsInThem) {
  const Folder work = organiser().createFolder(0, "  Work ", 0).value();
  EXPECT_EQ(work.name, "Work");
  const Folder code = organiser().createFolder(0, "Code", work.id).value();
  const Folder home = organiser().createFolder(0, "Home", 0).value();
  const Conversation c = chat("in code");
  ASSERT_TRUE(organiser().fileInto(0, {c.id}, code.id));
  reopen();
  auto shelf = organiser().shelf(0).value();
  EXPECT_THAT(names(shelf.folders), ElementsAre("Home", "Work", "Code"));
  EXPECT_EQ(shelf.folders[2].parent, work.id);
  EXPECT_EQ(shelf.conversations.front().folder, code.id);

  EXPECT_EQ(organiser().createFolder(0, "Work", 0).error().code, ErrorCode::AlreadyExists);
  EXPECT_TRUE(organiser().createFolder(0, "Work", home.id)) << "the same name elsewhere";
  EXPECT_EQ(organiser().createFolder(0, " \n", 0).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(organiser().createFolder(0, "a\nb", 0).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(organiser().createFolder(0, std::string(201, 'x'), 0).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(organiser().createFolder(0, "x", 777).error().code, ErrorCode::NotFound);
  EXPECT_EQ(organiser().moveFolder(0, work.id, code.id).error().code, ErrorCode::InvalidArgument) << "into itself";
  EXPECT_EQ(organiser().moveFolder(0, work.id, work.id).error().code, ErrorCode::InvalidArgument);
  ASSERT_TRUE(organiser().moveFolder(0, code.id, home.id));
  ASSERT_TRUE(organiser().renameFolder(0, code.id, "Programs"));
  EXPECT_EQ(organiser().renameFolder(0, code.id, "Work").error().code, ErrorCode::AlreadyExists);

  // A folder that goes leaves its contents; a taken name gets a number.
  ASSERT_TRUE(organiser().removeFolder(0, home.id));
  shelf = organiser().shelf(0).value();
  EXPECT_THAT(names(shelf.folders), ElementsAre("Programs", "Work", "Work (2)"));
  EXPECT_EQ(shelf.conversations.front().folder, code.id);
  ASSERT_TRUE(organiser().removeFolder(0, code.id));
  EXPECT_EQ(organiser().shelf(0)->conversations.front().folder, 0);
}

TEST_F(OrganiserTest, AChildWithTheNameOfItsFolderTakesItsPlace) {
  const Folder outer = organiser().createFolder(0, "Same", 0).value();
  const Folder inner = organiser().createFolder(0, "Same", outer.id).value();
  ASSERT_TRUE(organiser().removeFolder(0, outer.id));
  const auto folders = organiser().shelf(0)->folders;
  ASSERT_EQ(folders.size(), 1U);
  EXPECT_EQ(folders[0].id, inner.id);
  EXPECT_EQ(folders[0].name, "Same");
}

TEST_F(OrganiserTest, FoldersAreNotEndlesslyDeep) {
  FolderId at = 0;
  for (int i = 0; i < 16; ++i) at = organiser().createFolder(0, "f", at).value().id;
  EXPECT_EQ(organiser().createFolder(0, "f", at).error().code, ErrorCode::InvalidArgument);
  const Folder two = organiser().createFolder(0, "two", 0).value();
  ASSERT_TRUE(organiser().createFolder(0, "below", two.id));
  const auto folders = organiser().shelf(0)->folders;
  EXPECT_EQ(organiser().moveFolder(0, two.id, folders[14].id).error().code, ErrorCode::InvalidArgument);
}

TEST_F(OrganiserTest, TagsComeAndGoWithTheirConversations) {
  const Conversation a = chat("a");
  const Conversation b = chat("b");
  ASSERT_TRUE(organiser().tag(0, {a.id, b.id}, "Urgent"));
  ASSERT_TRUE(organiser().tag(0, {a.id}, "urgent")) << "the same tag";
  ASSERT_TRUE(organiser().tag(0, {a.id}, "later"));
  auto shelf = organiser().shelf(0).value();
  EXPECT_THAT(names(shelf.tags), ElementsAre("later", "Urgent"));
  EXPECT_EQ(shelf.tagged.size(), 3U);
  const store::TagId later = shelf.tags[0].id;
  const store::TagId urgent = shelf.tags[1].id;
  EXPECT_EQ(organiser().renameTag(0, later, "URGENT").error().code, ErrorCode::AlreadyExists);
  ASSERT_TRUE(organiser().renameTag(0, later, "Someday"));
  ASSERT_TRUE(organiser().untag(0, {a.id}, later));
  EXPECT_THAT(names(organiser().shelf(0)->tags), ElementsAre("Urgent")) << "nobody carries the other one";
  EXPECT_EQ(organiser().untag(0, {a.id}, later).error().code, ErrorCode::NotFound);
  ASSERT_TRUE(organiser().removeTag(0, urgent));
  EXPECT_THAT(organiser().shelf(0)->tagged, IsEmpty());
  ASSERT_TRUE(organiser().tag(0, {b.id}, "x"));
  ASSERT_TRUE(organiser().trash(0, {b.id}));
  ASSERT_TRUE(organiser().erase(0, {b.id}));
  EXPECT_EQ(count("tags"), 0);
}

TEST_F(OrganiserTest, PinnedOnesStandFirst) {
  const Conversation a = chat("a");
  const Conversation b = chat("b");
  const Conversation c = chat("c");
  ASSERT_TRUE(organiser().pin(0, {a.id}, true));
  EXPECT_THAT(titles(organiser().shelf(0)->conversations), ElementsAre("a", "c", "b"));
  ASSERT_TRUE(organiser().pin(0, {a.id, b.id, c.id}, false));
  EXPECT_THAT(titles(organiser().shelf(0)->conversations), ElementsAre("c", "b", "a"));
}

TEST_F(OrganiserTest, TheTrashGivesBackUntilItIsEmptied) {
  const Conversation a = chat("a");
  const Conversation b = chat("b");
  say(a.id, "text");
  ASSERT_TRUE(organiser().trash(0, {a.id, b.id}));
  EXPECT_EQ(organiser().shelf(0)->trashed, 2);
  EXPECT_THAT(organiser().shelf(0)->conversations, IsEmpty());
  ASSERT_EQ(organiser().trashed(0)->size(), 2U);
  EXPECT_GT(organiser().trashed(0)->front().trashedMs, 0);
  ASSERT_TRUE(organiser().restore(0, {b.id}));
  EXPECT_EQ(organiser().erase(0, {b.id}).error().code, ErrorCode::InvalidArgument) << "not in the trash";
  EXPECT_EQ(organiser().erase(0, {a.id, b.id}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(organiser().trashed(0)->size(), 1U) << "all or nothing";
  EXPECT_EQ(organiser().eraseTrashedBefore(organiser().trashed(0)->front().trashedMs).value(), 0) << "not older";
  EXPECT_EQ(organiser().eraseTrashedBefore(organiser().trashed(0)->front().trashedMs + 1).value(), 1);
  EXPECT_EQ(m_store->conversation(a.id).error().code, ErrorCode::NotFound);
  EXPECT_EQ(m_store->conversation(b.id)->title, "b");
}

TEST_F(OrganiserTest, ListsOfConversationsAreAllOrNothing) {
  const Conversation a = chat("a");
  const Folder folder = organiser().createFolder(0, "f", 0).value();
  EXPECT_EQ(organiser().fileInto(0, {a.id, 777}, folder.id).error().code, ErrorCode::NotFound);
  EXPECT_EQ(m_store->conversation(a.id)->folder, 0);
  EXPECT_EQ(organiser().pin(0, {a.id, 777}, true).error().code, ErrorCode::NotFound);
  EXPECT_EQ(m_store->conversation(a.id)->pinnedMs, 0);
  EXPECT_EQ(organiser().tag(0, {a.id, 777}, "t").error().code, ErrorCode::NotFound);
  EXPECT_EQ(count("tags"), 0);
  EXPECT_EQ(organiser().trash(0, {a.id, 777}).error().code, ErrorCode::NotFound);
  EXPECT_EQ(m_store->conversation(a.id)->trashedMs, 0);
}

TEST_F(OrganiserTest, NobodyTouchesWhatBelongsToAnother) {
  const Conversation hers = chat("hers", m_anna);
  const Conversation mine = chat("mine");
  const Folder herFolder = organiser().createFolder(m_anna, "Work", 0).value();
  ASSERT_TRUE(organiser().createFolder(0, "Work", 0)) << "names are each owner's own";
  ASSERT_TRUE(organiser().tag(m_anna, {hers.id}, "t"));
  const store::TagId herTag = organiser().shelf(m_anna)->tags.front().id;
  store::Persona given;
  given.name = "Hers";
  const store::Persona herPersona = organiser().savePersona(m_anna, given).value();
  const auto refused = [](const auto& result) { return !result && result.error().code == ErrorCode::NotFound; };
  EXPECT_TRUE(refused(organiser().fileInto(0, {mine.id}, herFolder.id)));
  EXPECT_TRUE(refused(organiser().fileInto(0, {hers.id}, 0)));
  EXPECT_TRUE(refused(organiser().createFolder(0, "x", herFolder.id)));
  EXPECT_TRUE(refused(organiser().renameFolder(0, herFolder.id, "x")));
  EXPECT_TRUE(refused(organiser().moveFolder(0, herFolder.id, 0)));
  EXPECT_TRUE(refused(organiser().removeFolder(0, herFolder.id)));
  EXPECT_TRUE(refused(organiser().pin(0, {hers.id}, true)));
  EXPECT_TRUE(refused(organiser().tag(0, {hers.id}, "x")));
  EXPECT_TRUE(refused(organiser().untag(0, {mine.id}, herTag)));
  EXPECT_TRUE(refused(organiser().renameTag(0, herTag, "x")));
  EXPECT_TRUE(refused(organiser().removeTag(0, herTag)));
  EXPECT_TRUE(refused(organiser().trash(0, {hers.id})));
  EXPECT_TRUE(refused(organiser().restore(0, {hers.id})));
  EXPECT_TRUE(refused(organiser().erase(0, {hers.id})));
  EXPECT_TRUE(refused(organiser().exportTree(0, hers.id)));
  EXPECT_TRUE(refused(organiser().persona(0, herPersona.id)));
  EXPECT_TRUE(refused(organiser().savePersona(0, herPersona)));
  EXPECT_TRUE(refused(organiser().removePersona(0, herPersona.id)));
  Conversation wanted = m_store->conversation(mine.id).value();
  wanted.persona = herPersona.id;
  EXPECT_TRUE(refused(m_store->updateConversation(wanted)));
  EXPECT_THAT(names(organiser().shelf(0)->personas), IsEmpty());
  EXPECT_THAT(titles(organiser().shelf(0)->conversations), ElementsAre("mine"));

  ASSERT_TRUE(m_store->team()->change([&](store::TeamTransaction& change) -> Result<void> {
    change.removeUser(m_anna);
    return {};
  }));
  EXPECT_EQ(count("folders"), 1);
  EXPECT_EQ(count("tags"), 0);
  EXPECT_EQ(count("personas"), 0);
}

TEST_F(OrganiserTest, PersonasAreKeptAndLeaveTheirChatsWhenTheyGo) {
  store::Persona given;
  given.name = " Reviewer ";
  given.model = "m1";
  given.systemPrompt = "Be strict.";
  given.parametersJson = R"({"temperature":0.2})";
  const store::Persona made = organiser().savePersona(0, given).value();
  EXPECT_EQ(made.name, "Reviewer");
  EXPECT_EQ(organiser().savePersona(0, given).error().code, ErrorCode::AlreadyExists);
  given.name = "reviewer";
  EXPECT_EQ(organiser().savePersona(0, given).error().code, ErrorCode::AlreadyExists);
  given.name = "";
  EXPECT_EQ(organiser().savePersona(0, given).error().code, ErrorCode::InvalidArgument);
  Conversation c = chat("c");
  c.persona = made.id;
  c.ownPrompt = true;
  ASSERT_TRUE(m_store->updateConversation(c));
  reopen();
  EXPECT_EQ(m_store->conversation(c.id)->persona, made.id);
  EXPECT_TRUE(m_store->conversation(c.id)->ownPrompt);
  store::Persona changed = organiser().persona(0, made.id).value();
  EXPECT_EQ(changed.systemPrompt, "Be strict.");
  EXPECT_EQ(changed.parametersJson, R"({"temperature":0.2})");
  changed.name = "Critic";
  ASSERT_TRUE(organiser().savePersona(0, changed));
  EXPECT_THAT(names(organiser().personas(0).value()), ElementsAre("Critic"));
  ASSERT_TRUE(organiser().removePersona(0, made.id));
  EXPECT_EQ(m_store->conversation(c.id)->persona, 0);
  c.persona = made.id;
  EXPECT_EQ(m_store->updateConversation(c).error().code, ErrorCode::NotFound);
}

ConversationTree sampleTree() {
  ConversationTree tree;
  tree.conversation.title = "imported";
  tree.conversation.model = "m";
  tree.conversation.systemPrompt = "s";
  tree.conversation.parametersJson = R"({"top_k":5})";
  tree.conversation.createdMs = 1000;
  tree.conversation.updatedMs = 2000;
  tree.conversation.pinnedMs = 1500;
  tree.conversation.activeLeaf = 20;
  tree.folder = {"Work", "Old"};
  tree.tags = {"t1", "t2"};
  const auto add = [&](MessageId id, MessageId parent, Role role, const char* text) {
    Message message;
    message.id = id;
    message.parent = parent;
    message.role = role;
    message.text = text;
    message.createdMs = 1000 + id;
    tree.messages.push_back(std::move(message));
  };
  add(10, 0, Role::User, "q");
  add(20, 10, Role::Assistant, "a1");
  add(30, 10, Role::Assistant, "a2");
  tree.messages[2].state = MessageState::Failed;
  tree.messages[2].error = Error{ErrorCode::Timeout, "late", {{"k", "v"}}};
  tree.messages[1].calls = {{"1", "f", "{}"}};
  tree.messages[1].reasoning = "hm";
  return tree;
}

TEST_F(OrganiserTest, ATreeGoesInAndComesOutWhole) {
  const std::vector<ConversationTree> trees{sampleTree(), sampleTree()};
  const auto ids = organiser().importTrees(m_anna, trees);
  ASSERT_TRUE(ids) << ids.error().describe();
  ASSERT_EQ(ids->size(), 2U);
  const ConversationTree back = organiser().exportTree(m_anna, ids->back()).value();
  EXPECT_EQ(back.conversation.owner, m_anna);
  EXPECT_EQ(back.conversation.title, "imported");
  EXPECT_EQ(back.conversation.createdMs, 1000);
  EXPECT_EQ(back.conversation.updatedMs, 2000);
  EXPECT_EQ(back.conversation.pinnedMs, 1500);
  EXPECT_THAT(back.folder, ElementsAre("Work", "Old"));
  EXPECT_THAT(back.tags, ElementsAre("t1", "t2"));
  ASSERT_EQ(back.messages.size(), 3U);
  EXPECT_EQ(back.messages[1].id, back.conversation.activeLeaf);
  EXPECT_EQ(back.messages[2].parent, back.messages[0].id);
  EXPECT_EQ(back.messages[2].siblingCount, 2);
  EXPECT_EQ(back.messages[2].error->code, ErrorCode::Timeout);
  EXPECT_EQ(back.messages[1].reasoning, "hm");
  EXPECT_EQ(back.messages[1].calls.size(), 1U);
  EXPECT_EQ(back.messages[0].createdMs, 1010);
  EXPECT_EQ(organiser().shelf(m_anna)->folders.size(), 2U) << "made once";
  EXPECT_EQ(organiser().search(m_anna, "a1")->size(), 2U);
}

TEST_F(OrganiserTest, ABadTreeBringsNothingIn) {
  const auto refused = [&](auto&& spoil) {
    std::vector<ConversationTree> trees{sampleTree(), sampleTree()};
    spoil(trees[1]);
    const auto ids = organiser().importTrees(0, trees);
    ASSERT_FALSE(ids);
    EXPECT_EQ(ids.error().code, ErrorCode::InvalidArgument) << ids.error().describe();
    EXPECT_EQ(count("conversations"), 0);
    EXPECT_EQ(count("messages"), 0);
    EXPECT_EQ(count("folders"), 0);
    EXPECT_EQ(count("tags"), 0);
  };
  refused([](ConversationTree& tree) { tree.messages[0].parent = 30; });
  refused([](ConversationTree& tree) { tree.messages[1].parent = 999; });
  refused([](ConversationTree& tree) { tree.messages[1].id = 10; });
  refused([](ConversationTree& tree) { tree.messages[1].id = 0; });
  refused([](ConversationTree& tree) { tree.messages[1].state = MessageState::Streaming; });
  refused([](ConversationTree& tree) { tree.folder = {"a\nb"}; });
  refused([](ConversationTree& tree) { tree.tags = {""}; });
  std::vector<ConversationTree> trees{sampleTree()};
  EXPECT_EQ(organiser().importTrees(777, trees).error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace hearth
