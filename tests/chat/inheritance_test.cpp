#include "core/chat/inheritance.h"

#include <gtest/gtest.h>

#include "core/chat/attachment.h"
#include "tests/support/scratch_folder.h"

namespace hearth::chat {
namespace {

TEST(Inheritance, TheChatGoesBeforeThePersonaAndThatBeforeTheModel) {
  store::Persona persona;
  persona.model = "persona-model";
  persona.systemPrompt = "as persona";
  persona.parametersJson = R"({"temperature":0.2,"top_k":5})";
  Conversation c;
  c.parametersJson = R"({"temperature":0.9})";
  EffectiveSettings now = effectiveSettings(c, &persona);
  EXPECT_EQ(now.model, "persona-model");
  EXPECT_EQ(now.systemPrompt, "as persona");
  EXPECT_EQ(now.promptOrigin, Origin::Persona);
  EXPECT_EQ(now.originOf("temperature"), Origin::Chat);
  EXPECT_EQ(now.originOf("top_k"), Origin::Persona);
  EXPECT_EQ(now.originOf("top_p"), Origin::Model);
  EXPECT_EQ(now.parametersJson, R"({"temperature":9E-1,"top_k":5})");

  c.model = "chat-model";
  c.systemPrompt = "as chat";
  now = effectiveSettings(c, &persona);
  EXPECT_EQ(now.model, "chat-model");
  EXPECT_EQ(now.systemPrompt, "as chat");
  EXPECT_EQ(now.promptOrigin, Origin::Chat);
  c.systemPrompt.clear();
  c.ownPrompt = true;
  now = effectiveSettings(c, &persona);
  EXPECT_EQ(now.systemPrompt, "") << "the chat wants none";
  EXPECT_EQ(now.promptOrigin, Origin::Chat);

  // Field by field back to what is inherited.
  c = withoutOwn(c, "system_prompt");
  EXPECT_EQ(effectiveSettings(c, &persona).systemPrompt, "as persona");
  c = withoutOwn(c, "temperature");
  EXPECT_EQ(effectiveSettings(c, &persona).originOf("temperature"), Origin::Persona);
  EXPECT_EQ(c.parametersJson, "{}");
  now = effectiveSettings(c, nullptr);
  EXPECT_EQ(now.promptOrigin, Origin::Model);
  EXPECT_EQ(now.parametersJson, "{}");
  c.parametersJson = "[1";
  persona.parametersJson = "7";
  EXPECT_EQ(effectiveSettings(c, &persona).parametersJson, "{}") << "what cannot be read counts as nothing";
}

TEST(Inheritance, AStoredChatTakesThePromptOfItsPersona) {
  const ScratchFolder folder;
  auto store = Store::open(folder / "hearth.db").value();
  store::Persona persona;
  persona.name = "p";
  persona.systemPrompt = "as persona";
  persona = store->organiser()->savePersona(0, persona).value();
  Conversation c = store->createConversation("t", "m").value();
  EXPECT_EQ(effectivePrompt(*store, c).value(), "");
  c.persona = persona.id;
  EXPECT_EQ(effectivePrompt(*store, c).value(), "as persona");
  c.systemPrompt = "own";
  EXPECT_EQ(effectivePrompt(*store, c).value(), "own");
}

TEST(Attachments, ComeBackFromTheMessageAsTheyWere) {
  const std::vector<Attachment> given{{"notes.txt", "line\n</attached-file>\n\nmore\n", false}, {"空 \"x\".md", "", true}};
  const std::string message = joinAttachments(given, "what is this?");
  const AttachedMessage back = splitAttachments(message);
  ASSERT_EQ(back.attachments.size(), 2U);
  EXPECT_EQ(back.attachments[0], given[0]);
  EXPECT_EQ(back.attachments[1].name, "空 _x_.md");
  EXPECT_TRUE(back.attachments[1].cut);
  EXPECT_EQ(back.attachments[1].text, "");
  EXPECT_EQ(back.text, "what is this?");
  EXPECT_EQ(joinAttachments({}, "plain"), "plain");
}

TEST(Attachments, WhatOnlyLooksLikeOneIsAText) {
  for (const std::string text : {"", "plain", "<attached-file name=\"a", "<attached-file name=\"a\" bytes=\"9\">\nshort\n</attached-file>\n\n",
                                 "<attached-file name=\"a\" bytes=\"99999999999999999999\">\n", "<attached-file name=\"a\" bytes=\"-1\">\nx",
                                 "<attached-file name=\"a\nb\" bytes=\"1\">\nx\n</attached-file>\n\n", " <attached-file name=\"a\" bytes=\"1\">\nx\n</attached-file>\n\n"}) {
    const AttachedMessage parts = splitAttachments(text);
    EXPECT_TRUE(parts.attachments.empty()) << text;
    EXPECT_EQ(parts.text, text);
  }
}

}  // namespace
}  // namespace hearth::chat
