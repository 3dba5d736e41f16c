// Code blocks: language, copy button, colours. The text is set as text; only highlight.js's own spans go through the sanitiser.
import { announce, h } from '../dom.js';
import { t } from '../i18n.js';
import { safeHighlight } from './highlight.js';

const kColoured = 40_000;  // characters; longer blocks stay plain

export async function copyText(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS there is no clipboard API.
    const area = h('textarea', { class: 'unseen', 'aria-hidden': 'true' });
    area.value = text;
    document.body.append(area);
    area.select();
    done = document.execCommand('copy');
    area.remove();
    button?.focus();
  }
  if (!button) return;
  const before = button.dataset.label ?? button.textContent;
  button.dataset.label = before;
  button.textContent = done ? t('copied') : t('copy_failed');
  announce(button.textContent);
  setTimeout(() => { button.textContent = before; }, 1500);
}

/** A code block that can be given more text while it streams, without being made anew. */
export class CodeBlock {
  #code;
  #language;
  #label;
  #text = '';

  constructor() {
    this.#label = h('span');
    this.#code = h('code');
    const copy = h('button', { class: 'quiet', type: 'button', onclick: () => copyText(this.#text, copy) }, t('copy'));
    this.element = h('div', { class: 'code' }, h('div', { class: 'head' }, this.#label, copy),
      h('pre', { tabindex: '0', role: 'region', 'aria-label': t('code.label') }, this.#code));
  }

  update(text, language, finished) {
    if (language !== this.#language) {
      this.#language = language;
      this.#label.textContent = language || t('code.text');
    }
    if (text === this.#text && !finished) return;
    this.#text = text;
    const coloured = text.length <= kColoured && language ? safeHighlight(text, language) : null;
    if (coloured) this.#code.replaceChildren(coloured);
    else this.#code.textContent = text;
  }
}
