#include "ui/desktop/chat/markdown.h"

#include <QUrl>

#include <md4c.h>

#include "ui/desktop/common/theme.h"

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

QString text(const MD_CHAR* data, MD_SIZE size) { return QString::fromUtf8(data, static_cast<qsizetype>(size)); }
QString text(const MD_ATTRIBUTE& attribute) { return text(attribute.text, attribute.size); }

/// Collects md4c's callbacks into blocks. Used by one parseMarkdown() call.
class Builder {
 public:
  explicit Builder(std::vector<MathSpan> spans) : m_spans(std::move(spans)) {}
  std::vector<MarkdownBlock> blocks;

  void enter(MD_BLOCKTYPE type, void* detail) {
    const bool firstInItem = std::exchange(m_itemFresh, type == MD_BLOCK_LI);
    switch (type) {
      case MD_BLOCK_DOC: return;
      case MD_BLOCK_CODE:
        m_inCode = true;
        m_code.clear();
        m_language = text(static_cast<MD_BLOCK_CODE_DETAIL*>(detail)->lang);
        return;
      case MD_BLOCK_HTML: open(u"<p>"_s); break;
      case MD_BLOCK_P:
        // The first paragraph of a list item stands beside its mark; those that follow are set off a little.
        m_bareParagraph = firstInItem;
        m_paragraph = m_html.size();
        open(firstInItem ? QString() : u"<p style=\"margin:%1px 0 0 0; line-height:135%\">"_s.arg(m_inItem > 0 ? 4 : 0));
        break;
      case MD_BLOCK_H: open(u"<p style=\"margin:4px 0 0 0; font-weight:600; font-size:%1px\">"_s.arg(headingSize(static_cast<MD_BLOCK_H_DETAIL*>(detail)->level))); break;
      case MD_BLOCK_HR: open(u"<hr/>"_s); break;
      case MD_BLOCK_QUOTE:
        open(u"<table cellspacing=\"0\" cellpadding=\"0\" width=\"100%\"><tr><td width=\"3\" style=\"background-color:%1\"></td><td style=\"color:%2; padding:4px 12px\">"_s
                 .arg(m_theme.border.name(), m_theme.muted.name()));
        break;
      case MD_BLOCK_UL: open(u"<ul style=\"margin:0; -qt-list-indent:%1\">"_s.arg(++m_listDepth)); break;
      case MD_BLOCK_OL: open(u"<ol start=\"%1\" style=\"margin:0; -qt-list-indent:%2\">"_s.arg(static_cast<MD_BLOCK_OL_DETAIL*>(detail)->start).arg(++m_listDepth)); break;
      case MD_BLOCK_LI: {
        const auto* item = static_cast<MD_BLOCK_LI_DETAIL*>(detail);
        open(u"<li style=\"line-height:135%\">"_s);
        ++m_inItem;
        if (item->is_task) m_html += item->task_mark == ' ' ? u"☐ "_s : u"☑ "_s;
        break;
      }
      case MD_BLOCK_TABLE: open(u"<table border=\"1\" cellspacing=\"0\" cellpadding=\"7\" style=\"border-collapse:collapse; border-style:solid; border-color:%1\">"_s.arg(m_theme.border.name())); break;
      case MD_BLOCK_THEAD:
      case MD_BLOCK_TBODY: open({}); break;
      case MD_BLOCK_TR: open(u"<tr>"_s); break;
      case MD_BLOCK_TH: open(u"<td style=\"background-color:%1\"%2><b>"_s.arg(m_theme.rail.name(), alignment(detail))); break;
      case MD_BLOCK_TD: open(u"<td%1>"_s.arg(alignment(detail))); break;
    }
  }

