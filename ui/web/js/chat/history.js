// The list of conversations: newest first, with search, rename and delete.
import { h, field, replace } from '../dom.js';
import { age } from '../format.js';
import { errorText, t } from '../i18n.js';
import { icon } from '../icons.js';
import { confirmDialog, formDialog, showDialog } from '../ui/dialog.js';

/** actions: {start(), open(id), rename(id, title), erase(id)}. */
export class History {
  #actions;
  #backend;
  #list = h('div');
  #conversations = [];
  #current = null;
  #writing = new Set();
  #timer = 0;
  #asked = 0;

  constructor(backend, actions) {
    this.#backend = backend;
    this.#actions = actions;
    this.search = h('input', {
      class: 'input', type: 'search', placeholder: t('history.search'), 'aria-label': t('history.search'),
      oninput: () => { clearTimeout(this.#timer); this.#timer = setTimeout(() => void this.refresh(), 200); },
    });
    this.element = h('aside', { class: 'history', 'aria-label': t('history.label') },
      h('button', { class: 'button primary wide', type: 'button', onclick: () => actions.start() }, t('history.new')),
      backend.keeps ? this.search : null,
      h('nav', { 'aria-label': t('history.label') }, this.#list));
    this.#draw();
  }

  async refresh() {
    if (!this.#backend.keeps) return;
    this.#asked += 1;
    const mine = this.#asked;
    try {
      const found = await this.#backend.list(this.search.value.trim());
      if (mine !== this.#asked) return;  // an answer to an older question
      this.#conversations = found;
      this.#draw();
    } catch (error) {
      replace(this.#list, h('p', { class: 'empty' }, errorText(error)));
    }
  }

  mark(id, writing) {
    this.#current = id;
    this.#writing = writing;
    this.#draw();
  }

  #draw() {
    if (this.#conversations.length === 0) {
      replace(this.#list, h('p', { class: 'empty' }, t(!this.#backend.keeps ? 'history.not_kept' : this.search.value ? 'history.nothing_found' : 'history.empty')));
      return;
    }
    const groups = new Map();
    for (const conversation of this.#conversations) {
      const name = age(conversation.updated_ms);
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(conversation);
    }
    const scroll = this.#list.parentElement?.scrollTop ?? 0;
    replace(this.#list, [...groups].map(([name, members]) => [h('h2', null, t(`history.${name}`)), h('ul', null, members.map((one) => this.#row(one)))]));
    if (this.#list.parentElement) this.#list.parentElement.scrollTop = scroll;
  }

  #row(conversation) {
    const title = conversation.title || t('chat.untitled');
    const current = conversation.id === this.#current;
    return h('li', { 'data-current': current },
      this.#writing.has(conversation.id) ? h('span', { class: 'writing', role: 'img', 'aria-label': t('history.writing') }) : null,
      h('a', { href: `#/chat/${encodeURIComponent(conversation.id)}`, 'aria-current': current ? 'page' : null, title }, title),
      h('button', { class: 'quiet', type: 'button', 'aria-label': t('history.more', { title }), 'aria-haspopup': 'dialog', onclick: () => void this.#menu(conversation, title) }, icon('more')));
  }

  async #menu(conversation, title) {
    const choice = await showDialog(title, (close) => h('div', { class: 'stack' },
      h('button', { class: 'button wide', type: 'button', onclick: () => close('rename') }, t('history.rename')),
      h('button', { class: 'button wide danger', type: 'button', onclick: () => close('erase') }, t('history.delete')),
      h('button', { class: 'button wide', type: 'button', onclick: () => close() }, t('cancel'))));
    if (choice === 'rename') {
      const name = h('input', { class: 'input', value: conversation.title, maxlength: 200, required: true });
      await formDialog(t('history.rename'), field(t('history.title'), name), { action: t('save'), work: () => this.#actions.rename(conversation.id, name.value.trim()) });
    } else if (choice === 'erase') {
      await confirmDialog(t('history.delete'), t('history.delete_sure', { title }), t('history.delete'), () => this.#actions.erase(conversation.id));
    }
  }
}
