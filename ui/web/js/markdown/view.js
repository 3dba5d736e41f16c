// A text as it grows: only blocks that changed are drawn again, so what is read does not flicker and selections stay.
import { h } from '../dom.js';
import { CodeBlock } from './code.js';
import { drawMath } from './math.js';
import { blockHtml, blocksOf } from './parse.js';
import { safeFragment } from './sanitize.js';

function languageOf(token) {
  return (token.lang ?? '').trim().split(/[\s,{]/)[0].slice(0, 40).toLowerCase();
}

/** Code blocks inside lists and quotes come as plain <pre>: give them their head and colours too; wide tables get a frame that scrolls. */
function furnish(root) {
  for (const pre of root.querySelectorAll('pre')) {
    const code = pre.querySelector('code') ?? pre;
    const block = new CodeBlock();
    const language = /language-(\S+)/.exec(code.getAttribute('class') ?? '')?.[1] ?? '';
    block.update(code.textContent.replace(/\n$/, ''), language.toLowerCase(), true);
    pre.replaceWith(block.element);
  }
  for (const table of root.querySelectorAll('table')) {
    const frame = h('div', { class: 'scroll-x', tabindex: '0' });
    table.replaceWith(frame);
    frame.append(table);
  }
  for (const box of root.querySelectorAll('input[type="checkbox"]')) box.setAttribute('aria-label', box.checked ? '☑' : '☐');
  drawMath(root);
}

class Block {
  #raw = null;
  #code = null;

  constructor() {
    this.element = h('div', { class: 'block' });
  }

  update(token, links, options, finished) {
    if (token.raw === this.#raw && !finished) return;
    this.#raw = token.raw;
    if (token.type === 'code') {
      if (!this.#code) {
        this.#code = new CodeBlock();
        this.element.replaceChildren(this.#code.element);
      }
      this.#code.update(token.text, languageOf(token), finished);
      return;
    }
    this.#code = null;
    this.element.replaceChildren(safeFragment(blockHtml(token, links, options)));
    furnish(this.element);
  }

  text() {
    return this.element.textContent;
  }
}

/** Owns the blocks of one text. `onBlock` gets the text of each block that is complete, for reading aloud. */
export class MarkdownView {
  #blocks = [];
  #options;
  #spoken = 0;

  constructor({ breaks = false, onBlock = null } = {}) {
    this.#options = { breaks };
    this.onBlock = onBlock;
    this.element = h('div', { class: 'markdown' });
  }

  update(text, finished = false) {
    const { tokens, links } = blocksOf(text, this.#options);
    tokens.forEach((token, index) => {
      let block = this.#blocks[index];
      if (!block) {
        block = new Block();
        this.#blocks.push(block);
        this.element.append(block.element);
      }
      block.update(token, links, this.#options, false);
    });
    for (const block of this.#blocks.splice(tokens.length)) block.element.remove();
    this.#speak(finished);
  }

  #speak(finished) {
    if (!this.onBlock) return;
    const complete = finished ? this.#blocks.length : this.#blocks.length - 1;
    while (this.#spoken < complete) {
      this.onBlock(this.#blocks[this.#spoken].text());
      this.#spoken += 1;
    }
  }
}