  void leave(MD_BLOCKTYPE type) {
    switch (type) {
      case MD_BLOCK_DOC: return;
      case MD_BLOCK_CODE: leaveCode(); return;
      case MD_BLOCK_HTML: close(u"</p>"_s); break;
      case MD_BLOCK_P:
        centreFormula();
        close(std::exchange(m_bareParagraph, false) ? QString() : u"</p>"_s);
        break;
      case MD_BLOCK_H: close(u"</p>"_s); break;
      case MD_BLOCK_HR: close({}); break;
      case MD_BLOCK_QUOTE: close(u"</td></tr></table>"_s); break;
      case MD_BLOCK_UL:
      case MD_BLOCK_OL:
        --m_listDepth;
        close(type == MD_BLOCK_UL ? u"</ul>"_s : u"</ol>"_s);
        break;
      case MD_BLOCK_LI:
        --m_inItem;
        close(u"</li>"_s);
        break;
      case MD_BLOCK_TABLE: close(u"</table>"_s); break;
      case MD_BLOCK_THEAD:
      case MD_BLOCK_TBODY: close({}); break;
      case MD_BLOCK_TR: close(u"</tr>"_s); break;
      case MD_BLOCK_TH: close(u"</b></td>"_s); break;
      case MD_BLOCK_TD: close(u"</td>"_s); break;
    }
  }

  void enterSpan(MD_SPANTYPE type, void* detail) {
    switch (type) {
      case MD_SPAN_EM: m_html += "<i>"_L1; break;
      case MD_SPAN_STRONG: m_html += "<b>"_L1; break;
      case MD_SPAN_DEL: m_html += "<s>"_L1; break;
      case MD_SPAN_U: m_html += "<u>"_L1; break;
      case MD_SPAN_CODE: m_html += codeOpen(); break;
      case MD_SPAN_A: m_html += u"<a href=\"%1\">"_s.arg(withoutMarks(text(static_cast<MD_SPAN_A_DETAIL*>(detail)->href), m_spans).toHtmlEscaped()); break;
      case MD_SPAN_IMG:
        // Never fetched: a picture is a link that a click may follow.
        m_html += u"<a href=\"%1\">🖼 "_s.arg(withoutMarks(text(static_cast<MD_SPAN_IMG_DETAIL*>(detail)->src), m_spans).toHtmlEscaped());
        break;
      default: break;
    }
  }

  void leaveSpan(MD_SPANTYPE type) {
    switch (type) {
      case MD_SPAN_EM: m_html += "</i>"_L1; break;
      case MD_SPAN_STRONG: m_html += "</b>"_L1; break;
      case MD_SPAN_DEL: m_html += "</s>"_L1; break;
      case MD_SPAN_U: m_html += "</u>"_L1; break;
      case MD_SPAN_CODE: m_html += "</span>"_L1; break;
      case MD_SPAN_A:
      case MD_SPAN_IMG: m_html += "</a>"_L1; break;
      default: break;
    }
  }

  void addText(MD_TEXTTYPE type, const QString& piece) {
    if (m_inCode) {
      m_code += withoutMarks(piece, m_spans);
      return;
    }
    switch (type) {
      case MD_TEXT_BR:
      case MD_TEXT_SOFTBR: m_html += "<br/>"_L1; break;  // models break lines on purpose: verse, addresses
      case MD_TEXT_NULLCHAR: m_html += QChar(QChar::ReplacementCharacter); break;
      // An entity is a name between & and ;, checked by md4c: harmless as it is.
      case MD_TEXT_ENTITY: m_html += piece; break;
      case MD_TEXT_CODE: m_html += withoutMarks(piece, m_spans).toHtmlEscaped(); break;
      default: addWithFormulas(piece); break;
    }
  }

 private:
  void addWithFormulas(const QString& piece) {
    if (!piece.contains(kMathMark)) {
      m_html += piece.toHtmlEscaped();
      return;
    }
    QString plain;
    for (qsizetype i = 0; i < piece.size();) {
      const MathSpan* span = spanAt(piece, i, m_spans);
      if (!span) {
        plain += piece[i++];
        continue;
      }
      m_html += std::exchange(plain, {}).toHtmlEscaped();
      if (span->formula) {
        m_html += kMathMark;
        m_math.push_back(*span);
      } else {
        m_html += codeOpen() + span->written.toHtmlEscaped().replace(u'\n', u"<br/>"_s) + "</span>"_L1;
      }
    }
    m_html += plain.toHtmlEscaped();
  }

