// Markdown to tokens and HTML text. Pure: no document. The HTML is not safe yet, sanitize.js makes it so.
import { Marked } from '../../vendor/marked.esm.js';
import { escapeHtml, mathExtensions } from './math_syntax.js';

const safeLink = (href) => /^(?:https?:|mailto:)/i.test(href ?? '') && !/[\u0000-\u001f\u007f]/.test(href);

/** Pictures elsewhere would tell their server who reads what: they become links. */
function image({ href, text }) {
  const words = escapeHtml(text || href || '');
  if (/^data:image\/(?:png|jpeg|gif|webp);base64,/i.test(href ?? '')) return `<img src="${escapeHtml(href)}" alt="${words}">`;
  return safeLink(href) ? `<a href="${escapeHtml(href)}">${words}</a>` : words;
}

function link({ href, tokens }) {
  const words = this.parser.parseInline(tokens);
  return safeLink(href) ? `<a href="${escapeHtml(href)}">${words}</a>` : words;
}

function build(breaks) {
  const marked = new Marked({ gfm: true, breaks });
  marked.use({ extensions: mathExtensions, renderer: { image, link } });
  return marked;
}

const forModels = build(false);
const forPeople = build(true);  // whoever types a new line means one

/** The top-level blocks of a text: [{raw, type, …}], with their link definitions. */
export function blocksOf(text, { breaks = false } = {}) {
  const tokens = (breaks ? forPeople : forModels).lexer(text);
  return { tokens: tokens.filter((token) => token.type !== 'space' && token.type !== 'def'), links: tokens.links };
}

export function blockHtml(token, links, { breaks = false } = {}) {
  const tokens = [token];
  tokens.links = links;
  return (breaks ? forPeople : forModels).parser(tokens);
}
