// Colours for code.
import hljs from '../../vendor/highlight.min.js';
import { highlightFragment } from './sanitize.js';

/** A fragment of coloured spans, or null for a language that nobody knows. */
export function safeHighlight(text, language) {
  if (!hljs.getLanguage(language)) return null;
  let html;
  try {
    html = hljs.highlight(text, { language, ignoreIllegals: true }).value;
  } catch {
    return null;
  }
  return highlightFragment(html);
}