  // A paragraph that is one formula of a display stands in the middle.
  void centreFormula() {
    if (m_math.empty() || !m_math.back().display || m_bareParagraph || !m_html.endsWith(kMathMark)) return;
    const qsizetype end = m_html.indexOf(u'>', m_paragraph);
    // Without the leading of text, which a tall line makes a gap of.
    if (end == m_html.size() - 2) m_html.replace(m_paragraph, end + 1 - m_paragraph, u"<p align=\"center\" style=\"margin:0\">"_s);
  }

  void open(const QString& tag) {
    ++m_depth;
    m_html += tag;
  }

  void close(const QString& tag) {
    m_html += tag;
    if (--m_depth == 0) flush();
  }

  void flush() {
    if (!m_html.isEmpty()) blocks.push_back({MarkdownBlock::Kind::Text, std::exchange(m_html, {}), {}, {}, std::exchange(m_math, {})});
  }

  void leaveCode() {
    m_inCode = false;
    if (m_code.endsWith(u'\n')) m_code.chop(1);
    if (m_depth == 0) {
      blocks.push_back({MarkdownBlock::Kind::Code, {}, m_code, m_language, {}});
      return;
    }
    // Inside a list or quote it stays in the flow.
    m_html += u"<pre style=\"margin:6px 0; background-color:%1; font-family:monospace\">"_s.arg(m_theme.rail.name()) + m_code.toHtmlEscaped() + "</pre>"_L1;
  }

  [[nodiscard]] QString codeOpen() const {
    return u"<span style=\"font-family:monospace; background-color:%1\">"_s.arg(m_theme.rail.name());
  }

  [[nodiscard]] static int headingSize(unsigned level) {
    const Metrics& metrics = ThemeManager::metrics();
    return level == 1 ? metrics.title : level == 2 ? metrics.base + 3 : metrics.base + 1;
  }

  [[nodiscard]] static QString alignment(void* detail) {
    switch (static_cast<MD_BLOCK_TD_DETAIL*>(detail)->align) {
      case MD_ALIGN_CENTER: return u" align=\"center\""_s;
      case MD_ALIGN_RIGHT: return u" align=\"right\""_s;
      default: return {};
    }
  }

  const Theme& m_theme = ThemeManager::current();
  std::vector<MathSpan> m_spans;  // of the whole text
  std::vector<MathSpan> m_math;   // of the block
  QString m_html, m_code, m_language;
  qsizetype m_paragraph = 0;  // where the last one begins
  int m_depth = 0;
  int m_inItem = 0;
  int m_listDepth = 0;
  bool m_itemFresh = false;      ///< a list item has just begun: nothing stands in it
  bool m_bareParagraph = false;  ///< the open paragraph has no tag of its own
  bool m_inCode = false;
};

}  // namespace

std::vector<MarkdownBlock> parseMarkdown(const QString& source) {
  MathText found = findMath(source);
  Builder builder(std::move(found.spans));
  MD_PARSER parser{};
  parser.flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS | MD_FLAG_PERMISSIVEAUTOLINKS | MD_FLAG_NOHTML;
  parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* self) { return static_cast<Builder*>(self)->enter(type, detail), 0; };
  parser.leave_block = [](MD_BLOCKTYPE type, void*, void* self) { return static_cast<Builder*>(self)->leave(type), 0; };
  parser.enter_span = [](MD_SPANTYPE type, void* detail, void* self) { return static_cast<Builder*>(self)->enterSpan(type, detail), 0; };
  parser.leave_span = [](MD_SPANTYPE type, void*, void* self) { return static_cast<Builder*>(self)->leaveSpan(type), 0; };
  parser.text = [](MD_TEXTTYPE type, const MD_CHAR* data, MD_SIZE size, void* self) {
    return static_cast<Builder*>(self)->addText(type, text(data, size)), 0;
  };
  const QByteArray utf8 = found.text.toUtf8();
  if (md_parse(utf8.constData(), static_cast<MD_SIZE>(utf8.size()), &parser, &builder) != 0) {
    return {{MarkdownBlock::Kind::Text, "<p>"_L1 + source.toHtmlEscaped() + "</p>"_L1, {}, {}, {}}};
  }
  return std::move(builder.blocks);
}

bool isSafeLink(const QString& url) {
  const QString scheme = QUrl(url).scheme().toLower();
  return scheme == "http"_L1 || scheme == "https"_L1 || scheme == "mailto"_L1;
}

}  // namespace hearth::ui
