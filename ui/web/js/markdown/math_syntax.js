// $…$, $$…$$, \(…\), \[…\] as extensions of marked. What cannot be mathematics (prices, shell variables) stays text. Pure.

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
export const escapeHtml = (text) => text.replace(/[&<>"']/g, (character) => escapes[character]);

const BLOCK = /^ {0,3}(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])[ \t]*(?:\n|$)/;
const DISPLAY = /^(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])/;
// No blank inside the signs, no digit after them: "$5 and $6" is money.
const INLINE = /^(?:\$((?:\\.|[^\\\n$])+?)\$(?!\d)|\\\(([\s\S]+?)\\\))/;

function token(type, found, display) {
  const text = found[1] ?? found[2];
  if (found[1] !== undefined && !display && (/^\s|\s$/.test(text))) return undefined;
  if (text.trim() === '') return undefined;
  return { type, raw: found[0], text: text.trim(), display };
}

/** The source stands in the element until (and unless) KaTeX has drawn it. */
const renderer = (math) => `<span class="${math.display ? 'math math-block' : 'math'}">${escapeHtml(math.text)}</span>`;

const starts = (source) => {
  const at = source.search(/\$|\\[([]/);
  return at < 0 ? undefined : at;
};

export const mathExtensions = [
  {
    name: 'mathBlock', level: 'block', renderer,
    start: (source) => {
      const at = source.search(/(?:^|\n) {0,3}(?:\$\$|\\\[)/);
      return at < 0 ? undefined : at;
    },
    tokenizer: (source) => {
      const found = BLOCK.exec(source);
      return found ? token('mathBlock', found, true) : undefined;
    },
  },
  {
    name: 'mathInline', level: 'inline', renderer, start: starts,
    tokenizer: (source) => {
      const shown = DISPLAY.exec(source);
      if (shown) return token('mathInline', shown, true);
      const found = INLINE.exec(source);
      return found ? token('mathInline', found, false) : undefined;
    },
  },
];
