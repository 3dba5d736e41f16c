// Content that comes from the server: a sign of work, then the thing or what went wrong with a way to try again.
import { h, replace } from '../dom.js';
import { errorText, t } from '../i18n.js';
import { errorNotice } from '../views/gate.js';

/** Owns a place on a page. `load` asks the server, `draw` makes elements of the answer. */
export class Loader {
  #load;
  #draw;
  #asked = 0;

  constructor(load, draw) {
    this.#load = load;
    this.#draw = draw;
    this.element = h('div', { class: 'stack' });
    const late = setTimeout(() => {
      if (!this.element.hasChildNodes()) replace(this.element, h('div', { class: 'row muted', role: 'status' }, h('span', { class: 'spinner' }), t('wait')));
    }, 300);
    void this.refresh().finally(() => clearTimeout(late));
  }

  async refresh() {
    this.#asked += 1;
    const mine = this.#asked;
    try {
      const answer = await this.#load();
      if (mine === this.#asked) replace(this.element, this.#draw(answer));
    } catch (error) {
      if (mine === this.#asked) this.fail(error);
    }
  }

  /** Says what went wrong, in the place of the content. */
  fail(error) {
    replace(this.element, errorNotice(error.status === 404 ? t('error.not_offered') : errorText(error)),
      h('div', null, h('button', { class: 'button', type: 'button', onclick: () => void this.refresh() }, t('failure.retry'))));
  }
}
