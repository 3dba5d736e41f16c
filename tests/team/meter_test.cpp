#include "core/team/meter.h"

#include <gtest/gtest.h>

#include "core/team/login_gate.h"
#include "tests/team/team_fixture.h"

namespace hearth::test {
namespace {

using team::Amounts;
using team::LoginGate;
using team::Meter;
using team::Metric;
using team::Period;
using team::Subject;
using team::SubjectKind;

constexpr Subject kAnna{SubjectKind::User, 1};
constexpr Subject kGroup{SubjectKind::Group, 1};
constexpr std::int64_t kStart = 1'800'000'000'000;

store::QuotaRow limit(const Subject& subject, Metric metric, Period period, std::int64_t amount) {
  return {static_cast<int>(subject.kind), subject.id, static_cast<int>(metric), static_cast<int>(period), amount};
}

TEST(Meter, ARequestLimitSlidesOverTheMinute) {
  Meter meter;
  meter.setQuotas({limit(kAnna, Metric::Requests, Period::Minute, 3)});
  const std::vector<Subject> anna{kAnna};
  for (const int second : {0, 10, 20}) EXPECT_FALSE(meter.admit(anna, kStart + second * 1000)) << second;
  const auto refused = meter.admit(anna, kStart + 30'000);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->retryAfterSeconds, 30);
  EXPECT_EQ(refused->used, 3);
  EXPECT_TRUE(meter.admit(anna, kStart + 59'000))
      << "a refused one counts nothing, and the first is still within the minute";
  EXPECT_FALSE(meter.admit(anna, kStart + 60'000));
  EXPECT_TRUE(meter.admit(anna, kStart + 61'000));
  EXPECT_FALSE(meter.admit(anna, kStart + 70'000));
}

TEST(Meter, WhatRetryAfterPromisesHolds) {
  // For any history: at the promised second it is admitted, and a second earlier not.
  std::uint32_t random = 7;
  const auto next = [&](std::uint32_t below) { return (random = random * 1664525 + 1013904223) / 65536 % below; };
  for (int round = 0; round < 300; ++round) {
    Meter meter;
    const auto most = 1 + static_cast<std::int64_t>(next(500));
    meter.setQuotas({limit(kAnna, Metric::Tokens, Period::Minute, most)});
    const std::vector<Subject> anna{kAnna};
    std::int64_t now = kStart;
    for (int i = 0; i < 100; ++i) {
      now += next(9000);
      Meter copy = meter;
      if (const auto refused = copy.admit(anna, now)) {
        ASSERT_GT(refused->retryAfterSeconds, 0);
        ASSERT_LE(refused->retryAfterSeconds, 60);
        Meter later = meter;
        ASSERT_FALSE(later.admit(anna, now + refused->retryAfterSeconds * 1000));
        Meter sooner = meter;
        ASSERT_TRUE(sooner.admit(anna, now / 1000 * 1000 + (refused->retryAfterSeconds - 1) * 1000));
        continue;
      }
      meter.charge(anna, Amounts{{0, static_cast<std::int64_t>(next(200)), 0}}, now);
    }
  }
}

TEST(Meter, AMonthIsOverAtItsEndAndNoWaitHelpsBefore) {
  EXPECT_EQ(team::monthStart(kStart), 1'798'761'600'000);  // 2027-01-01T00:00Z
  EXPECT_EQ(team::monthStart(1'798'761'600'000 - 1), 1'796'083'200'000);
  Meter meter;
  meter.setQuotas({limit(kAnna, Metric::Tokens, Period::Month, 100), limit(kAnna, Metric::Requests, Period::Minute, 1)});
  const std::vector<Subject> anna{kAnna};
  ASSERT_FALSE(meter.admit(anna, kStart));
  meter.charge(anna, Amounts{{0, 100, 0}}, kStart);
  const auto refused = meter.admit(anna, kStart + 1000);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->period, Period::Month) << "the limit that holds longest is the one to tell";
  EXPECT_EQ(refused->retryAfterSeconds, 0);
  constexpr std::int64_t kFebruary = 1'801'440'000'000;
  EXPECT_TRUE(meter.admit(anna, kFebruary - 1));
  EXPECT_FALSE(meter.admit(anna, kFebruary));
}

TEST(Meter, AGroupSharesItsLimitAndARefusalCountsForNobody) {
  Meter meter;
  meter.setQuotas({limit(kGroup, Metric::Requests, Period::Month, 2)});
  const std::vector<Subject> anna{kAnna, kGroup};
  const std::vector<Subject> bert{{SubjectKind::User, 2}, kGroup};
  EXPECT_FALSE(meter.admit(anna, kStart));
  EXPECT_FALSE(meter.admit(bert, kStart));
  const auto refused = meter.admit(anna, kStart);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->subject, kGroup);
  EXPECT_EQ(meter.used(kAnna, Period::Month, kStart)[Metric::Requests], 1);
  EXPECT_EQ(meter.used(kGroup, Period::Minute, kStart)[Metric::Requests], 2);
}

TEST(Meter, ALimitOfNothingIsNeverFree) {
  Meter meter;
  meter.setQuotas({limit(kAnna, Metric::ComputeMs, Period::Minute, 0)});
  const auto refused = meter.admit(std::vector<Subject>{kAnna}, kStart);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->retryAfterSeconds, 0);
}

TEST(Meter, AClockThatIsSetBackLosesNothing) {
  Meter meter;
  meter.setQuotas({limit(kAnna, Metric::Requests, Period::Minute, 2)});
  const std::vector<Subject> anna{kAnna};
  EXPECT_FALSE(meter.admit(anna, kStart));
  EXPECT_FALSE(meter.admit(anna, kStart - 3'600'000));
  EXPECT_TRUE(meter.admit(anna, kStart - 3'600'000));
}

TEST_F(TeamTest, AQuotaIsToldWithItsEvidenceAndSurvivesARestart) {
  const UserId anna = addUser("anna");
  const MadeKey key = addKey(anna);
  ASSERT_TRUE(m_team->setQuota(m_machine, {SubjectKind::User, anna}, Metric::Tokens, Period::Month, 1000));
  const Principal who = m_team->authenticateKey(key.secret).value();
  ASSERT_TRUE(m_team->admit(who, "m"));
  m_team->charge(who, "m", 400, 600, 2.5);
  const auto refused = m_team->admit(who, "m");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::QuotaExceeded);
  EXPECT_EQ(refused.error().find("subject"), "user");
  EXPECT_EQ(refused.error().find("name"), "anna");
  EXPECT_EQ(refused.error().find("metric"), "tokens");
  EXPECT_EQ(refused.error().find("period"), "month");
  EXPECT_EQ(refused.error().find("limit"), "1000");
  EXPECT_EQ(refused.error().find("retry_after_seconds"), "") << "waiting does not help";
  close();
  open();
  EXPECT_FALSE(m_team->admit(who, "m")) << "what was used is on disk";
  EXPECT_EQ(m_team->quotas(m_machine, anna)->front().used, 1000);
  ASSERT_TRUE(m_team->setQuota(m_machine, {SubjectKind::User, anna}, Metric::Tokens, Period::Month, -1));
  EXPECT_TRUE(m_team->admit(who, "m"));
  ASSERT_TRUE(m_team->setQuota(m_machine, {SubjectKind::Key, key.key.id}, Metric::Requests, Period::Minute, 1));
  ASSERT_FALSE(m_team->admit(who, "m"));
  EXPECT_EQ(m_team->admit(who, "m").error().find("retry_after_seconds"), "60");
  EXPECT_TRUE(m_team->admit(machinePrincipal(), "m")) << "who sits at the machine is not limited";
  EXPECT_EQ(codeOf(m_team->setQuota(m_machine, {SubjectKind::Group, 99}, Metric::Tokens, Period::Month, 1)),
            ErrorCode::NotFound);
}

TEST_F(TeamTest, UsageAddsUpByWhatIsAsked) {
  const UserId anna = addUser("anna");
  const UserId bert = addUser("bert");
  const Principal first = m_team->authenticateKey(addKey(anna).secret).value();
  const Principal second = m_team->authenticateKey(addKey(bert).secret).value();
  m_team->charge(first, "small", 10, 20, 1);
  m_now += 3'600'000;
  m_team->charge(first, "large", 1, 2, 0.5);
  m_team->charge(second, "small", 100, 200, 10);
  m_team->charge(machinePrincipal(), "small", 7, 7, 1);
  m_team->charge(second, "small", -5, -5, -1);
  UsageQuestion question;
  question.byUser = true;
  question.step = UsageQuestion::Step::Day;
  const auto byUser = m_team->usage(m_machine, question).value();
  ASSERT_EQ(byUser.size(), 3U);
  EXPECT_EQ(byUser[1].user, "anna");
  EXPECT_EQ(byUser[1].requests, 2);
  EXPECT_EQ(byUser[1].generatedTokens, 22);
  EXPECT_DOUBLE_EQ(byUser[1].computeSeconds, 1.5);
  EXPECT_EQ(byUser[2].promptTokens, 100) << "what is no amount adds nothing";
  question = {};
  question.byModel = true;
  question.step = UsageQuestion::Step::Hour;
  EXPECT_EQ(m_team->usage(m_machine, question)->size(), 3U);
  question.user = anna;
  EXPECT_EQ(m_team->usage(m_machine, question)->size(), 2U);
  ASSERT_TRUE(m_store->setSetting(Team::kUsageDays, "1"));
  m_now += 3 * 24 * 3'600'000LL;
  ASSERT_TRUE(m_team->applyRetention());
  EXPECT_TRUE(m_team->usage(m_machine, question)->empty()) << "minutes are gone";
  question.step = UsageQuestion::Step::Month;
  EXPECT_EQ(m_team->usage(m_machine, question)->size(), 2U) << "months stay";
}

TEST_F(TeamTest, OldConversationsOfMembersGoAndThoseOfTheMachineStay) {
  const UserId anna = addUser("anna");
  m_now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  ASSERT_TRUE(m_store->createConversationOf(anna, "x", "m"));
  ASSERT_TRUE(m_store->createConversation("y", "m"));
  ASSERT_TRUE(m_store->setSetting(Team::kConversationDays, "30"));
  ASSERT_TRUE(m_team->applyRetention());
  EXPECT_EQ(m_store->conversationsOf(anna)->size(), 1U);
  m_now += 31LL * 24 * 3'600'000;
  ASSERT_TRUE(m_team->applyRetention());
  EXPECT_EQ(m_store->conversationsOf(anna)->size(), 0U);
  EXPECT_EQ(m_store->conversations()->size(), 1U);
}

TEST(LoginGateTest, FiveAMinuteThenPausesThatDouble) {
  LoginGate gate;
  std::int64_t now = kStart;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(gate.enter("anna", "10.0.0.1", now)) << i;
  EXPECT_TRUE(gate.enter("bert", "10.0.0.1", now)) << "another name";
  EXPECT_TRUE(gate.enter("anna", "10.0.0.2", now)) << "another place: nobody locks anna out of hers";
  const auto refused = gate.enter("anna", "10.0.0.1", now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::TooManyAttempts);
  EXPECT_EQ(refused.error().find("retry_after_seconds"), "60");
  now += 60'000;
  for (const int minutes : {2, 4, 8, 16, 32, 60, 60}) {
    EXPECT_TRUE(gate.enter("anna", "10.0.0.1", now)) << minutes;
    const auto again = gate.enter("anna", "10.0.0.1", now);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().find("retry_after_seconds"), std::to_string(minutes * 60));
    now += minutes * 60'000;
  }
  EXPECT_TRUE(gate.enter("anna", "10.0.0.1", now));
  gate.succeeded("anna", "10.0.0.1");
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(gate.enter("anna", "10.0.0.1", now)) << "a success forgives: " << i;
}

TEST(LoginGateTest, ManyNamesFromOnePlaceAreSlowedDownToo) {
  LoginGate gate;
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(gate.enter("name" + std::to_string(i), "10.0.0.1", kStart));
  EXPECT_FALSE(gate.enter("name99", "10.0.0.1", kStart));
  EXPECT_TRUE(gate.enter("name99", "10.0.0.2", kStart));
  EXPECT_TRUE(gate.enter("name99", "10.0.0.1", kStart + 60'000));
}

TEST(LoginGateTest, MemoryStaysBounded) {
  LoginGate gate;
  for (int i = 0; i < 60'000; ++i) (void)gate.enter("n", std::to_string(i), kStart + i);
  EXPECT_TRUE(gate.enter("n", "fresh", kStart + 60'000));
}

TEST(LoginGateTest, ANetworkIsAnAddressOrItsFirstHalf) {
  EXPECT_EQ(team::networkOf("192.168.1.7:50123"), "192.168.1.7");
  EXPECT_EQ(team::networkOf("192.168.1.7"), "192.168.1.7");
  EXPECT_EQ(team::networkOf("::ffff:192.168.1.7"), "192.168.1.7");
  EXPECT_EQ(team::networkOf("[2001:db8:1:2:3:4:5:6]:443"), "2001:db8:1:2::/64");
  EXPECT_EQ(team::networkOf("2001:db8::1:2:3:4:5"), "2001:db8:0:1::/64");
  EXPECT_EQ(team::networkOf("[fe80::1%eth0]:80"), "fe80:0:0:0::/64");
  EXPECT_EQ(team::networkOf("::1"), "0:0:0:0::/64");
  EXPECT_EQ(team::networkOf(""), "");
  EXPECT_EQ(team::networkOf("["), "");
}

TEST_F(TeamTest, WrongPasswordsUnknownNamesAndDisabledAccountsLookAlike) {
  const UserId off = addUser("off");
  addUser("anna");
  ASSERT_TRUE(m_team->setDisabled(m_machine, off, true));
  std::string message;
  for (const char* name : {"anna", "nobody", "off", "no such name!"}) {
    const auto refused = m_team->login(name, std::string(name) == "off" ? kPassword : "wrong password", kHere);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unauthenticated);
    EXPECT_TRUE(refused.error().evidence.empty());
    if (message.empty()) message = refused.error().message;
    EXPECT_EQ(refused.error().message, message);
  }
  for (int i = 0; i < 4; ++i) EXPECT_EQ(codeOf(m_team->login("anna", "wrong password", kHere)), ErrorCode::Unauthenticated);
  EXPECT_EQ(codeOf(m_team->login("anna", kPassword, kHere)), ErrorCode::TooManyAttempts) << "even the right one waits";
  EXPECT_TRUE(m_team->login("anna", kPassword, "10.1.1.1:5"));
  m_now += 60'000;
  EXPECT_TRUE(m_team->login("anna", kPassword, kHere));
}

}  // namespace
}  // namespace hearth::test
