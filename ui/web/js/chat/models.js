// Which model answers: those installed, the last choice remembered.
import { call } from '../api.js';
import { h, replace } from '../dom.js';
import { t } from '../i18n.js';

export class ModelChoice {
  #changed;
  models = [];

  constructor(changed) {
    this.#changed = changed;
    this.element = h('select', { class: 'input', 'aria-label': t('models.label'), onchange: () => { localStorage.setItem('hearth.model', this.value); changed(); } });
  }

  get value() {
    return this.element.value;
  }

  /** Takes a model that is there; others change nothing. */
  set value(id) {
    if (this.models.some((model) => model.id === id)) this.element.value = id;
    this.#changed();
  }

  async refresh() {
    this.models = (await call('GET', '/v1/models')).data;
    const before = this.element.value || localStorage.getItem('hearth.model');
    replace(this.element, this.models.map((model) => h('option', { value: model.id }, model.id)));
    this.element.disabled = this.models.length === 0;
    const ready = this.models.find((model) => model.hearth?.state === 'ready');
    this.element.value = this.models.some((model) => model.id === before) ? before : (ready ?? this.models[0])?.id ?? '';
    this.#changed();
  }
}
