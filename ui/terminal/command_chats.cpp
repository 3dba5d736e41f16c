#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "core/base/platform/small_file.h"
#include "core/chat/portable/portable.h"
#include "core/host/team_access.h"
#include "core/store/organiser.h"
#include "ui/terminal/chat_commands.h"
#include "ui/terminal/team_words.h"

namespace hearth::terminal {

namespace json = boost::json;

namespace {

struct ChatOptions {
  std::string user, format = "json", output, words;
  std::vector<ConversationId> ids;
  std::vector<std::string> pieces, files;
  std::string folder;
  int most = 20;
  bool all = false, trash = false, json = false;
};

// The machine's own chats, or a member's.
Result<UserId> ownerOf(TeamAccess& access, const Actor& actor, const ChatOptions& options) {
  if (options.user.empty()) return UserId{0};
  HEARTH_TRY(const TeamUser user, access.team().userNamed(actor, options.user));
  return user.id;
}

/// Opens the store of the data folder and calls `body(organiser, owner)`, which returns a Result<void>.
template <class Body>
int withChats(const GlobalOptions& global, const ChatOptions& options, Body&& body) {
  return withTeam(global, [&](TeamAccess& access, const Actor& actor) -> Result<void> {
    HEARTH_TRY(const UserId owner, ownerOf(access, actor, options));
    return body(*access.store().organiser(), owner);
  });
}

int list(const GlobalOptions& global, const ChatOptions& options) {
  return withChats(global, options, [&](store::Organiser& organiser, UserId owner) -> Result<void> {
    HEARTH_TRY(const store::Shelf shelf, organiser.shelf(owner));
    std::vector<Conversation> chats = shelf.conversations;
    if (options.trash) {
      HEARTH_TRY(chats, organiser.trashed(owner));
    }
    const auto folderOf = [&](FolderId id) {
      std::string path;
      for (std::size_t level = 0; id != 0 && level < shelf.folders.size(); ++level) {
        const auto folder = std::ranges::find(shelf.folders, id, &store::Folder::id);
        if (folder == shelf.folders.end()) break;
        path = folder->name + (path.empty() ? "" : "/") + path;
        id = folder->parent;
      }
      return path;
    };
    json::array out;
    std::vector<std::vector<std::string>> rows;
    for (const Conversation& c : chats) {
      json::array tags;
      std::vector<std::string> names;
      for (const auto& [chat, tag] : shelf.tagged) {
        const auto found = std::ranges::find(shelf.tags, tag, &store::Tag::id);
        if (chat != c.id || found == shelf.tags.end()) continue;
        tags.emplace_back(found->name);
        names.push_back(found->name);
      }
      out.push_back(json::object{{"id", c.id}, {"title", c.title}, {"model", c.model}, {"folder", folderOf(c.folder)}, {"tags", std::move(tags)},
                                 {"pinned", c.pinnedMs != 0}, {"created_ms", c.createdMs}, {"updated_ms", c.updatedMs}, {"trashed_ms", c.trashedMs}});
      rows.push_back({std::to_string(c.id), when(c.updatedMs), c.pinnedMs != 0 ? "yes" : "–", folderOf(c.folder), joined(names), c.title});
    }
    if (options.json)
      writeJson(out);
    else
      writeResult(table({"ID", "CHANGED", "PINNED", "FOLDER", "TAGS", "TITLE"}, rows));
    return {};
  });
}

int exportChats(const GlobalOptions& global, const ChatOptions& options) {
  return withChats(global, options, [&](store::Organiser& organiser, UserId owner) -> Result<void> {
    std::vector<ConversationId> ids = options.ids;
    if (options.all) {
      HEARTH_TRY(const store::Shelf shelf, organiser.shelf(owner));
      for (const Conversation& c : shelf.conversations) ids.push_back(c.id);
    }
    std::vector<store::ConversationTree> trees;
    for (const ConversationId id : ids) {
      HEARTH_TRY(store::ConversationTree tree, organiser.exportTree(owner, id));
      trees.push_back(std::move(tree));
    }
    const std::string text = options.format == "json" ? chat::exportJson(trees) : chat::exportMarkdown(trees);
    if (options.output.empty() || options.output == "-") {
      writeResult(text);
      return {};
    }
    HEARTH_CHECK(platform::replaceFile(std::filesystem::absolute(options.output), text, false));
    say(fmt::format("{} chats are in {}", trees.size(), options.output));
    return {};
  });
}

int importChats(const GlobalOptions& global, const ChatOptions& options) {
  return withChats(global, options, [&](store::Organiser& organiser, UserId owner) -> Result<void> {
    // Every file is read before the first one goes in: all or nothing.
    std::vector<store::ConversationTree> trees;
    for (const std::string& file : options.files) {
      HEARTH_TRY(chat::ReadChats read, chat::readChatsFile(file));
      say(fmt::format("{}: {} chats ({})", file, read.trees.size(), read.format));
      std::ranges::move(read.trees, std::back_inserter(trees));
    }
    if (!options.folder.empty()) {
      for (store::ConversationTree& tree : trees) tree.folder.insert(tree.folder.begin(), options.folder);
    }
    HEARTH_TRY(const std::vector<ConversationId> ids, organiser.importTrees(owner, trees));
    std::string out;
    for (const ConversationId id : ids) out += fmt::format("{}\n", id);
    writeResult(out);
    return {};
  });
}

int search(const GlobalOptions& global, const ChatOptions& options) {
  return withChats(global, options, [&](store::Organiser& organiser, UserId owner) -> Result<void> {
    std::string words;
    for (const std::string& piece : options.pieces) words += (words.empty() ? "" : " ") + piece;
    HEARTH_TRY(const std::vector<store::SearchHit> hits, organiser.search(owner, words, options.most));
    json::array out;
    std::string text;
    for (const store::SearchHit& hit : hits) {
      json::array marks;
      for (const auto& [begin, end] : hit.marks) marks.push_back(json::array{begin, end});
      out.push_back(json::object{{"conversation", hit.conversation}, {"message", hit.message}, {"title", hit.title},
                                 {"role", hit.message == 0 ? std::string_view("title") : roleName(hit.role)}, {"excerpt", hit.excerpt},
                                 {"marks", std::move(marks)}, {"time_ms", hit.timeMs}});
      text += fmt::format("{}  {}  {}\n", hit.conversation, when(hit.timeMs), hit.title);
      if (hit.message != 0) text += fmt::format("    {}: {}\n", roleName(hit.role), hit.excerpt);
    }
    if (options.json)
      writeJson(out);
    else
      writeResult(text);
    return {};
  });
}

}  // namespace

void addChatCommands(CLI::App& app, const GlobalOptions& global, int& status) {
  const auto options = std::make_shared<ChatOptions>();
  auto* chats = app.add_subcommand("chats", "The conversations that are kept; works while Hearth runs");
  chats->require_subcommand(1);
  const auto command = [&](const char* name, const char* help) {
    auto* sub = chats->add_subcommand(name, help);
    sub->add_option("--user", options->user, "those of a member of the team (default: this machine's own)");
    return sub;
  };
  auto* listApp = command("list", "List them, pinned ones first, then the newest");
  listApp->add_flag("--trash", options->trash, "those that lie in the trash");
  listApp->add_flag("--json", options->json);
  listApp->callback([=, &global, &status] { status = list(global, *options); });

  auto* exportApp = command("export", "Write conversations as JSON (everything, all branches) or Markdown (the branch that is shown)");
  auto* ids = exportApp->add_option("ID", options->ids, "as `chats list` shows it");
  auto* all = exportApp->add_flag("--all", options->all, "all of them, but the trash");
  ids->excludes(all);
  exportApp->add_option("--format", options->format)->check(CLI::IsMember({"json", "markdown"}))->capture_default_str();
  exportApp->add_option("--output,-o", options->output, "a file (default: standard output)");
  exportApp->callback([=, &global, &status] {
    if (options->ids.empty() && !options->all) throw CLI::RequiredError("ID or --all");
    status = exportChats(global, *options);
  });

  auto* importApp = command("import", "Read conversations: Hearth's JSON and Markdown, ChatGPT's conversations.json, Open WebUI's JSON; prints their numbers");
  importApp->add_option("FILE", options->files)->required();
  importApp->add_option("--folder", options->folder, "put them into this folder");
  importApp->callback([=, &global, &status] { status = importChats(global, *options); });

  auto* searchApp = command("search", "Find words in titles and messages; \"in quotes\" they stand side by side, the last may be a beginning");
  searchApp->add_option("WORDS", options->pieces)->required();
  searchApp->add_option("--most", options->most, "places")->check(CLI::Range(1, 1000))->capture_default_str();
  searchApp->add_flag("--json", options->json);
  searchApp->callback([=, &global, &status] { status = search(global, *options); });
}

}  // namespace hearth::terminal
