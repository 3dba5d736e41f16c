// Word documents and PDF files, good ones and those made to do harm.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/documents/document.h"
#include "tests/support/scratch_folder.h"

namespace hearth::documents {
namespace {

using ::testing::HasSubstr;

std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class OfficeTest : public ::testing::Test {
 protected:
  std::filesystem::path archive(const std::string& name, const std::string& entry, const std::string& content, bool encrypted = false) {
    const std::filesystem::path path = m_folder / name;
    int code = 0;
    zip_t* zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
    EXPECT_NE(zip, nullptr);
    const auto index = zip_file_add(zip, entry.c_str(), zip_source_buffer(zip, content.data(), content.size(), 0), 0);
    if (encrypted) {
      EXPECT_EQ(zip_file_set_encryption(zip, static_cast<zip_uint64_t>(index), ZIP_EM_AES_256, "secret"), 0);
    }
    EXPECT_EQ(zip_close(zip), 0);
    return path;
  }
  std::filesystem::path docx(const std::string& body) {
    return archive("a.docx", "word/document.xml",
                   "<?xml version=\"1.0\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>" + body +
                       "</w:body></w:document>");
  }
  /// A PDF of one page whose content is `stream`; `encrypt` names a password that nobody knows.
  std::filesystem::path pdf(const std::string& stream, bool encrypt = false) {
    std::string out = "%PDF-1.4\n";
    std::vector<std::size_t> offsets;
    const auto object = [&](const std::string& text) {
      offsets.push_back(out.size());
      out += std::to_string(offsets.size()) + " 0 obj\n" + text + "\nendobj\n";
    };
    object("<< /Type /Catalog /Pages 2 0 R >>");
    object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>");
    object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>");
    object("<< /Length " + std::to_string(stream.size()) + " >>\nstream\n" + stream + "\nendstream");
    object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>");
    if (encrypt) {
      const std::string hash(64, 'a');
      object("<< /Filter /Standard /V 1 /R 2 /P -4 /O <" + hash + "> /U <" + hash + "> >>");
    }
    const std::size_t table = out.size();
    out += "xref\n0 " + std::to_string(offsets.size() + 1) + "\n0000000000 65535 f \n";
    for (const std::size_t offset : offsets) {
      char line[32];
      std::snprintf(line, sizeof line, "%010zu 00000 n \n", offset);
      out += line;
    }
    out += "trailer\n<< /Size " + std::to_string(offsets.size() + 1) + " /Root 1 0 R";
    if (encrypt) out += " /Encrypt 6 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]";
    out += " >>\nstartxref\n" + std::to_string(table) + "\n%%EOF\n";
    const std::filesystem::path path = m_folder / "a.pdf";
    std::ofstream(path, std::ios::binary) << out;
    return path;
  }
  static std::string reasonOf(const Result<Document>& read) {
    EXPECT_FALSE(read);
    return read ? std::string() : std::string(errorCodeName(read.error().code)) + "/" + std::string(read.error().find("reason"));
  }
  ScratchFolder m_folder;
};

TEST_F(OfficeTest, WordDocumentsAsTheyRead) {
  const auto read = readDocument(docx(R"(<w:p><w:pPr><w:pStyle w:val="Heading2"/></w:pPr><w:r><w:t>Title</w:t></w:r></w:p>
<w:p><w:r><w:t xml:space="preserve">Some </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>bold</w:t><w:tab/><w:t>text &amp; 中文</w:t><w:br/><w:t>below</w:t></w:r></w:p>
<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>
<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p><w:p><w:r><w:t>c</w:t></w:r></w:p></w:tc></w:tr>
<w:tr><w:tc><w:p/></w:tc><w:tc><w:p><w:r><w:t>d</w:t></w:r></w:p></w:tc></w:tr></w:tbl><w:p/>)"));
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_EQ(read->kind, Kind::Docx);
  std::string text;  // the file's own blanks between elements are no text
  for (const char c : read->text) text += c;
  EXPECT_THAT(text, HasSubstr("## Title\n"));
  EXPECT_THAT(text, HasSubstr("Some bold\ttext & 中文\nbelow\n"));
  EXPECT_THAT(text, HasSubstr("- item\nnew\n"));
  EXPECT_THAT(text, HasSubstr("a\tb c\n\td\n"));
  EXPECT_EQ(text.find("gone"), std::string::npos);
  EXPECT_EQ(text.find("PAGE"), std::string::npos);
}

TEST_F(OfficeTest, ByContentWhateverTheName) {
  const auto path = docx("<w:p><w:r><w:t>words</w:t></w:r></w:p>");
  const auto other = m_folder / "a.txt";
  std::filesystem::rename(path, other);
  const auto read = readDocument(other);
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_EQ(read->kind, Kind::Docx);
  EXPECT_EQ(read->text, "words\n");
}

TEST_F(OfficeTest, DocumentsThatUnpackToTooMuchAreRefused) {
  const auto bomb = docx("<w:p><w:r><w:t>" + std::string(60'000'000, 'x') + "</w:t></w:r></w:p>");
  EXPECT_LT(std::filesystem::file_size(bomb), 200'000U);
  EXPECT_EQ(reasonOf(readDocument(bomb)), "out_of_memory/bomb");
  // The same, with a lie about its size in the archive's directory and header.
  std::string bytes = slurp(bomb);
  const auto lie = [&](const char* mark, std::size_t offset) {
    const auto at = bytes.rfind(std::string(mark, 4));
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at + offset, 4, std::string("\x10\0\0\0", 4));
  };
  lie("PK\x01\x02", 24);
  lie("PK\x03\x04", 22);
  const auto read = readDocument("a.docx", bytes);
  EXPECT_FALSE(read);
}

TEST_F(OfficeTest, DamagedStrangeAndLockedDocumentsAreRefused) {
  const auto path = docx("<w:p><w:r><w:t>words</w:t></w:r></w:p>");
  const std::string whole = slurp(path);
  for (std::size_t size = 4; size < whole.size(); size += 5) {
    EXPECT_FALSE(readDocument("a.docx", std::string_view(whole).substr(0, size))) << size;
  }
  EXPECT_EQ(reasonOf(readDocument(archive("b.docx", "word/document.xml", "<w:document", false))), "corrupt/format");
  EXPECT_EQ(reasonOf(readDocument(archive("c.docx", "word/document.xml", "<other/>", false))), "corrupt/format");
  EXPECT_EQ(reasonOf(readDocument(archive("d.zip", "readme.txt", "hello", false))), "unsupported_format/format");
  EXPECT_EQ(reasonOf(readDocument(archive("e.docx", "word/document.xml", "<w:document/>", true))), "forbidden/encrypted");
  EXPECT_EQ(reasonOf(readDocument(docx("<w:p/>"))), "unsupported_format/no_text");
}

TEST_F(OfficeTest, AnyDepthOfXmlIsWalked) {
  std::string open;
  std::string close;
  for (int i = 0; i < 300'000; ++i) {
    open += "<w:p>";
    close += "</w:p>";
  }
  const auto read = readDocument(docx(open + "<w:r><w:t>deep</w:t></w:r>" + close));
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_THAT(read->text, HasSubstr("deep"));
}

TEST_F(OfficeTest, EntitiesOfXmlAreNotExpanded) {
  const auto read = readDocument(archive(
      "x.docx", "word/document.xml",
      R"(<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>)"
      R"(<w:document><w:body><w:p><w:r><w:t>x&b;&f;y</w:t></w:r></w:p></w:body></w:document>)"));
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_EQ(read->text, "x&b;&f;y\n");
}

bool havePdftotext() { return std::system("command -v pdftotext >/dev/null") == 0; }

TEST_F(OfficeTest, PdfPagesAsText) {
  if (!havePdftotext()) GTEST_SKIP() << "pdftotext is not installed";
  const auto read = readDocument(pdf("BT /F1 24 Tf 72 700 Td (Hello from a page) Tj ET"));
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_EQ(read->kind, Kind::Pdf);
  EXPECT_THAT(read->text, HasSubstr("Hello from a page"));
  EXPECT_FALSE(read->cut);
  const auto named = m_folder / "-opw.txt";
  std::filesystem::rename(m_folder / "a.pdf", named);
  EXPECT_TRUE(readDocument(named)) << "a name like an option, and of another kind";
  EXPECT_EQ(reasonOf(readDocument(pdf("0 0 m 10 10 l S"))), "unsupported_format/no_text");
  EXPECT_EQ(reasonOf(readDocument(pdf("BT (secret) Tj ET", true))), "forbidden/encrypted");
  std::ofstream(m_folder / "bad.pdf") << "%PDF-1.4\nnothing of the kind";
  const auto bad = readDocument(m_folder / "bad.pdf");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::Corrupt) << bad.error().describe();
}

TEST_F(OfficeTest, WithoutItsProgramAPdfSaysWhatIsMissing) {
  const auto path = pdf("BT /F1 24 Tf 72 700 Td (x) Tj ET");
  const std::string before = std::getenv("PATH");
  ::setenv("PATH", "/nowhere", 1);
  const auto read = readDocument(path);
  ::setenv("PATH", before.c_str(), 1);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::UnsupportedFormat);
  EXPECT_EQ(read.error().find("reason"), "missing_program");
  EXPECT_EQ(read.error().find("program"), "pdftotext");
}

// Programs that do not behave, in pdftotext's place.
TEST_F(OfficeTest, AProgramThatHangsOrFloodsIsEnded) {
  const auto path = pdf("BT (x) Tj ET");
  const auto pretend = [&](const std::string& script) {
    const auto program = m_folder / "pdftotext";
    std::ofstream(program) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    const std::string before = std::getenv("PATH");
    ::setenv("PATH", (m_folder.path().string() + ":" + before).c_str(), 1);
    Limits limits;
    limits.pdfTime = std::chrono::milliseconds(1500);
    auto read = readDocument(path, limits);
    ::setenv("PATH", before.c_str(), 1);
    return read;
  };
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(pretend("sleep 60").error().code, ErrorCode::Timeout);
  EXPECT_EQ(pretend("while :; do :; done").error().code, ErrorCode::Timeout);
  EXPECT_EQ(pretend("exec sleep 60 >&- 2>&-").error().code, ErrorCode::Timeout) << "it closes its outputs and stays";
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  EXPECT_EQ(pretend("echo no >&2; exit 9").error().code, ErrorCode::Corrupt);
  EXPECT_EQ(reasonOf(pretend("kill -9 $$")), "out_of_memory/bomb");
  EXPECT_EQ(reasonOf(pretend("echo 'Command Line Error: Incorrect password' >&2; exit 1")), "forbidden/encrypted");
}

}  // namespace
}  // namespace hearth::documents
