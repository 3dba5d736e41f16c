// Draws each page in both themes and languages on the fakes, for docs/screenshots: make_screenshots FOLDER [models | chat | WIDTH HEIGHT]

#include <QApplication>
#include <QDir>
#include <QHash>
#include <QImage>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <QScrollArea>
#include <QScrollBar>

#include "chat_scene.h"
#include "hub_scene.h"
#include "scenes.h"
#include "ui/desktop/app/resources.h"
#include "ui/desktop/chat/chat_page.h"
#include "ui/desktop/server/server_page.h"
#include "ui/desktop/server/team_dialogs.h"
#include "core/team/team.h"
#include "ui/desktop/library/catalogue_card.h"
#include "ui/desktop/library/discover_view.h"
#include "ui/desktop/library/first_run_view.h"
#include "ui/desktop/library/fit_view.h"
#include "ui/desktop/library/models_page.h"
#include "ui/desktop/library/repository_card.h"
#include "ui/desktop/settings/settings_page.h"

using namespace hearth;
using namespace hearth::test;
using namespace Qt::StringLiterals;

namespace {

/// The 256 commonest colours, without dithering: keeps the pictures of a flat interface small and sharp.
QImage withPalette(const QImage& picture) {
  QHash<QRgb, int> counts;
  const QImage plain = picture.convertToFormat(QImage::Format_RGB32);
  for (int y = 0; y < plain.height(); ++y) {
    const auto* line = reinterpret_cast<const QRgb*>(plain.constScanLine(y));
    for (int x = 0; x < plain.width(); ++x) ++counts[line[x]];
  }
  QList<QRgb> colours = counts.keys();
  std::ranges::sort(colours, [&counts](QRgb a, QRgb b) { return counts[a] > counts[b]; });
  colours.resize(std::min<qsizetype>(colours.size(), 256));
  return plain.convertToFormat(QImage::Format_Indexed8, colours, Qt::ThresholdDither | Qt::AvoidDither);
}

bool save(QWidget* widget, const QString& file) {
  QTest::qWait(150);
  const QImage picture = withPalette(widget->grab().toImage());
  const bool ok = picture.save(file, "PNG", 0);
  if (!ok) std::fprintf(stderr, "cannot write %s\n", qPrintable(file));
  return ok;
}

bool save(Desktop& desktop, const QString& file) { return save(desktop.window.get(), file); }

/// The questions of the server page, and a key as it is shown once.
bool saveDialogs(Desktop& desktop, const QString& file) {
  using namespace ui::team_dialogs;
  ui::Bridge& bridge = *desktop.bridge;
  QWidget* parent = desktop.window.get();
  const UserId user = bridge.team().team().users[1].id;
  const std::int64_t key = bridge.team().team().keys.front().id;
  const std::pair<const char*, QDialog*> dialogs[] = {{"invite", invite(bridge, parent)},
                                                      {"add", addUser(bridge, parent)},
                                                      {"reset", resetByLink(bridge, user, parent)},
                                                      {"remove", removeUser(bridge, user, parent)},
                                                      {"key", newKey(bridge, 0, parent)},
                                                      {"rotate", rotateKey(bridge, key, parent)},
                                                      {"limit", setLimit(bridge, parent)},
                                                      {"secret", new ui::SecretDialog(QCoreApplication::translate("TeamDialogs", "Invitation"), QCoreApplication::translate("TeamDialogs", "Make the link"), u"https://192.168.1.20:11435/ui/#/invite/x6Yw0Kq2n8Rj4Lb7Tz1Vd5Gs9Hc3Mf0Pa6Ue2Wi8Qo"_s, true, parent)}};
  bool ok = true;
  for (const auto& [name, dialog] : dialogs) {
    dialog->show();
    ok = save(dialog, file.arg(QLatin1StringView(name))) && ok;
    dialog->close();
  }
  return ok;
}

QString fileOf(const QString& folder, const char* scene, bool dark, const QString& code) {
  return u"%1/%2-%3-%4.png"_s.arg(folder, QLatin1StringView(scene), dark ? u"dark"_s : u"light"_s, code.left(2));
}

/// The way to a model: catalogue, search, downloads, their settings, and the first start.
bool drawModels(const QString& folder, const QString& code, bool dark) {
  using Tab = ui::ModelsPage::Tab;
  bool ok = true;
  {
    Desktop desktop;
    HubScene hub(desktop);
    hub.found("qwen");
    desktop.host.m_downloads = std::make_unique<FakeDownloads>();
    static_cast<FakeDownloads&>(*desktop.host.m_downloads).set(downloadsOfEachKind());
    desktop.language.setLanguage(code);
    desktop.theme.setChoice(dark ? ui::ThemeChoice::Dark : ui::ThemeChoice::Light);
    furnish(desktop, false);
    desktop.show();
    desktop.window->showPage(ui::Page::Models);
    ui::ModelsPage* page = desktop.window->models();
    page->showTab(Tab::Discover);
    ui::DiscoverView* discover = page->discover();
    (void)waitUntil([&] { return discover->catalogueCards().size() == catalogue().size(); });
    QTest::qWait(300);
    if (!discover->catalogueCards().empty()) discover->catalogueCards()[0]->fitBadge()->click();
    ok = save(desktop, fileOf(folder, "discover", dark, code)) && ok;
    discover->searchFor(u"qwen"_s);
    (void)waitUntil([&] { return discover->results().size() == 3; });
    for (ui::RepositoryCard* card : discover->results()) card->open();
    (void)waitUntil([&] {
      return discover->results().size() == 3 && discover->results()[2]->rows().size() == 1 &&
             discover->results()[0]->rows().size() == 5;
    });
    if (!discover->results().empty() && discover->results()[0]->rows().size() == 5)
      discover->results()[0]->rows()[4].fit->click();
    ok = save(desktop, fileOf(folder, "results", dark, code)) && ok;
    discover->searchFor(u"nobody/nothing"_s);
    QTest::qWait(300);
    ok = save(desktop, fileOf(folder, "not-found", dark, code)) && ok;
    page->showTab(Tab::Downloads);
    ok = save(desktop, fileOf(folder, "downloads", dark, code)) && ok;
    desktop.window->settings()->focusToken();
    desktop.window->showPage(ui::Page::Settings);
    QTest::qWait(50);
    desktop.window->settings()->focusToken();
    ok = save(desktop, fileOf(folder, "settings-downloads", dark, code)) && ok;
  }
  Desktop desktop;
  HubScene hub(desktop);
  placeOtherModels(desktop);
  desktop.language.setLanguage(code);
  desktop.theme.setChoice(dark ? ui::ThemeChoice::Dark : ui::ThemeChoice::Light);
  desktop.show();
  desktop.window->showPage(ui::Page::Models);
  ui::FirstRunView* first = desktop.window->models()->firstRun();
  (void)waitUntil([&] { return first->cards().size() == 3 && first->folders().size() == 2; });
  return save(desktop, fileOf(folder, "first-run", dark, code)) && ok;
}

/// What a reply may hold, and the window that goes with chats.
bool drawChat(const QString& folder, const QString& code, bool dark) {
  Desktop desktop;
  desktop.language.setLanguage(code);
  desktop.theme.setChoice(dark ? ui::ThemeChoice::Dark : ui::ThemeChoice::Light);
  desktop.addModel();
  const ConversationId rich = addRichChat(desktop);
  desktop.show(1280, 1100);
  desktop.window->chat()->controller().open(rich);
  (void)waitUntil([&desktop] { return !desktop.window->chat()->controller().items().empty(); });
  return save(desktop, fileOf(folder, "chat-rich", dark, code));
}

}  // namespace

