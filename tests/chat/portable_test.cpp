#include "core/chat/portable/portable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/scratch_folder.h"

namespace hearth::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Message make(MessageId id, MessageId parent, Role role, std::string text) {
  Message message;
  message.id = id;
  message.parent = parent;
  message.role = role;
  message.text = std::move(text);
  message.createdMs = 1'700'000'000'000 + id;
  return message;
}

ConversationTree sample() {
  ConversationTree tree;
  Conversation& c = tree.conversation;
  c.title = "Grüße --> \"quoted\" 你好";
  c.model = "m-q4";
  c.systemPrompt = "be\nbrief";
  c.ownPrompt = true;
  c.parametersJson = R"({"temperature":0.1,"seed":"18446744073709551615"})";
  c.createdMs = 1'700'000'000'000;
  c.updatedMs = 1'700'000'009'000;
  c.pinnedMs = 5;
  c.activeLeaf = 4;
  tree.folder = {"Work", "A > B"};
  tree.tags = {"x", "y z"};
  tree.persona = "Reviewer";
  tree.messages = {make(1, 0, Role::User, "first\n\n<!-- hearth:text -->\n\\<!-- hearth:message {} -->\n\n\n"), make(2, 1, Role::Assistant, "a1"),
                   make(3, 1, Role::Assistant, "<!-- hearth:chat {\"version\":1} -->"), make(4, 3, Role::User, std::string("nul\0in", 6))};
  Message& failed = tree.messages[1];
  failed.state = MessageState::Failed;
  failed.error = Error{ErrorCode::ContextOverflow, "too long", {{"needed", "9"}, {"odd\"", "x\ny"}}};
  failed.reasoning = "I think\n-->\nso";
  failed.calls = {{"c1", "f", R"({"a":"-->"})"}, {"c2", "g", "{cut"}};
  failed.model = "m-q4";
  failed.lengthLimited = true;
  failed.promptTokens = 7;
  failed.generatedTokens = 8;
  failed.tokensPerSecond = 12.5;
  failed.firstTokenSeconds = 0.25;
  tree.messages[2].reasoning = "line\n<!-- hearth:text -->\n";
  return tree;
}

void expectSame(const Message& a, const Message& b) {
  EXPECT_EQ(a.role, b.role);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.reasoning, b.reasoning);
  EXPECT_EQ(a.calls, b.calls);
  EXPECT_EQ(a.model, b.model);
  ASSERT_EQ(a.error.has_value(), b.error.has_value());
  if (a.error) {
    EXPECT_EQ(a.error->describe(), b.error->describe());
    EXPECT_EQ(a.error->code, b.error->code);
  }
  EXPECT_EQ(a.lengthLimited, b.lengthLimited);
  EXPECT_EQ(a.createdMs, b.createdMs);
  EXPECT_EQ(a.promptTokens, b.promptTokens);
  EXPECT_EQ(a.generatedTokens, b.generatedTokens);
  EXPECT_DOUBLE_EQ(a.tokensPerSecond, b.tokensPerSecond);
  EXPECT_DOUBLE_EQ(a.firstTokenSeconds, b.firstTokenSeconds);
}

void expectSame(const Conversation& a, const Conversation& b) {
  EXPECT_EQ(a.title, b.title);
  EXPECT_EQ(a.model, b.model);
  EXPECT_EQ(a.systemPrompt, b.systemPrompt);
  EXPECT_EQ(a.ownPrompt, b.ownPrompt);
  EXPECT_EQ(a.parametersJson, b.parametersJson);
  EXPECT_EQ(a.createdMs, b.createdMs);
  EXPECT_EQ(a.updatedMs, b.updatedMs);
  EXPECT_EQ(a.pinnedMs, b.pinnedMs);
}

