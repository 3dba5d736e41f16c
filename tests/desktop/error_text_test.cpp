// What core reports by code and facts must read well in both languages, whatever the error.
#include <gtest/gtest.h>

#include "desktop_fixture.h"
#include "ui/desktop/common/error_text.h"

namespace hearth::test {
namespace {

using namespace Qt::StringLiterals;

class ErrorTextTest : public testing::Test {
 protected:
  void speak(const QString& code) { m_language.setLanguage(code); }
  ui::LanguageManager m_language;
};

TEST_F(ErrorTextTest, EveryCodeHasACauseInBothLanguagesAndAllButTheEndingsAFix) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::ModelNotLoaded); ++i) {
    const Error error{static_cast<ErrorCode>(i), "english words from below", {{"path", "/x"}}};
    SCOPED_TRACE(std::string(errorCodeName(error.code)));
    speak(u"en"_s);
    const ui::ErrorText english = ui::errorText(error);
    speak(u"zh_CN"_s);
    const ui::ErrorText chinese = ui::errorText(error);
    EXPECT_FALSE(english.cause.isEmpty());
    EXPECT_NE(english.cause, chinese.cause);
    EXPECT_TRUE(chinese.evidence.contains(u"文件：/x"_s)) << chinese.evidence.toStdString();
    if (error.code == ErrorCode::Cancelled || error.code == ErrorCode::ShuttingDown) continue;
    EXPECT_FALSE(english.fix.isEmpty());
    EXPECT_NE(english.fix, chinese.fix);
  }
}

TEST_F(ErrorTextTest, FactsHaveNamesAndUnits) {
  const Error error{ErrorCode::OutOfMemory,
                    "the KV cache does not fit into memory",
                    {{"needed_bytes", "9800000000"}, {"available_bytes", "4000000000"}, {"kv_tokens", "131072"}}};
  speak(u"en"_s);
  EXPECT_EQ(ui::errorText(error).evidence, u"Needed: 9.8 GB\nAvailable: 4.0 GB\nTokens to keep in memory: 131072"_s);
  EXPECT_TRUE(ui::errorText(error).fix.contains("context size"_L1));
  speak(u"zh_CN"_s);
  EXPECT_FALSE(ui::errorText(error).evidence.contains("kv_tokens"_L1));
  EXPECT_FALSE(ui::errorText(error).evidence.contains("Needed"_L1));
}

TEST_F(ErrorTextTest, TheTemplatesOwnWordsAreShown) {
  speak(u"en"_s);
  const Error error{ErrorCode::TemplateFailed, "System role not supported", {{"line", "1"}}};
  EXPECT_EQ(ui::errorText(error).evidence, u"System role not supported\nLine: 1"_s);
}

TEST_F(ErrorTextTest, WithoutFactsTheMessageIsTheEvidence) {
  speak(u"en"_s);
  EXPECT_EQ(ui::errorText({ErrorCode::QueueFull, "64 wait", {}}).evidence, u"64 wait"_s);
  EXPECT_TRUE(ui::errorText({ErrorCode::Cancelled, "x", {}}).evidence.isEmpty());
  EXPECT_EQ(ui::errorText({ErrorCode::NotFound, "x", {{"odd_key", "v"}}}).evidence, u"odd_key: v"_s);
}

}  // namespace
}  // namespace hearth::test
