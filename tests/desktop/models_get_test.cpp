// The way to a model: discover, download, first run, settings of hubs. Against a hub on loopback; nothing else is asked.
#include <gtest/gtest.h>

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QSpinBox>

#include <atomic>
#include <filesystem>

#include "hub_scene.h"
#include "ui/desktop/chat/chat_page.h"
#include "ui/desktop/chat/composer.h"
#include "ui/desktop/common/widgets.h"
#include "ui/desktop/library/catalogue_card.h"
#include "ui/desktop/library/discover_view.h"
#include "ui/desktop/library/download_row.h"
#include "ui/desktop/library/download_text.h"
#include "ui/desktop/library/downloads_view.h"
#include "ui/desktop/library/first_run_view.h"
#include "ui/desktop/library/fit_view.h"
#include "ui/desktop/library/model_card.h"
#include "ui/desktop/library/models_page.h"
#include "ui/desktop/library/repository_card.h"
#include "ui/desktop/settings/download_settings_card.h"
#include "ui/desktop/settings/settings_page.h"

namespace hearth::test {
namespace {

using namespace Qt::StringLiterals;
using Tab = ui::ModelsPage::Tab;

ui::DiscoverView* discover(Desktop& desktop) {
  desktop.window->showPage(ui::Page::Models);
  desktop.window->models()->showTab(Tab::Discover);
  return desktop.window->models()->discover();
}

void search(ui::DiscoverView* view, const QString& text) {
  view->field()->setText(text);
  QTest::keyClick(view->field(), Qt::Key_Return);
}

TEST(DiscoverTest, TheCatalogueSaysWhatFitsAndAsksNoHub) {
  Desktop desktop;
  HubScene scene(desktop);
  desktop.addModel();
  desktop.show();
  ui::DiscoverView* view = discover(desktop);
  ASSERT_TRUE(waitUntil([&] { return view->catalogueCards().size() == catalogue().size() && view->catalogueCards().back()->isVisible(); }));
  int recommended = 0, refused = 0, tooBig = 0;
  for (ui::CatalogueCard* card : view->catalogueCards()) {
    recommended += card->button()->property("role") == u"primary"_s;
    refused += card->refusal()->isVisible();
    EXPECT_EQ(card->refusal()->isVisible(), !card->entry().runnable) << card->entry().id;
    EXPECT_EQ(card->button()->isVisible(), card->entry().runnable) << card->entry().id;
    if (!card->entry().runnable) continue;
    EXPECT_TRUE(card->button()->text().contains(u"…/models/"_s)) << card->button()->text().toStdString();
    tooBig += card->fitBadge()->text() == "Too big"_L1;
  }
  EXPECT_EQ(recommended, 1);
  EXPECT_GT(tooBig, 0);
  EXPECT_GT(refused, 0);
  // The badge opens into the numbers.
  ui::CatalogueCard* first = view->catalogueCards().front();
  EXPECT_FALSE(first->details()->isVisible());
  first->fitBadge()->click();
  EXPECT_TRUE(first->details()->isVisible());
  EXPECT_TRUE(first->details()->text().contains("19.0 GB"_L1)) << first->details()->text().toStdString();
  EXPECT_TRUE(first->speed()->text().contains("tokens/s"_L1));
  EXPECT_TRUE(scene.hub().requests().empty()) << "a hub was asked without a click";
}

TEST(DiscoverTest, WordsFindRepositoriesAndOneOpensIntoItsQuantisations) {
  Desktop desktop;
  HubScene scene(desktop);
  scene.found("qwen%20four");
  desktop.addModel();
  desktop.show();
  ui::DiscoverView* view = discover(desktop);
  search(view, u" qwen four "_s);
  ASSERT_TRUE(waitUntil([&] { return view->results().size() == 3; }));
  ui::RepositoryCard* card = view->results()[0];
  EXPECT_EQ(scene.hub().requests().size(), 1U);
  card->openButton()->click();
  ASSERT_TRUE(waitUntil([&] { return card->rows().size() == 5; }));
  // Smallest first; the one that cannot be read is not offered; one is chosen.
  EXPECT_EQ(card->rows()[0].choice->text(), u"IQ3_XXS"_s);
  EXPECT_FALSE(card->rows()[0].choice->isEnabled());
  EXPECT_EQ(card->rows()[1].choice->text(), u"Q4_K_M"_s);
  EXPECT_TRUE(card->rows()[1].choice->isChecked());
  EXPECT_EQ(card->rows()[1].fit->text(), u"Fits"_s);
  EXPECT_EQ(card->downloadButton()->text(), u"Download 2.5 GB to …/models/Qwen/Qwen3-4B-GGUF"_s);
  card->rows()[4].choice->click();
  EXPECT_TRUE(card->downloadButton()->text().contains("8.1 GB"_L1)) << card->downloadButton()->text().toStdString();
  // Looking fetched no file.
  for (const HubRequest& request : scene.hub().requests())
    EXPECT_EQ(request.path.find("/resolve/"), std::string::npos) << request.path;
  EXPECT_TRUE(desktop.host.downloads().list().empty());
  // What wants a token, and what cannot run, say so by name.
  ui::RepositoryCard* gated = view->results()[1];
  gated->openButton()->click();
  EXPECT_TRUE(waitUntil([&] { return gated->note()->isVisible() && gated->note()->text().contains("token"_L1); }));
  ui::RepositoryCard* odd = view->results()[2];
  odd->openButton()->click();
  ASSERT_TRUE(waitUntil([&] { return !odd->rows().empty(); }));
  EXPECT_TRUE(odd->note()->text().contains("rwkv7"_L1));
  EXPECT_FALSE(odd->downloadButton()->isVisible());
}

TEST(DiscoverTest, NothingFoundAndAnEmptyFieldAreTold) {
  Desktop desktop;
  HubScene scene(desktop);
  scene.foundNothing("zzz");
  desktop.addModel();
  desktop.show();
  ui::DiscoverView* view = discover(desktop);
  search(view, u"zzz"_s);
  ASSERT_TRUE(waitUntil([&] { return view->statusLabel()->text().contains("nothing"_L1); }));
  view->field()->clear();
  EXPECT_TRUE(view->catalogueCards().front()->isVisible());
}

TEST(DiscoverTest, AHubThatFailsIsAskedAgainAtAClickAndARefusalLeadsToTheToken) {
  Desktop desktop;
  HubScene scene(desktop);
  scene.found("qwen");
  std::atomic<int> status = 503;
  scene.hub().onRequest([&status](const HubRequest&) { return status == 0 ? Fault{} : Fault{Fault::Kind::Status, status.load()}; });
  desktop.addModel();
  desktop.show();
  ui::DiscoverView* view = discover(desktop);
  search(view, u"qwen"_s);
  ASSERT_TRUE(waitUntil([&] { return view->errorBox()->isVisible(); }));
  EXPECT_TRUE(view->errorBox()->causeText().contains("503"_L1)) << view->errorBox()->causeText().toStdString();
  ASSERT_EQ(view->errorBox()->actionButton()->text(), u"Try again"_s);
  status = 401;
  view->errorBox()->actionButton()->click();
  ASSERT_TRUE(waitUntil(
      [&] { return view->errorBox()->isVisible() && view->errorBox()->actionButton()->text() == u"Set a token…"_s; }));
  EXPECT_TRUE(view->errorBox()->causeText().contains("token"_L1));
  view->errorBox()->actionButton()->click();
  EXPECT_EQ(desktop.window->page(), ui::Page::Settings);
  EXPECT_TRUE(waitUntil([&] { return desktop.window->focusWidget() == desktop.window->settings()->downloads()->token(); }));
  status = 0;
  search(discover(desktop), u"qwen"_s);
  EXPECT_TRUE(waitUntil([&] { return view->results().size() == 3; }));
  EXPECT_FALSE(view->errorBox()->isVisible());
}

TEST(DiscoverTest, AHubThatDoesNotAnswerHoldsUpNeitherTheNextSearchNorTheEnd) {
  QElapsedTimer clock;
  {
    Desktop desktop;
    HubScene scene(desktop);
    scene.found("two");
    scene.hub().put(HubScene::searchPath("one"), {.content = std::string(200'000, ' '), .ranges = false});
    scene.hub().put(HubScene::searchPath("three"), {.content = std::string(200'000, ' '), .ranges = false});
    scene.hub().onRequest([](const HubRequest& request) {
      return request.path.find("search=two") == std::string::npos ? Fault{Fault::Kind::Stall, 503, 10} : Fault{};
    });
    desktop.addModel();
    desktop.show();
    ui::DiscoverView* view = discover(desktop);
    search(view, u"one"_s);
    ASSERT_TRUE(waitUntil([&] { return scene.hub().requests().size() == 1; }));
    clock.start();
    search(view, u"two"_s);
    ASSERT_TRUE(waitUntil([&] { return view->results().size() == 3; }));
    EXPECT_LT(clock.elapsed(), 3000);
    search(view, u"three"_s);
    ASSERT_TRUE(waitUntil([&] { return scene.hub().requests().size() == 3; }));
    clock.restart();
    desktop.window.reset();
    desktop.bridge.reset();
    EXPECT_LT(clock.elapsed(), 3000);
  }
}

TEST(DiscoverTest, OwnerAndNameOrAnAddressNeedNoSearch) {
  Desktop desktop;
  HubScene scene(desktop);
  desktop.addModel();
  desktop.show();
  ui::DiscoverView* view = discover(desktop);
  search(view, u"Qwen/Qwen3-4B-GGUF:Q6_K"_s);
  ASSERT_TRUE(waitUntil([&] { return view->results().size() == 1 && view->results()[0]->rows().size() == 5; }));
  EXPECT_TRUE(view->results()[0]->downloadButton()->text().contains("3.3 GB"_L1))
      << view->results()[0]->downloadButton()->text().toStdString();
  search(view, u"nobody/nothing"_s);
  ASSERT_TRUE(waitUntil([&] { return view->results().size() == 1 && view->results()[0]->errorBox()->isVisible(); }));
  EXPECT_EQ(view->results()[0]->errorBox()->causeText(), u"The hub does not have this."_s);
}

TEST(DownloadTest, TheFirstModelArrivesIsLoadedAndTheCursorWaitsInTheComposer) {
  Desktop desktop;
  HubScene scene(desktop);
  desktop.show();
  ui::DiscoverView* view = discover(desktop);
  search(view, u"tiny/Tiny-GGUF"_s);
  ASSERT_TRUE(waitUntil([&] { return view->results().size() == 1 && view->results()[0]->rows().size() == 1; }));
  view->results()[0]->downloadButton()->click();
  ASSERT_TRUE(waitUntil([&] { return desktop.window->page() == ui::Page::Chat; }, 15'000));
  EXPECT_TRUE(waitUntil([&] { return desktop.bridge->models().status(u"Tiny-Q4_0"_s).state == ModelState::Ready; }));
  EXPECT_EQ(desktop.window->chat()->controller().model(), u"Tiny-Q4_0"_s);
  EXPECT_TRUE(waitUntil([&] { return desktop.window->focusWidget() == desktop.window->chat()->composer()->editor(); }));
  const std::filesystem::path file = desktop.host.paths().models() / "tiny/Tiny-GGUF/Tiny-Q4_0.gguf";
  EXPECT_EQ(std::filesystem::file_size(file), scene.tinyFile().size());
  // The page offers to talk to it from where it was fetched.
  desktop.window->showPage(ui::Page::Models);
  desktop.window->models()->showTab(Tab::Downloads);
  ASSERT_EQ(desktop.window->models()->downloads()->rows().size(), 1U);
  ui::DownloadRow* row = desktop.window->models()->downloads()->rows()[0];
  EXPECT_EQ(row->mainButton()->text(), u"Chat"_s);
  row->mainButton()->click();
  EXPECT_EQ(desktop.window->page(), ui::Page::Chat);
}

TEST(DownloadTest, ASecondModelLeavesTheUserWhereHeIs) {
  Desktop desktop;
  HubScene scene(desktop);
  desktop.addModel();
  desktop.show();
  ui::DiscoverView* view = discover(desktop);
  search(view, u"tiny/Tiny-GGUF"_s);
  ASSERT_TRUE(waitUntil([&] { return view->results().size() == 1 && view->results()[0]->rows().size() == 1; }));
  view->results()[0]->downloadButton()->click();
  ASSERT_TRUE(waitUntil([&] { return desktop.bridge->models().find(u"Tiny-Q4_0"_s) != nullptr; }, 15'000));
  QTest::qWait(100);
  EXPECT_EQ(desktop.window->page(), ui::Page::Models);
  EXPECT_TRUE(waitUntil([&] { return view->results()[0]->downloadButton()->text() == u"Chat"_s; }));
}

TEST(DownloadTest, EachStateIsToldWithItsReasonAndItsNextStep) {
  Desktop desktop;
  auto fake = std::make_unique<FakeDownloads>();
  FakeDownloads& downloads = *fake;
  desktop.host.m_downloads = std::move(fake);
  downloads.set(downloadsOfEachKind());
  desktop.addModel();
  desktop.show();
  desktop.window->showPage(ui::Page::Models);
  EXPECT_EQ(desktop.window->models()->tabButton(Tab::Downloads)->text(), u"Downloads · 7"_s);
  desktop.window->models()->showTab(Tab::Downloads);
  const auto& rows = desktop.window->models()->downloads()->rows();
  ASSERT_EQ(rows.size(), 8U);
  const auto told = [&rows](std::size_t i) {
    return rows[i]->stateText() + u" | "_s + rows[i]->figuresText() + u" | "_s + rows[i]->mainButton()->text();
  };
  EXPECT_TRUE(told(0).contains(u"1.6 GB of 2.5 GB · 38.0 MB/s · 23 s left · 4 connections | Pause"_s))
      << told(0).toStdString();
  EXPECT_TRUE(told(1).startsWith("Next try in 8 s: The network did not answer."_L1)) << told(1).toStdString();
  EXPECT_TRUE(told(1).endsWith("Try again"_L1));
  EXPECT_TRUE(told(2).startsWith("Waits for its turn"_L1)) << told(2).toStdString();
  EXPECT_TRUE(told(3).contains("1.2 GB of 2.0 GB"_L1)) << told(3).toStdString();
  EXPECT_TRUE(told(4).startsWith("Paused: The disk is full."_L1)) << told(4).toStdString();
  EXPECT_TRUE(told(4).endsWith("Resume"_L1));
  EXPECT_TRUE(rows[4]->errorBox()->isVisible());
  EXPECT_FALSE(rows[5]->errorBox()->isVisible()) << "the user's own pause is no error";
  EXPECT_TRUE(told(6).endsWith("Try again"_L1));
  EXPECT_TRUE(told(7).endsWith("Chat"_L1));
  rows[0]->mainButton()->click();
  rows[4]->mainButton()->click();
  rows[6]->mainButton()->click();
  rows[1]->removeButton()->click();  // first asks: 2.2 GB would be gone
  EXPECT_TRUE(rows[1]->removeButton()->text().contains("2.2 GB"_L1));
  ASSERT_TRUE(waitUntil([&] { return downloads.asked().size() == 3; }));
  rows[1]->removeButton()->click();
  rows[2]->removeButton()->click();  // nothing to lose
  ASSERT_TRUE(waitUntil([&] { return downloads.asked().size() == 5; }));
  EXPECT_EQ(downloads.asked(), (std::vector<std::string>{"pause 0", "resume 4", "resume 6", "remove 1", "remove 2"}));
  // Away from the tab a strip tells of them.
  desktop.window->models()->showTab(Tab::Library);
  bool strip = false;
  for (const auto* label : desktop.window->models()->findChildren<ui::ElidedLabel*>())
    strip = strip || (label->isVisible() && label->fullText().contains("6 more"_L1));
  EXPECT_TRUE(strip);
}

TEST(DownloadTest, TheBridgeRestsWhenNothingRunsAndNobodyLooks) {
  Desktop desktop;
  auto fake = std::make_unique<FakeDownloads>();
  FakeDownloads& downloads = *fake;
  desktop.host.m_downloads = std::move(fake);
  desktop.addModel();
  desktop.show();
  EXPECT_EQ(desktop.bridge->downloads().interval(), 0);
  desktop.window->showPage(ui::Page::Models);
  desktop.window->models()->showTab(Tab::Downloads);
  EXPECT_EQ(desktop.bridge->downloads().interval(), 1000);
  auto list = downloadsOfEachKind();
  list.resize(1);
  downloads.set(list);
  ASSERT_TRUE(waitUntil([&] { return desktop.bridge->downloads().interval() == 250; }));
  desktop.window->showPage(ui::Page::Chat);
  EXPECT_EQ(desktop.bridge->downloads().interval(), 250) << "it runs: its end must be noticed";
  list[0].state = DownloadState::Paused;
  downloads.set(list);
  EXPECT_TRUE(waitUntil([&] { return desktop.bridge->downloads().interval() == 0; }));
}

TEST(DownloadTest, WhatAnEarlierRunLeftIsShownAndGoesOn) {
  Desktop desktop;
  HubScene scene(desktop);
  scene.hub().onRequest([](const HubRequest& request) {
    return request.path.find("/resolve/") == std::string::npos ? Fault{} : Fault{Fault::Kind::Stall, 503, 100};
  });
  desktop.addModel();
  desktop.show();
  ui::DiscoverView* view = discover(desktop);
  search(view, u"tiny/Tiny-GGUF"_s);
  ASSERT_TRUE(waitUntil([&] { return view->results().size() == 1 && view->results()[0]->rows().size() == 1; }));
  view->results()[0]->downloadButton()->click();
  ASSERT_TRUE(waitUntil([&] { return desktop.bridge->downloads().list().size() == 1; }));
  // The program ends and starts again; the hub has recovered.
  desktop.window.reset();
  desktop.bridge.reset();
  desktop.host.m_downloads.reset();
  scene.hub().onRequest([](const HubRequest&) { return Fault{}; });
  desktop.show();
  EXPECT_EQ(desktop.bridge->downloads().list().size(), 1U);
  EXPECT_TRUE(waitUntil([&] { return desktop.bridge->models().find(u"Tiny-Q4_0"_s) != nullptr; }, 15'000));
}

TEST(FirstRunTest, ProposesThreeModelsSaysWhatTheMachineIsAndUsesModelsThatLieThere) {
  Desktop desktop;
  HubScene scene(desktop);
  placeOtherModels(desktop);
  desktop.show();
  EXPECT_TRUE(waitUntil([&] { return desktop.window->page() == ui::Page::Models; }))
      << "a window without a model opens where one is to be had";
  ui::FirstRunView* view = desktop.window->models()->firstRun();
  ASSERT_TRUE(waitUntil([&] { return view->cards().size() == 3 && view->folders().size() == 2; }));
  EXPECT_TRUE(view->machineLabel()->text().contains(u"AMD Ryzen 7 7840U · 8 cores · 34.0 GB memory"_s))
      << view->machineLabel()->text().toStdString();
  EXPECT_EQ(view->cards()[0]->button()->property("role"), u"primary"_s);
  EXPECT_TRUE(view->folders()[0]->text().startsWith(u"LM Studio · 2 models"_s)) << view->folders()[0]->text().toStdString();
  EXPECT_TRUE(view->folders()[1]->text().startsWith(u"GPT4All · 1 model · "_s)) << view->folders()[1]->text().toStdString();
  EXPECT_TRUE(scene.hub().requests().empty());
  view->folders()[1]->setChecked(false);
  view->useButton()->click();
  ASSERT_TRUE(waitUntil([&] { return desktop.host.library().folders().size() == 1; }));
  EXPECT_TRUE(desktop.host.library().folders()[0].string().ends_with(".lmstudio/models"));
}

TEST(FirstRunTest, ARecommendedModelThatTheHubLacksIsToldOnItsCard) {
  Desktop desktop;
  HubScene scene(desktop);
  desktop.show();
  desktop.window->showPage(ui::Page::Models);
  ui::FirstRunView* view = desktop.window->models()->firstRun();
  ASSERT_TRUE(waitUntil([&] { return view->cards().size() == 3; }));
  scene.hub().onRequest([](const HubRequest&) { return Fault{Fault::Kind::Refuse}; });
  view->cards()[0]->button()->click();
  ASSERT_TRUE(waitUntil([&] { return view->cards()[0]->errorBox()->isVisible(); }));
  EXPECT_EQ(view->cards()[0]->errorBox()->actionButton()->text(), u"Try again"_s);
  EXPECT_TRUE(view->cards()[0]->button()->isEnabled());
}

TEST(FirstRunTest, SkippedItIsNotShownAgain) {
  Desktop desktop;
  desktop.show();
  ASSERT_TRUE(waitUntil([&] { return desktop.window->page() == ui::Page::Models; }));
  desktop.window->models()->firstRun()->skipButton()->click();
  EXPECT_EQ(desktop.window->page(), ui::Page::Chat);
  EXPECT_TRUE(desktop.window->models()->emptyState()->isVisibleTo(desktop.window->models()));
  desktop.window.reset();
  desktop.bridge.reset();
  desktop.show();
  QTest::qWait(50);
  EXPECT_EQ(desktop.window->page(), ui::Page::Chat);
}

TEST(DownloadSettingsTest, AMirrorHoldsForTheNextSearchAndTheTokenGoesToIt) {
  Desktop desktop;
  HubScene scene(desktop);
  scene.found("qwen");
  desktop.host.m_hub = "http://127.0.0.1:1";  // until the mirror is set
  desktop.addModel();
  desktop.show();
  desktop.window->showPage(ui::Page::Settings);
  ui::DownloadSettingsCard* card = desktop.window->settings()->downloads();
  const auto type = [](QLineEdit* field, const QString& text) {
    field->setFocus();
    field->selectAll();
    QTest::keyClicks(field, text);
    QTest::keyClick(field, Qt::Key_Return);
  };
  type(card->mirror(), u"no address"_s);
  EXPECT_TRUE(card->errorBox()->isVisible());
  EXPECT_FALSE(*desktop.host.store().setting("hub.huggingface.endpoint"));
  type(card->mirror(), QString::fromStdString(scene.hub().url("")));
  type(card->modelScope(), u"ftp://x"_s);
  EXPECT_TRUE(card->errorBox()->isVisible());
  type(card->modelScope(), u"https://mirror.example"_s);
  type(card->ollama(), u"http://127.0.0.1:5000"_s);
  ASSERT_TRUE(waitUntil([&] { return desktop.host.store().setting("hub.ollama.endpoint")->value_or("") == "http://127.0.0.1:5000"; }));
  EXPECT_EQ(desktop.host.store().setting("hub.modelscope.endpoint")->value_or(""), "https://mirror.example");
  type(card->token(), u"hf_secret"_s);
  EXPECT_EQ(card->token()->echoMode(), QLineEdit::Password);
  ASSERT_TRUE(waitUntil([&] { return desktop.host.store().setting("hub.huggingface.token")->value_or("") == "hf_secret"; }));
  EXPECT_FALSE(card->errorBox()->isVisible());
  card->speed()->setValue(2.5);
  QTest::keyClick(card->speed(), Qt::Key_Return);
  card->parallel()->setValue(3);
  QTest::keyClick(card->parallel(), Qt::Key_Return);
  ASSERT_TRUE(waitUntil([&] { return desktop.host.store().setting("downloads.parallel")->value_or("") == "3"; }));
  EXPECT_EQ(desktop.host.store().setting("downloads.bytes_per_second")->value_or(""), "2500000");
  ui::DiscoverView* view = discover(desktop);
  search(view, u"qwen"_s);
  ASSERT_TRUE(waitUntil([&] { return view->results().size() == 3; }));
  EXPECT_EQ(scene.hub().requests().back().authorization, "Bearer hf_secret");
}

TEST(HubBridgeTest, ThisMachineIsMeasuredAndNamed) {
  Desktop desktop;
  desktop.show();
  ui::Worker worker;
  ui::HubBridge bridge(desktop.host, worker);
  std::optional<ui::HubBridge::Machine> machine;
  bridge.machine(desktop.window.get(), [&machine](const ui::HubBridge::Machine& found) { machine = found; });
  ASSERT_TRUE(waitUntil([&] { return machine.has_value(); }));
  EXPECT_GT(machine->profile.memoryBytes, 100'000'000U);
  EXPECT_GT(machine->profile.readBytesPerSecond, 1e8);
  EXPECT_LT(machine->profile.readBytesPerSecond, 1e13);
  EXPECT_GT(machine->cores, 0);
  worker.finish();
}

}  // namespace
}  // namespace hearth::test