TEST(Portable, JsonBringsBackEverything) {
  const std::vector<ConversationTree> given{sample(), sample(), ConversationTree{}};
  const std::string text = exportJson(given);
  const auto read = readChats(text);
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_EQ(read->format, "hearth");
  ASSERT_EQ(read->trees.size(), 3U);
  for (std::size_t i = 0; i < given.size(); ++i) {
    const ConversationTree& back = read->trees[i];
    expectSame(back.conversation, given[i].conversation);
    EXPECT_EQ(back.conversation.activeLeaf, given[i].conversation.activeLeaf);
    EXPECT_EQ(back.folder, given[i].folder);
    EXPECT_EQ(back.tags, given[i].tags);
    EXPECT_EQ(back.persona, given[i].persona);
    ASSERT_EQ(back.messages.size(), given[i].messages.size());
    for (std::size_t m = 0; m < back.messages.size(); ++m) {
      EXPECT_EQ(back.messages[m].parent, given[i].messages[m].parent);
      expectSame(back.messages[m], given[i].messages[m]);
    }
  }
  EXPECT_EQ(exportJson(read->trees), text) << "and again the same";
}

TEST(Portable, AReplyThatIsBeingWrittenIsExportedAsInterrupted) {
  ConversationTree tree = sample();
  tree.messages[3].state = MessageState::Streaming;
  const auto read = readChats(exportJson({&tree, 1}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->trees[0].messages[3].state, MessageState::Interrupted);
}

TEST(Portable, MarkdownIsReadableAndBringsBackTheShownBranch) {
  const std::vector<ConversationTree> given{sample(), sample()};
  const std::string text = exportMarkdown(given);
  EXPECT_THAT(text, HasSubstr("\n# Grüße --> \"quoted\" 你好\n"));
  EXPECT_THAT(text, HasSubstr("\n## User\n"));
  const auto read = readChats(text);
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_EQ(read->format, "markdown");
  ASSERT_EQ(read->trees.size(), 2U);
  const ConversationTree& back = read->trees[1];
  expectSame(back.conversation, given[1].conversation);
  EXPECT_EQ(back.folder, given[1].folder);
  EXPECT_EQ(back.tags, given[1].tags);
  ASSERT_EQ(back.messages.size(), 3U);
  expectSame(back.messages[0], given[1].messages[0]);
  expectSame(back.messages[1], given[1].messages[2]);
  expectSame(back.messages[2], given[1].messages[3]);
  EXPECT_EQ(back.messages[2].parent, back.messages[1].id);
  EXPECT_EQ(exportMarkdown(read->trees), text);

  // The other branch holds the failed reply with its calls.
  ConversationTree other = sample();
  other.conversation.activeLeaf = 2;
  const auto second = readChats(exportMarkdown({&other, 1}));
  ASSERT_TRUE(second);
  expectSame(second->trees[0].messages[1], other.messages[1]);
}

constexpr const char* kChatGpt = R"json([{"title":"Trip","create_time":1700000000.5,"update_time":1700000100,"current_node":"n5","mapping":{
 "n5":{"id":"n5","parent":"n3","children":[],"message":{"author":{"role":"assistant"},"create_time":1700000004,"content":{"content_type":"code","language":"python","text":"print(1)"},"metadata":{"model_slug":"gpt-x"}}},
 "root":{"id":"root","message":null,"parent":null,"children":["sys"]},
 "sys":{"id":"sys","parent":"root","message":{"author":{"role":"system"},"create_time":null,"content":{"content_type":"text","parts":[""]},"metadata":{"is_visually_hidden_from_conversation":true}}},
 "n1":{"id":"n1","parent":"sys","message":{"author":{"role":"user"},"create_time":1700000001,"content":{"content_type":"multimodal_text","parts":["Where to?",{"content_type":"image_asset_pointer","asset_pointer":"x"}]}}},
 "t":{"id":"t","parent":"n1","message":{"author":{"role":"assistant"},"create_time":1700000002,"content":{"content_type":"thoughts","thoughts":[{"summary":"s","content":"Let me see."},{"content":"Rome?"}]}}},
 "n3":{"id":"n3","parent":"t","message":{"author":{"role":"assistant"},"create_time":1700000003,"content":{"content_type":"text","parts":["To Rome."]},"metadata":{"model_slug":"gpt-x"}}},
 "n4":{"id":"n4","parent":"n1","message":{"author":{"role":"assistant"},"create_time":1700000009,"content":{"content_type":"text","parts":["To Paris."]}}}
}}])json";

