// The chat: history on the left, the conversation, the composer. Ties their actions together.
import { get } from '../api.js';
import { announce, h } from '../dom.js';
import { errorText, t } from '../i18n.js';
import { icon } from '../icons.js';
import { go, settle } from '../router.js';
import { Composer } from './composer.js';
import { History } from './history.js';
import { MemoryBackend } from './memory_backend.js';
import { ModelChoice } from './models.js';
import { askParameters, savedOptions } from './parameters.js';
import { ServerBackend } from './server_backend.js';
import { ChatState } from './state.js';
import { Transcript } from './transcript.js';

const hearth = () => h('img', { src: new URL('../../hearth.svg', import.meta.url).pathname, alt: '' });

/** Answers that are being written go on while another view is shown: the states outlive it. */
const open = new Map();
let backend = null;

async function chooseBackend() {
  if (backend) return;
  try {
    await get('/conversations');
    backend = new ServerBackend();
  } catch (error) {
    if (error.status !== 404) throw error;
    backend = new MemoryBackend();  // a server that keeps no conversations
  }
}

class ChatView {
  takesFocus = true;
  #state = null;
  #instructions = '';  // of the conversation that the first message will make
  #draft = null;       // {id} of the last one shown
  #closed = false;

  constructor(parts) {
    this.title = t('nav.chat');
    this.heading = h('h1', null, t('chat.untitled'));
    this.models = new ModelChoice(() => this.#modelChanged());
    this.transcript = new Transcript({
      choose: (id) => this.#state.choose(id),
      edit: (message, text) => void this.#run((state) => state.send(text, { ...this.#options(), parent: message.parent })),
      regenerate: (message) => void this.#run((state) => state.regenerate(message, this.#options())),
    });
    this.composer = new Composer({ send: (text) => this.#send(text), stop: () => this.#state?.stop(), model: () => this.models.value });
    this.shade = h('button', { class: 'drawer-shade', type: 'button', tabindex: '-1', 'aria-label': t('history.close'), onclick: () => this.#drawer(false) });
    this.menu = h('button', { class: 'quiet drawer-button', type: 'button', 'aria-label': t('history.open'), 'aria-expanded': 'false', onclick: () => this.#drawer(true) }, icon('menu'));
    this.talk = h('div', { class: 'talk' },
      h('header', null, this.menu, this.heading, this.models.element,
        h('button', { class: 'button', type: 'button', 'aria-label': t('parameters.title'), title: t('parameters.title'), onclick: () => void this.#parameters() }, icon('sliders'))),
      this.transcript.element, this.composer.element);
    this.composer.element.prepend(this.transcript.toEnd);
    this.element = h('div', { class: 'chat' }, this.talk);
    this.element.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      if (this.element.classList.contains('drawer')) this.#drawer(false);
      else if (this.#state?.running) this.#state.stop();
    });
    this.ready = this.#begin(parts);
  }

  async #begin(parts) {
    try {
      await chooseBackend();
      await this.models.refresh();
    } catch (error) {
      this.composer.showProblem(errorText(error));
      return;
    }
    if (this.#closed) return;
    this.history = new History(backend, {
      start: () => { this.#drawer(false); if (this.#state) go('chat'); this.show([]); },
      rename: async (id, title) => {
        const changed = await backend.update(id, { title });
        const state = open.get(id);
        if (state) Object.assign(state.conversation, changed);
        if (state === this.#state) this.#drawHead();
        await this.history.refresh();
      },
      erase: async (id) => {
        open.get(id)?.stop();
        await backend.erase(id);
        open.delete(id);
        if (this.#state?.conversation.id === id) go('chat');
        await this.history.refresh();
      },
    });
    this.element.prepend(this.history.element);
    this.element.append(this.shade);
    await Promise.all([this.history.refresh(), this.show(parts)]);
  }

  close() {
    this.#closed = true;
    this.transcript.close();
    this.#off?.abort();
  }

  /** '' = a new conversation, else the number of one that is kept. */
  async show([id]) {
    this.#drawer(false);
    const wanted = id === undefined ? null : Number(id);
    this.#draft = wanted;
    if (wanted === null) {
      this.#use(null);
      return;
    }
    let state = open.get(wanted);
    if (!state) {
      try {
        const loaded = await backend.load(wanted);
        if (loaded) state = new ChatState(backend, loaded.conversation, loaded.tree);
      } catch (error) {
        if (this.#draft !== wanted) return;
        this.#use(null);
        this.composer.showProblem(errorText(error));
        return;
      }
      if (!state) {
        go('chat');
        return;
      }
      open.set(wanted, state);
    }
    if (this.#draft === wanted) this.#use(state);
  }

  #off = null;

  #use(state) {
    if (this.#state && !this.#state.running && this.#state !== state) open.delete(this.#state.conversation.id);  // read anew next time
    this.#off?.abort();
    this.#off = new AbortController();
    this.#state = state;
    this.composer.showProblem('');
    if (state) {
      state.addEventListener('change', () => this.#drawHead(), { signal: this.#off.signal });
      if (state.conversation.model) this.models.value = state.conversation.model;
      void state.follow();
    } else {
      this.#instructions = '';
    }
    this.transcript.open(state, this.#welcome());
    this.#drawHead();
    if (matchMedia('(hover: hover)').matches) this.composer.focus();  // on a phone it would raise the keyboard
  }

  #drawHead() {
    this.heading.textContent = this.#state?.conversation.title || t('chat.untitled');
    this.composer.setRunning(Boolean(this.#state?.running));
    this.history?.mark(this.#state?.conversation.id ?? null, new Set([...open].filter(([, state]) => state.running).map(([id]) => id)));
  }

  #modelChanged() {
    this.composer?.setModel(this.models.value);
  }

  #welcome() {
    if (this.models.models.length === 0) {
      return h('div', { class: 'welcome' }, hearth(), h('h2', null, t('welcome.no_models')), h('p', null, t('welcome.no_models_help')));
    }
    const idea = (key) => h('button', { class: 'button', type: 'button', onclick: () => { this.composer.draft = t(`welcome.${key}_text`); this.composer.focus(); } }, t(`welcome.${key}`));
    return h('div', { class: 'welcome' }, hearth(), h('h2', null, t('welcome.title')), h('p', null, t('welcome.lead')),
      h('div', { class: 'ideas' }, idea('idea_explain'), idea('idea_write'), idea('idea_code')),
      backend?.keeps ? null : h('p', { class: 'small' }, t('history.not_kept')));
  }

  #options() {
    return { model: this.models.value, options: savedOptions() };
  }

  async #send(text) {
    await this.ready;  // whoever is quicker than the list of models
    if (!this.models.value) {
      this.composer.showProblem(t('welcome.no_models'));
      return false;
    }
    if (!this.#state) {
      try {
        let conversation = await backend.create({ model: this.models.value });
        if (this.#instructions) conversation = await backend.update(conversation.id, { system_prompt: this.#instructions });
        const { tree } = await backend.load(conversation.id);
        const state = new ChatState(backend, conversation, tree);
        open.set(conversation.id, state);
        this.#draft = conversation.id;
        this.#use(state);
        if (backend.keeps) settle('chat', String(conversation.id));
      } catch (error) {
        this.composer.showProblem(errorText(error));
        return false;
      }
    }
    return this.#run((state) => state.send(text, this.#options()));
  }

  /** Runs one answer; false when nothing was sent. What goes wrong after that stands in the message itself. */
  async #run(work) {
    const state = this.#state;
    if (state.running) return false;
    this.composer.showProblem('');
    announce(t('chat.says_waiting'));
    const ended = new Promise((resolve) => { state.addEventListener('end', (event) => resolve(event.detail), { once: true }); });
    const begun = new Promise((resolve) => {
      const look = () => { if (state.answer) { state.removeEventListener('change', look); resolve(true); } };
      state.addEventListener('change', look);
    });
    const running = work(state).then(() => true);
    this.transcript.scrollToEnd();
    ended.then((answer) => {
      if (answer) announce(t(answer.state === 'failed' ? 'chat.says_failed' : 'chat.says_done'));
      void this.#afterAnswer(state);
    });
    try {
      return await Promise.race([running, begun]);
    } catch (error) {
      if (error.code !== 'aborted' && state === this.#state) this.composer.showProblem(errorText(error));
      return false;
    } finally {
      running.catch(() => {});
    }
  }

  async #afterAnswer(state) {
    if (!backend.keeps) {
      if (!state.conversation.title) {
        const first = state.tree.path()[0]?.text ?? '';
        state.conversation.title = first.split('\n')[0].slice(0, 60);
      }
    }
    await this.history?.refresh();
    if (backend.keeps && !state.conversation.title) {
      try {
        state.conversation.title = (await backend.load(state.conversation.id)).conversation.title;
      } catch { /* the title comes with the list next time */ }
    }
    if (state === this.#state) this.#drawHead();
    else if (!state.running) open.delete(state.conversation.id);
  }

  async #parameters() {
    await askParameters(this.#state?.conversation.system_prompt ?? this.#instructions, async (text) => {
      if (!this.#state) this.#instructions = text;
      else Object.assign(this.#state.conversation, await backend.update(this.#state.conversation.id, { system_prompt: text }));
    });
  }

  #drawer(shown) {
    this.element.classList.toggle('drawer', shown);
    this.menu.setAttribute('aria-expanded', String(shown));
    if (shown) this.history?.element.querySelector('button')?.focus();
  }
}

export function makeView(parts) {
  return new ChatView(parts);
}
