// Where a message is written: grows with its text, takes files, sends with Enter.
import { h, replace } from '../dom.js';
import { bytes, compact } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { call } from '../api.js';
import { compose, estimateTokens, kMostBytes, textOf } from './attachments.js';
import { errorNotice } from '../views/gate.js';

let tokenizerMissing = false;

/** {count, exact}: by the model's own tokenizer where it is in memory, else an estimate. */
async function countTokens(model, text) {
  if (!tokenizerMissing && text.length <= 400_000) {
    try {
      const answer = await call('POST', '/tokenize', { model, content: text });
      if (Array.isArray(answer.tokens)) return { count: answer.tokens.length, exact: true };
    } catch (error) {
      tokenizerMissing = error.status === 404 || error.status === 405;
    }
  }
  return { count: estimateTokens(text), exact: false };
}

/** actions: {send(text) → Promise<boolean>, stop(), model()}. */
export class Composer {
  #actions;
  #files = [];
  #running = false;
  #chips = h('div', { class: 'chips', hidden: true });
  #problem = h('div');

  constructor(actions) {
    this.#actions = actions;
    this.text = h('textarea', { rows: '1', 'aria-label': t('chat.message'), placeholder: t('chat.message'), spellcheck: 'true', autocomplete: 'off' });
    this.hint = h('span', { class: 'hint' }, t('chat.hint'));
    this.button = h('button', { class: 'button primary', type: 'submit' }, t('chat.send'));
    const picker = h('input', { type: 'file', multiple: true, hidden: true, tabindex: '-1', 'aria-hidden': 'true', onchange: () => { void this.#take(picker.files); picker.value = ''; } });
    this.form = h('form', { class: 'composer' }, this.#chips, this.text,
      h('div', { class: 'tools' },
        h('button', { class: 'button', type: 'button', 'aria-label': t('attach.label'), title: t('attach.label'), onclick: () => picker.click() }, icon('attach')),
        this.hint, this.button), picker);
    this.element = h('div', { class: 'foot' }, this.#problem, this.form);
    this.form.addEventListener('submit', (event) => { event.preventDefault(); void this.#submit(); });
    this.text.addEventListener('input', () => this.#fit());
    this.text.addEventListener('keydown', (event) => {
      // While an input method composes, Enter chooses a character.
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229) { event.preventDefault(); void this.#submit(); }
    });
    this.text.addEventListener('paste', (event) => {
      if (event.clipboardData?.files.length) { event.preventDefault(); void this.#take(event.clipboardData.files); }
    });
    for (const type of ['dragenter', 'dragover']) this.form.addEventListener(type, (event) => { event.preventDefault(); this.form.classList.add('dropping'); });
    for (const type of ['dragleave', 'drop']) this.form.addEventListener(type, () => this.form.classList.remove('dropping'));
    this.form.addEventListener('drop', (event) => { event.preventDefault(); void this.#take(event.dataTransfer.files); });
    this.#refresh();
  }

  focus() {
    this.text.focus();
  }

  get draft() {
    return this.text.value;
  }

  set draft(text) {
    this.text.value = text;
    this.#fit();
  }

  setModel(name) {
    this.text.placeholder = name ? t('chat.message_to', { model: name }) : t('chat.message');
  }

  setRunning(running) {
    if (running === this.#running) return;
    this.#running = running;
    this.#refresh();
  }

  showProblem(text) {
    replace(this.#problem, text ? errorNotice(text) : null);
  }

  #refresh() {
    this.button.textContent = t(this.#running ? 'chat.stop' : 'chat.send');
    this.button.disabled = !this.#running && this.text.value.trim() === '' && this.#files.length === 0;
    this.hint.textContent = t(this.#running ? 'chat.hint_stop' : 'chat.hint');
  }

  #fit() {
    this.text.style.height = 'auto';
    this.text.style.height = `${this.text.scrollHeight}px`;
    this.#refresh();
  }

  async #submit() {
    if (this.#running) {
      this.#actions.stop();
      return;
    }
    const words = this.text.value.trim();
    if (words === '' && this.#files.length === 0) return;
    const kept = { text: this.text.value, files: this.#files };
    this.showProblem('');
    this.text.value = '';
    this.#files = [];
    this.#drawChips();
    this.#fit();
    const sent = await this.#actions.send(compose(kept.files, words));
    if (sent || this.text.value !== '') return;
    this.text.value = kept.text;  // nothing was sent: nothing is lost
    this.#files = kept.files;
    this.#drawChips();
    this.#fit();
  }

  async #take(list) {
    this.showProblem('');
    for (const file of [...list]) {
      if (file.size > kMostBytes) {
        this.showProblem(t('attach.too_big', { name: file.name, limit: bytes(kMostBytes) }));
        continue;
      }
      const text = textOf(await file.arrayBuffer());
      if (text === null) {
        this.showProblem(t('attach.not_text', { name: file.name }));
        continue;
      }
      const entry = { name: file.name, size: file.size, text, tokens: { count: estimateTokens(text), exact: false } };
      this.#files.push(entry);
      this.#drawChips();
      entry.tokens = await countTokens(this.#actions.model(), text);
      this.#drawChips();
    }
    this.focus();
  }

  #drawChips() {
    this.#chips.hidden = this.#files.length === 0;
    replace(this.#chips, this.#files.map((file) => h('span', { class: 'chip' },
      h('span', { class: 'name' }, file.name),
      h('span', { class: 'nowrap' }, t(file.tokens.exact ? 'attach.tokens' : 'attach.about_tokens', { size: bytes(file.size), n: compact(file.tokens.count) })),
      h('button', {
        class: 'quiet', type: 'button', 'aria-label': t('attach.remove', { name: file.name }),
        onclick: () => { this.#files = this.#files.filter((other) => other !== file); this.#drawChips(); this.#refresh(); this.focus(); },
      }, icon('close')))));
    this.#refresh();
  }
}
