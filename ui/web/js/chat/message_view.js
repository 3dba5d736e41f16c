// One message: its text, what can be done with it, and the state it is in.
import { announce, h, replace } from '../dom.js';
import { bytes, number, seconds } from '../format.js';
import { errorText, t } from '../i18n.js';
import { icon } from '../icons.js';
import { copyText } from '../markdown/code.js';
import { MarkdownView } from '../markdown/view.js';
import { compose, decompose } from './attachments.js';

function figures(message) {
  const parts = [];
  if (message.tokens_per_second > 0) parts.push(t('chat.rate', { n: message.tokens_per_second >= 10 ? Math.round(message.tokens_per_second) : message.tokens_per_second.toFixed(1) }));
  if (message.first_token_seconds > 0) parts.push(t('chat.first_token', { time: seconds(message.first_token_seconds) }));
  if (message.generated_tokens > 0) parts.push(t('chat.tokens', { n: number(message.generated_tokens), count: message.generated_tokens }));
  return parts.join(' · ');
}

function waitingText(queue) {
  if (!queue || queue.position < 1) return t('chat.waiting');
  const place = t('queue.position', { n: queue.position, ordinal: ordinal(queue.position) });
  return queue.eta === null ? place : t('queue.with_eta', { place, time: seconds(queue.eta) });
}

/** 1st, 2nd, 3rd, 11th. */
export function ordinal(n) {
  const last = n % 10;
  const teen = n % 100 >= 11 && n % 100 <= 13;
  return `${n}${teen ? 'th' : { 1: 'st', 2: 'nd', 3: 'rd' }[last] ?? 'th'}`;
}

/** actions: {choose(id), edit(message, text), regenerate(message)}. */
export class MessageView {
  #state;
  #actions;
  #body = h('div', { class: 'body' });
  #tools = h('div', { class: 'tools' });
  #text = null;
  #thinking = null;
  #calls = null;
  #status = h('div');
  #drawn = '';

