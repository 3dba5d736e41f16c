// The commands on conversations with the real binary: alone, and beside a running host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/host/chat_upkeep.h"
#include "core/host/host.h"
#include "core/store/organiser.h"
#include "tests/support/scratch_folder.h"

namespace hearth {
namespace {

using testing::HasSubstr;
namespace json = boost::json;

struct Outcome {
  int code = -1;
  std::string out, err;
};

class ChatsCli : public testing::Test {
 protected:
  Outcome run(const std::string& arguments) {
    const std::string base = (m_folder / "run").string();
    const std::string command =
        "HEARTH_HOME='" + data() + "' '" HEARTH_BINARY "' " + arguments + " </dev/null >'" + base + ".out' 2>'" + base + ".err'";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), slurp(base + ".out"), slurp(base + ".err")};
  }
  static std::string slurp(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(m_folder / name, std::ios::binary) << text;
    std::string quoted("'");
    return quoted.append((m_folder / name).string()).append("'");
  }
  std::string data() const { return (m_folder / "data").string(); }
  ScratchFolder m_folder;
};

constexpr const char* kChat = R"json([{"title":"Trip to Rome","create_time":1700000000,"update_time":1700000100,"current_node":"b","mapping":{
 "a":{"id":"a","parent":null,"message":{"author":{"role":"user"},"create_time":1700000001,"content":{"content_type":"text","parts":["Where to eat 北京烤鸭?"]}}},
 "b":{"id":"b","parent":"a","message":{"author":{"role":"assistant"},"create_time":1700000002,"content":{"content_type":"text","parts":["Near the Pantheon."]}}},
 "c":{"id":"c","parent":"a","message":{"author":{"role":"assistant"},"create_time":1700000003,"content":{"content_type":"text","parts":["At home."]}}}}}])json";

TEST_F(ChatsCli, ImportSearchAndExportAloneAndBesideAHost) {
  for (const bool beside : {false, true}) {
    SCOPED_TRACE(beside);
    std::unique_ptr<Host> host;
    if (beside) {
      HostOptions options;
      options.dataDir = data();
      options.threads = 1;
      auto made = Host::create(options);
      ASSERT_TRUE(made) << made.error().describe();
      host = std::move(*made);
    }
    const Outcome imported = run("chats import --folder Old " + write("conversations.json", kChat));
    ASSERT_EQ(imported.code, 0) << imported.err;
    EXPECT_THAT(imported.err, HasSubstr("1 chats (chatgpt)"));
    const std::string id = imported.out.substr(0, imported.out.find('\n'));
    const Outcome listed = run("chats list");
    EXPECT_THAT(listed.out, HasSubstr("Trip to Rome"));
    EXPECT_THAT(listed.out, HasSubstr("Old"));
    const auto rows = json::parse(run("chats list --json").out).as_array();
    EXPECT_EQ(rows.size(), beside ? 2U : 1U);
    EXPECT_EQ(rows[0].at("folder").as_string(), "Old");
    EXPECT_EQ(rows[0].at("created_ms").as_int64(), 1'700'000'000'000);

    const auto hits = json::parse(run("chats search --json 烤鸭").out).as_array();
    ASSERT_EQ(hits.size(), beside ? 2U : 1U);
    EXPECT_EQ(hits[0].at("role").as_string(), "user");
    EXPECT_THAT(run("chats search pantheon").out, HasSubstr("assistant: Near the Pantheon."));
    EXPECT_EQ(run("chats search nowhere").out, "");

    const std::string file = (m_folder / "out.json").string();
    const Outcome exported = run("chats export " + id + " -o '" + file + "'");
    ASSERT_EQ(exported.code, 0) << exported.err;
    EXPECT_EQ(json::parse(slurp(file)).at("conversations").at(0).at("messages").as_array().size(), 3U);
    EXPECT_EQ(run("chats export " + id).out, slurp(file)) << "the same on standard output";
    const Outcome markdown = run("chats export --all --format markdown");
    EXPECT_THAT(markdown.out, HasSubstr("\nNear the Pantheon.\n"));
    EXPECT_THAT(markdown.out, testing::Not(HasSubstr("At home.")));
    if (host) {
      EXPECT_EQ(host->store().conversations()->size(), 2U) << "the host sees it at once";
      EXPECT_EQ(host->store().organiser()->search(0, "pantheon")->size(), 2U);
    }
  }
  const Outcome back = run("chats import " + write("again.json", slurp((m_folder / "out.json").string())));
  EXPECT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(json::parse(run("chats list --json").out).as_array().size(), 3U);
}

