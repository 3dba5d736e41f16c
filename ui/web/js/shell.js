// The frame around every view: rail, status strip, skip link.
import { call } from './api.js';
import { freshId, h, replace } from './dom.js';
import { number } from './format.js';
import { t } from './i18n.js';
import { icon } from './icons.js';
import { go } from './router.js';
import { isAdmin, mayHaveKeys, session } from './session.js';

/** Views load when they are first asked for; each gives a function of the address's parts that makes {element, title, close?}. */
const VIEWS = {
  chat: () => import('./chat/view.js'),
  usage: () => import('./views/usage.js'),
  keys: () => import('./views/keys.js'),
  team: () => import('./admin/team.js'),
  load: () => import('./admin/load.js'),
  audit: () => import('./admin/audit.js'),
  account: () => import('./views/account.js'),
};

function entries() {
  const names = ['chat', 'usage'];
  if (mayHaveKeys()) names.push('keys');
  if (isAdmin()) names.push('team', 'load', 'audit');
  names.push('account');
  return names;
}

/** Owns the frame and the view in it. */
export class Shell {
  #view = null;
  #name = '';
  #links = new Map();
  #main;
  #strip;
  #timer = 0;

  constructor() {
    const id = freshId('view');
    this.#main = h('main', { class: 'view', id, tabindex: '-1' });
    this.#strip = h('div', { class: 'strip', 'aria-hidden': 'true' });
    const list = h('ul', null, entries().map((name) => {
      const link = h('a', { href: `#/${name}` }, icon(name), h('span', null, t(`nav.${name}`)));
      this.#links.set(name, link);
      return h('li', { class: name === 'account' ? 'last' : null }, name === 'account' ? h('div', { class: 'last' }, link) : link);
    }));
    this.element = h('div', { class: 'shell' },
      h('a', { class: 'skip button', href: `#${id}`, onclick: (event) => { event.preventDefault(); this.#main.focus(); } }, t('nav.skip')),
      h('nav', { class: 'rail', 'aria-label': t('nav.label') }, list), this.#main, this.#strip);
    this.#poll();
    this.#timer = setInterval(() => { if (!document.hidden) this.#poll(); }, 10_000);
  }

  close() {
    clearInterval(this.#timer);
    this.#view?.close?.();
    this.#view = null;
    this.#name = '';
  }

  async show([name = 'chat', ...rest]) {
    if (!entries().includes(name)) {
      go('chat');
      return;
    }
    for (const [key, link] of this.#links) {
      if (key === name) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    if (this.#view && this.#name === name && this.#view.show) {
      this.#view.show(rest);
    } else {
      this.#view?.close?.();
      this.#name = name;
      this.#view = null;
      const { makeView } = await VIEWS[name]();
      if (this.#name !== name) return;  // somebody went on meanwhile
      this.#view = makeView(rest);
      this.#main.tabIndex = this.#view.takesFocus ? -1 : 0;  // a page that scrolls must do so by keyboard
      const first = !this.#main.hasChildNodes();
      replace(this.#main, this.#view.element);
      if (!first && !this.#view.takesFocus) this.#main.focus();
    }
    document.title = `${this.#view.title ?? t(`nav.${name}`)} · Hearth`;
  }

  async #poll() {
    let health;
    let models;
    try {
      [health, models] = await Promise.all([call('GET', '/health'), call('GET', '/v1/models')]);
    } catch {
      replace(this.#strip, h('span', { class: 'dot bad' }), t('strip.offline'));
      return;
    }
    const loaded = models.data.filter((model) => model.hearth?.state === 'ready').map((model) => model.id);
    replace(this.#strip,
      h('span', { class: 'model' }, h('span', { class: loaded.length ? 'dot good' : 'dot' }),
        loaded.length ? h('strong', null, loaded.join(', ')) : t('strip.none_loaded')),
      h('span', null, t('strip.running', { n: number(health.requests_running) })),
      health.requests_waiting ? h('span', null, t('strip.waiting', { n: number(health.requests_waiting) })) : null,
      h('span', { class: 'end' }, session.machine ? t('strip.this_machine') : session.user.name));
  }
}