  constructor(message, state, actions) {
    this.message = message;
    this.#state = state;
    this.#actions = actions;
    const role = message.role === 'user' ? 'user' : 'assistant';
    this.element = h('article', { class: `message ${role}`, 'aria-label': t(role === 'user' ? 'chat.you_said' : 'chat.model_said') }, this.#body, this.#tools);
    if (role === 'user') this.#drawUser();
    else this.#buildAnswer();
    this.update();
  }

  #drawUser() {
    const { files, text } = decompose(this.message.text);
    const words = new MarkdownView({ breaks: true });
    words.update(text, true);
    replace(this.#body, words.element, files.length === 0 ? null : h('div', { class: 'chips' }, files.map((file) => h('details', { class: 'file' },
      h('summary', null, t('attach.chip', { name: file.name, size: bytes(new Blob([file.text]).size) })), h('pre', null, file.text)))));
  }

  #buildAnswer() {
    this.#text = new MarkdownView({ onBlock: (text) => { if (this.#state.answer === this.message) announce(text); } });
    this.#calls = h('div');
    replace(this.#body, this.#calls, this.#text.element, this.#status);
  }

  update() {
    if (this.message.role === 'user') {
      this.#drawTools();
      return;
    }
    const message = this.message;
    const live = this.#state.answer === message;
    if (message.reasoning) this.#drawThinking(live);
    this.#text.update(message.text ?? '', !live);
    this.#drawCalls();
    this.#drawStatus(live);
    this.#drawTools(live);
  }

  #drawThinking(live) {
    if (!this.#thinking) {
      const view = new MarkdownView();
      const summary = h('summary');
      this.#thinking = { view, summary, element: h('details', { class: 'thinking' }, summary, view.element) };
      this.#body.prepend(this.#thinking.element);
    }
    const { summary, view, element } = this.#thinking;
    const thinking = live && !this.message.text;
    element.dataset.live = thinking;
    const time = this.message.thought_seconds ?? (this.message.thinking_since ? (Date.now() - this.message.thinking_since) / 1000 : 0);
    summary.textContent = thinking ? t('chat.thinking') : time > 0 ? t('chat.thought_for', { time: seconds(time) }) : t('chat.thought');
    view.update(this.message.reasoning, !thinking);
  }

  #drawCalls() {
    const calls = (this.message.tool_calls ?? []).filter(Boolean);
    replace(this.#calls, calls.map((call) => h('details', { class: 'call', open: true },
      h('summary', null, t('chat.calls', { name: call.name || '…' })), h('pre', { tabindex: '0' }, pretty(call.arguments)))));
  }

  #drawStatus(live) {
    const message = this.message;
    if (live && !message.text && !message.reasoning && !message.tool_calls) {
      replace(this.#status, h('div', { class: 'waiting' }, h('span', { class: 'spinner' }), waitingText(this.#state.queue)));
    } else if (live) {
      replace(this.#status, h('span', { class: 'caret', 'aria-hidden': 'true' }));
    } else if (message.state === 'failed') {
      replace(this.#status, h('div', { class: 'notice error', role: 'alert' }, icon('alert'), h('span', null, errorText(message.error))));
    } else if (message.state === 'stopped' || message.state === 'interrupted') {
      replace(this.#status, h('p', { class: 'small muted' }, t(message.state === 'stopped' ? 'chat.stopped' : 'chat.interrupted')));
    } else if (message.length_limited) {
      replace(this.#status, h('p', { class: 'limit' }, t('chat.length_limited')));
    } else if (message.state === 'complete' && !message.text && !message.tool_calls?.length) {
      replace(this.#status, h('p', { class: 'small muted' }, t('chat.empty_answer')));
    } else {
      replace(this.#status);
    }
  }

  #drawTools(live = false) {
    const message = this.message;
    const { index, ids } = this.#state.tree.siblings(message);
    const busy = this.#state.running;
    const key = [live, busy, index, ids.length, message.state, figures(message)].join('|');
    if (key === this.#drawn) return;
    this.#drawn = key;
    if (live) {
      replace(this.#tools);
      return;
    }
    const branch = ids.length < 2 ? null : h('span', { class: 'branch', role: 'group', 'aria-label': t('branch.label') },
      h('button', { class: 'quiet', type: 'button', 'aria-label': t('branch.previous'), disabled: busy || index === 0, onclick: () => this.#actions.choose(ids[index - 1]) }, icon('left')),
      h('span', null, `${index + 1}/${ids.length}`),
      h('button', { class: 'quiet', type: 'button', 'aria-label': t('branch.next'), disabled: busy || index === ids.length - 1, onclick: () => this.#actions.choose(ids[index + 1]) }, icon('right')));
    const copy = h('button', { class: 'quiet', type: 'button', onclick: () => copyText(message.role === 'user' ? decompose(message.text).text : message.text, copy) }, t('copy'));
    if (message.role === 'user') {
      replace(this.#tools, branch, h('button', { class: 'quiet', type: 'button', disabled: busy, onclick: () => this.#edit() }, t('chat.edit')), copy);
    } else {
      replace(this.#tools, h('span', { class: 'figures' }, figures(message)), branch, copy,
        h('button', { class: 'quiet', type: 'button', disabled: busy, onclick: () => this.#actions.regenerate(message) }, t('chat.regenerate')));
    }
  }

  #edit() {
    const { files, text } = decompose(this.message.text);
    const area = h('textarea', { class: 'input', rows: '4', 'aria-label': t('chat.edit_label'), value: text });
    const close = () => {
      this.element.classList.remove('editing');
      this.#tools.hidden = false;
      this.#drawUser();
      this.#tools.querySelector('button')?.focus();
    };
    const send = () => {
      if (area.value.trim() === '') return;
      close();
      this.#actions.edit(this.message, compose(files, area.value));
    };
    area.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') { event.stopPropagation(); close(); }
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
    });
    this.element.classList.add('editing');
    this.#tools.hidden = true;
    replace(this.#body, h('div', { class: 'stack' }, area, h('div', { class: 'row' }, h('span', { class: 'grow small muted' }, t('chat.edit_hint')),
      h('button', { class: 'button', type: 'button', onclick: close }, t('cancel')),
      h('button', { class: 'button primary', type: 'button', onclick: send }, t('chat.send')))));
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }
}

function pretty(json) {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