TEST(Portable, ChatGptsTreeKeepsItsBranches) {
  const auto read = readChats(kChatGpt);
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_EQ(read->format, "chatgpt");
  ASSERT_EQ(read->trees.size(), 1U);
  const ConversationTree& tree = read->trees[0];
  EXPECT_EQ(tree.conversation.title, "Trip");
  EXPECT_EQ(tree.conversation.createdMs, 1'700'000'000'500);
  std::vector<std::string> texts;
  for (const Message& message : tree.messages) texts.push_back(message.text);
  EXPECT_THAT(texts, ElementsAre("Where to?\n\n[image_asset_pointer]", "To Rome.", "```python\nprint(1)\n```", "To Paris."));
  EXPECT_EQ(tree.messages[0].parent, 0);
  EXPECT_EQ(tree.messages[1].parent, 1);
  EXPECT_EQ(tree.messages[1].reasoning, "Let me see.\n\nRome?");
  EXPECT_EQ(tree.messages[1].model, "gpt-x");
  EXPECT_EQ(tree.messages[2].parent, 2);
  EXPECT_EQ(tree.messages[3].parent, 1);
  EXPECT_EQ(tree.messages[3].reasoning, "");
  EXPECT_EQ(tree.conversation.activeLeaf, 3);
}

constexpr const char* kOpenWebUi = R"json([{"id":"a","title":"Beans","created_at":1700000000,"updated_at":1700000500,"pinned":true,"meta":{"tags":["food"]},
 "chat":{"title":"Beans","models":["llama3:8b"],"system":"be kind","history":{"currentId":"m3","messages":{
  "m1":{"id":"m1","parentId":null,"childrenIds":["m2","m3"],"role":"user","content":"How long?","timestamp":1700000001},
  "m2":{"id":"m2","parentId":"m1","childrenIds":[],"role":"assistant","content":"An hour.","model":"llama3:8b","timestamp":1700000002,"done":true},
  "m3":{"id":"m3","parentId":"m1","childrenIds":[],"role":"assistant","content":"<details type=\"reasoning\" done=\"true\" duration=\"2\">\n<summary>Thought for 2 seconds</summary>\n> Beans are hard.\n> Very.\n</details>\nTwo hours.","model":"llama3:8b","timestamp":1700000003}}},
  "messages":[]}}])json";

TEST(Portable, OpenWebUisTreeKeepsItsBranchesAndReasoning) {
  for (const bool alone : {false, true}) {
    std::string text = kOpenWebUi;
    if (alone) text = text.substr(1, text.size() - 2);
    const auto read = readChats(text);
    ASSERT_TRUE(read) << read.error().describe();
    EXPECT_EQ(read->format, "openwebui");
    const ConversationTree& tree = read->trees.at(0);
    EXPECT_EQ(tree.conversation.title, "Beans");
    EXPECT_EQ(tree.conversation.model, "llama3:8b");
    EXPECT_EQ(tree.conversation.systemPrompt, "be kind");
    EXPECT_EQ(tree.conversation.pinnedMs, 1'700'000'500'000);
    EXPECT_THAT(tree.tags, ElementsAre("food"));
    ASSERT_EQ(tree.messages.size(), 3U);
    EXPECT_EQ(tree.messages[2].text, "Two hours.");
    EXPECT_EQ(tree.messages[2].reasoning, "Beans are hard.\nVery.");
    EXPECT_EQ(tree.messages[2].parent, 1);
    EXPECT_EQ(tree.conversation.activeLeaf, 3);
    EXPECT_EQ(tree.messages[1].createdMs, 1'700'000'002'000);
  }
}