int main(int argc, char** argv) {
  const bool modelsOnly = argc == 3 && std::strcmp(argv[2], "models") == 0;
  const bool chatOnly = argc == 3 && std::strcmp(argv[2], "chat") == 0;
  if (argc != 2 && argc != 4 && !modelsOnly && !chatOnly) {
    std::fputs("usage: make_screenshots FOLDER [models | chat | WIDTH HEIGHT]\n", stderr);
    return 2;
  }
  if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  QApplication app(argc, argv);
  QApplication::setApplicationVersion(QStringLiteral(HEARTH_VERSION));
  ui::initialiseResources();
  const QString folder = QString::fromLocal8Bit(argv[1]);
  QDir().mkpath(folder);
  const char* const names[] = {"chat", "models", "dashboard", "server", "settings"};
  const int width = argc == 4 ? std::atoi(argv[2]) : 1280;
  const int height = argc == 4 ? std::atoi(argv[3]) : 800;
  bool ok = true;
  for (const QString& code : {u"en"_s, u"zh_CN"_s}) {
    for (const bool dark : {false, true}) {
      if (!modelsOnly) ok = drawChat(folder, code, dark) && ok;
      if (!chatOnly) ok = drawModels(folder, code, dark) && ok;
    }
  }
  if (modelsOnly || chatOnly) return ok ? 0 : 1;
  for (const bool empty : {false, true}) {
    for (const QString& code : {u"en"_s, u"zh_CN"_s}) {
      Desktop desktop;
      desktop.language.setLanguage(code);
      if (!empty) furnish(desktop, true);
      desktop.preferences.setLastModel(u"qwen2.5-coder-1.5b-instruct-q4_k_m"_s);
      desktop.show(width, height);
      if (!empty) enliven(desktop, true);
      for (const bool dark : {false, true}) {
        if (empty && dark) continue;
        desktop.theme.setChoice(dark ? ui::ThemeChoice::Dark : ui::ThemeChoice::Light);
        for (int page = 0; page < (empty ? 4 : 5); ++page) {
          desktop.window->showPage(static_cast<ui::Page>(page));
          const QString file =
              u"%1/%2%3-%4-%5.png"_s.arg(folder, empty ? u"empty-"_s : QString(), QLatin1StringView(names[page]),
                                         dark ? u"dark"_s : u"light"_s, code.left(2));
          ok = save(desktop, file) && ok;
        }
      }
      if (empty) continue;
      share(desktop);
      desktop.window->showPage(ui::Page::Server);
      const char* const panels[] = {"requests", "snippets", "people", "keys", "limits", "audit"};
      for (const bool dark : {false, true}) {
        desktop.theme.setChoice(dark ? ui::ThemeChoice::Dark : ui::ThemeChoice::Light);
        for (int panel = 0; panel < 6; ++panel) {
          desktop.window->server()->showPanel(static_cast<ui::ServerPage::Panel>(panel));
          QTest::qWait(200);
          const QString file = u"%1/team-%2-%3-%4.png"_s.arg(folder, QLatin1StringView(panels[panel]), dark ? u"dark"_s : u"light"_s, code.left(2));
          ok = save(desktop, file) && ok;
        }
        ok = saveDialogs(desktop, u"%1/dialog-%2-%3-%4.png"_s.arg(folder, u"%1"_s, dark ? u"dark"_s : u"light"_s, code.left(2))) && ok;
      }
    }
  }
  return ok ? 0 : 1;
}
