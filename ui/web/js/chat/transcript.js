// The branch that is shown, drawn at most once a frame, and kept at its end while it grows unless somebody reads further up.
import { h, replace } from '../dom.js';
import { t } from '../i18n.js';
import { MessageView } from './message_view.js';

export class Transcript {
  #state = null;
  #actions;
  #views = new Map();
  #list = h('div', { class: 'transcript' });
  #frame = 0;
  #dirty = new Set();
  #atEnd = true;
  #off = new AbortController();

  constructor(actions) {
    this.#actions = actions;
    this.element = h('section', { class: 'scroller', tabindex: '0', 'aria-label': t('chat.transcript') }, this.#list);
    this.toEnd = h('button', { class: 'button to-end', type: 'button', hidden: true, onclick: () => this.scrollToEnd() }, t('chat.to_end'));
    this.element.addEventListener('scroll', () => {
      const rest = this.element.scrollHeight - this.element.scrollTop - this.element.clientHeight;
      this.#atEnd = rest < 40;
      this.toEnd.hidden = this.#atEnd;
    }, { passive: true });
  }

  /** Shows a conversation; `empty` is what stands there while it has no message. */
  open(state, empty) {
    this.#off.abort();
    this.#off = new AbortController();
    const { signal } = this.#off;
    this.#state = state;
    this.#views.clear();
    this.#dirty.clear();
    this.#atEnd = true;
    this.empty = empty;
    if (state) {
      state.addEventListener('change', () => this.#sync(), { signal });
      state.addEventListener('message', (event) => this.#mark(event.detail), { signal });
      state.addEventListener('queue', () => { if (state.answer) this.#mark(state.answer); }, { signal });
    }
    this.#sync();
    this.scrollToEnd();
  }

  close() {
    this.#off.abort();
    cancelAnimationFrame(this.#frame);
  }

  scrollToEnd() {
    this.#atEnd = true;
    this.toEnd.hidden = true;
    this.element.scrollTop = this.element.scrollHeight;
  }

  #sync() {
    const path = this.#state?.tree.path().filter((message) => message.role !== 'system') ?? [];
    if (path.length === 0) {
      replace(this.element, this.empty);
      this.#views.clear();
      return;
    }
    if (this.#list.parentNode !== this.element) replace(this.element, this.#list);
    const wanted = new Map();
    for (const message of path) {
      let view = this.#views.get(message.id);
      if (view) view.update();
      else view = new MessageView(message, this.#state, this.#actions);
      wanted.set(message.id, view);
    }
    for (const [id, view] of this.#views) if (!wanted.has(id)) view.element.remove();
    let before = null;
    for (const view of wanted.values()) {
      const place = before ? before.nextSibling : this.#list.firstChild;
      if (place !== view.element) this.#list.insertBefore(view.element, place);
      before = view.element;
    }
    this.#views = wanted;
    this.#keepEnd();
  }

  #mark(message) {
    this.#dirty.add(message.id);
    if (this.#frame) return;
    const draw = () => {
      this.#frame = 0;
      for (const id of this.#dirty) this.#views.get(id)?.update();
      this.#dirty.clear();
      this.#keepEnd();
    };
    // A hidden page gets no frames; its text must be there all the same when somebody looks again.
    this.#frame = document.hidden ? setTimeout(draw, 500) : requestAnimationFrame(draw);
  }

  #keepEnd() {
    if (this.#atEnd) this.element.scrollTop = this.element.scrollHeight;
  }
}