ErrorCode codeOf(std::string_view text) {
  const auto read = readChats(text);
  EXPECT_FALSE(read) << text.substr(0, 200);
  return read ? ErrorCode::Internal : read.error().code;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

TEST(Portable, EveryCutIsRefused) {
  for (const std::string& whole : {std::string(kChatGpt), std::string(kOpenWebUi), exportJson(std::vector{sample()})}) {
    for (std::size_t size = 1; size + 2 < whole.size(); size += 7) {
      const ErrorCode code = codeOf(whole.substr(0, size));
      EXPECT_TRUE(code == ErrorCode::Truncated || code == ErrorCode::Corrupt) << size;
    }
  }
}

TEST(Portable, WhatIsNotChatsIsRefusedByName) {
  EXPECT_EQ(codeOf(""), ErrorCode::UnsupportedFormat);
  EXPECT_EQ(codeOf("# Some Markdown\n\nof somebody else's"), ErrorCode::UnsupportedFormat);
  EXPECT_EQ(codeOf("[]"), ErrorCode::UnsupportedFormat);
  EXPECT_EQ(codeOf("{}"), ErrorCode::UnsupportedFormat);
  EXPECT_EQ(codeOf("[1,2,3]"), ErrorCode::UnsupportedFormat);
  EXPECT_EQ(codeOf(R"({"format":7})"), ErrorCode::UnsupportedFormat);
  EXPECT_EQ(codeOf("{]"), ErrorCode::Corrupt);
  EXPECT_EQ(codeOf("{\"a\":\"\xFF\"}"), ErrorCode::Corrupt);
  EXPECT_EQ(codeOf(std::string(100'000, '[')), ErrorCode::Corrupt) << "too deep";
  EXPECT_EQ(codeOf(R"({"format":"hearth-chats","version":2,"conversations":[]})"), ErrorCode::UnsupportedVersion);
  EXPECT_EQ(codeOf(R"({"format":"hearth-chats","version":1})"), ErrorCode::Corrupt);
  EXPECT_EQ(codeOf("<!-- hearth:chat {\"version\":9} -->\n"), ErrorCode::UnsupportedVersion);
  EXPECT_EQ(codeOf("<!-- hearth:chat {\"version\":1} -->\n<!-- hearth:message {\"role\":\"boss\"} -->\n"), ErrorCode::Corrupt);
  EXPECT_EQ(codeOf("<!-- hearth:chat {\"version\":1} -->\n<!-- hearth:text -->\n"), ErrorCode::Corrupt);
  EXPECT_EQ(codeOf("<!-- hearth:chat {\"version\":1} -->\n<!-- hearth:message {\"role\":\"us\n"), ErrorCode::Corrupt);
}

TEST(Portable, WrongKindsNameTheConversationAndTheField) {
  const auto check = [](const std::string& text, const char* field) {
    const auto read = readChats(text);
    ASSERT_FALSE(read) << field;
    EXPECT_EQ(read.error().code, ErrorCode::Corrupt);
    EXPECT_EQ(read.error().find("field"), field) << read.error().describe();
    EXPECT_EQ(read.error().find("conversation"), "1") << read.error().describe();
  };
  check(replaced(kChatGpt, "\"title\":\"Trip\"", "\"title\":7"), "title");
  check(replaced(kChatGpt, "1700000000.5", "\"soon\""), "create_time");
  check(replaced(kChatGpt, "1700000000.5", "-5"), "create_time");
  check(replaced(kChatGpt, "1700000000.5", "1e300"), "create_time");
  check(replaced(kChatGpt, "\"role\":\"user\"", "\"role\":\"boss\""), "role");
  check(replaced(kChatGpt, "[\"To Rome.\"]", "[7]"), "parts");
  check(replaced(kOpenWebUi, "\"content\":\"An hour.\"", "\"content\":[]"), "content");
  check(replaced(kOpenWebUi, "\"tags\":[\"food\"]", "\"tags\":[1]"), "tags");
  check(replaced(kOpenWebUi, "\"history\":{", "\"story\":{"), "history");
  const std::string ours = exportJson(std::vector{sample()});
  check(replaced(ours, "\"state\":\"complete\"", "\"state\":\"streaming\""), "state");
  check(replaced(ours, "\"state\":\"complete\"", "\"state\":\"x\""), "state");
  check(replaced(ours, "\"parent\":0", "\"parent\":0.5"), "parent");
  check(replaced(ours, "\"text\":\"a1\"", "\"text\":{}"), "text");
  check(replaced(ours, "\"prompt_tokens\":7", "\"prompt_tokens\":true"), "prompt_tokens");
  check(replaced(ours, "\"evidence\":[[", "\"evidence\":[7,["), "error");
  check(replaced(ours, "\"name\":\"f\"", "\"name\":7"), "tool_calls");
}

TEST(Portable, CirclesOrphansAndTwinsAreRefusedByName) {
  const auto message = [](const std::string& text) {
    const auto read = readChats(text);
    EXPECT_FALSE(read);
    return read ? std::string() : std::string(errorCodeName(read.error().code)) + ": " + read.error().message;
  };
  EXPECT_EQ(message(replaced(kChatGpt, "\"parent\":\"sys\"", "\"parent\":\"n3\"")), "corrupt: the messages form a circle");
  EXPECT_EQ(message(replaced(kChatGpt, "\"parent\":\"sys\"", "\"parent\":\"n1\"")), "corrupt: the messages form a circle");
  EXPECT_EQ(message(replaced(kChatGpt, "\"parent\":\"sys\"", "\"parent\":\"gone\"")), "corrupt: a message names a parent that is not there");
  EXPECT_EQ(message(replaced(kOpenWebUi, "\"parentId\":null", "\"parentId\":\"m2\"")), "corrupt: the messages form a circle");
  const std::string ours = exportJson(std::vector{sample()});
  EXPECT_EQ(message(replaced(ours, "\"id\":1,\"parent\":0", "\"id\":1,\"parent\":4")), "corrupt: the messages form a circle");
  EXPECT_EQ(message(replaced(ours, "\"id\":1,\"parent\":0", "\"id\":1,\"parent\":99")), "corrupt: a message names a parent that is not there");
  EXPECT_EQ(message(replaced(ours, "\"id\":2,", "\"id\":1,")), "corrupt: two messages have the same id");
}

TEST(Portable, OneBadConversationRefusesAll) {
  const std::string good = exportJson(std::vector{sample(), sample()});
  const auto at = good.rfind("\"role\":\"user\"");
  std::string text = good;
  text.replace(at, 13, "\"role\":\"none\"");
  const auto read = readChats(text);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().find("conversation"), "2");
}

TEST(Portable, AVeryLongChainIsATreeLikeAnyOther) {
  ConversationTree tree;
  for (MessageId id = 1; id <= 50'000; ++id) tree.messages.push_back(make(id, id - 1, Role::User, "x"));
  tree.conversation.activeLeaf = 50'000;
  const auto read = readChats(exportJson({&tree, 1}));
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_EQ(read->trees[0].messages.size(), 50'000U);
  EXPECT_EQ(readChats(exportMarkdown({&tree, 1}))->trees[0].messages.size(), 50'000U);
}

TEST(Portable, FilesAreRefusedByNameToo) {
  const ScratchFolder folder;
  EXPECT_EQ(readChatsFile(folder / "absent").error().code, ErrorCode::NotFound);
  EXPECT_EQ(readChatsFile(folder / "").error().code, ErrorCode::InvalidArgument);
  const auto large = folder / "large.json";
  { std::ofstream(large) << "["; }
  std::filesystem::resize_file(large, 100'000'000);  // sparse
  const auto refused = readChatsFile(large);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(refused.error().find("limit_bytes"), std::to_string(kLargestImport));
  EXPECT_EQ(refused.error().find("path"), large.string());
  const auto file = folder / "chats.json";
  { std::ofstream(file) << "\xEF\xBB\xBF  " << kChatGpt; }
  EXPECT_TRUE(readChatsFile(file));
  { std::ofstream(file) << "nothing"; }
  EXPECT_EQ(readChatsFile(file).error().find("path"), file.string());
}

TEST(Portable, FileNamesAreTaken) {
  EXPECT_EQ(fileNameFor("A/B: c?"), "A B  c");
  EXPECT_EQ(fileNameFor(".. "), "chat");
  EXPECT_EQ(fileNameFor(""), "chat");
  EXPECT_EQ(fileNameFor("你好\n"), "你好");
  const std::string cut = fileNameFor(std::string(79, 'a') + "你好");
  EXPECT_EQ(cut, std::string(79, 'a'));
}

}  // namespace
}  // namespace hearth::chat