TEST_F(ChatsCli, WhatCannotBeReadImportsNothing) {
  const std::string good = write("good.json", kChat);
  EXPECT_EQ(run("chats import " + good + " " + write("cut.json", std::string(kChat).substr(0, 300))).code, 4);
  EXPECT_EQ(run("chats import " + good + " " + write("other.json", "{}")).code, 4);
  EXPECT_EQ(run("chats import " + good + " /nowhere/at/all").code, 3);
  const std::string large = write("large.json", "[");
  std::filesystem::resize_file(m_folder / "large.json", 100'000'000);
  const Outcome refused = run("chats import " + good + " " + large);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("limit_bytes"));
  EXPECT_EQ(json::parse(run("chats list --json").out).as_array().size(), 0U) << "the good one neither";
  EXPECT_EQ(run("chats export").code, 2);
  EXPECT_EQ(run("chats export 7").code, 3);
  EXPECT_EQ(run("chats export --all 7").code, 2);
  EXPECT_EQ(run("chats list --user nobody").code, 3);
  ASSERT_EQ(run("chats import " + good).code, 0);
  EXPECT_EQ(run("chats export --all -o /nowhere/at/all").code, 3);
}

TEST_F(ChatsCli, EveryMemberHasTheirOwn) {
  ASSERT_EQ(run("invite").code, 0);  // makes the folder ready
  {
    HostOptions options;
    options.dataDir = data();
    options.threads = 1;
    auto host = Host::create(options);
    ASSERT_TRUE(host);
  }
  const std::string password = write("password", "correct horse battery\n");
  const std::string add = "HEARTH_HOME='" + data() + "' '" HEARTH_BINARY "' user add anna --role member --password-stdin <" + password;
  ASSERT_EQ(std::system(add.c_str()), 0);
  ASSERT_EQ(run("chats import --user anna " + write("a.json", kChat)).code, 0);
  EXPECT_EQ(json::parse(run("chats list --json").out).as_array().size(), 0U);
  const auto hers = json::parse(run("chats list --json --user anna").out).as_array();
  ASSERT_EQ(hers.size(), 1U);
  EXPECT_EQ(run("chats export " + std::to_string(hers[0].at("id").as_int64())).code, 3) << "not this machine's own";
  EXPECT_EQ(run("chats search --user anna pantheon").code, 0);
}

TEST(ChatUpkeep, EmptiesTheTrashOfWhatLiesThereTooLong) {
  const ScratchFolder folder;
  auto store = Store::open(folder / "hearth.db").value();
  const ConversationId id = store->createConversation("t", "m")->id;
  ASSERT_TRUE(store->trashConversation(id));
  const std::int64_t trashed = store->organiser()->trashed(0)->front().trashedMs;
  constexpr std::int64_t kDay = 24LL * 3600 * 1000;
  EXPECT_EQ(upkeepChats(*store, trashed + 29 * kDay).value(), 0);
  ASSERT_TRUE(store->setSetting(kTrashDaysSetting, "0"));
  EXPECT_EQ(upkeepChats(*store, trashed + 9999 * kDay).value(), 0) << "never";
  ASSERT_TRUE(store->setSetting(kTrashDaysSetting, "soon"));
  EXPECT_EQ(upkeepChats(*store, trashed + 9999 * kDay).value(), 0) << "nothing is deleted on a guess";
  ASSERT_TRUE(store->setSetting(kTrashDaysSetting, "7"));
  EXPECT_EQ(upkeepChats(*store, trashed + 7 * kDay + 1).value(), 1);
  EXPECT_FALSE(store->conversation(id));
}

}  // namespace
}  // namespace hearth
