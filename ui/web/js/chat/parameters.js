// How answers are made: instructions of the conversation, temperature, length. Empty = the server's way.
import { field, h } from '../dom.js';
import { t } from '../i18n.js';
import { formDialog } from '../ui/dialog.js';

const KEY = 'hearth.options';

/** {temperature?, max_tokens?}: of this browser. */
export function savedOptions() {
  try {
    const saved = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    const out = {};
    if (Number.isFinite(saved.temperature)) out.temperature = Math.min(2, Math.max(0, saved.temperature));
    if (Number.isInteger(saved.max_tokens) && saved.max_tokens > 0) out.max_tokens = saved.max_tokens;
    return out;
  } catch {
    return {};
  }
}

/** Asks; `saveInstructions(text)` keeps what belongs to the conversation. */
export function askParameters(instructions, saveInstructions) {
  const options = savedOptions();
  const system = h('textarea', { class: 'input', rows: '5', value: instructions, maxlength: 100_000 });
  const temperature = h('input', { class: 'input', type: 'number', min: '0', max: '2', step: '0.05', value: options.temperature ?? '', placeholder: t('parameters.default') });
  const longest = h('input', { class: 'input', type: 'number', min: '1', step: '1', value: options.max_tokens ?? '', placeholder: t('parameters.default') });
  return formDialog(t('parameters.title'), [
    field(t('parameters.system'), system, t('parameters.system_hint')),
    h('div', { class: 'form-grid' }, field(t('parameters.temperature'), temperature, t('parameters.temperature_hint')), field(t('parameters.max_tokens'), longest, t('parameters.max_tokens_hint'))),
  ], {
    action: t('save'),
    work: async () => {
      const wanted = {};
      if (temperature.value !== '') wanted.temperature = Number(temperature.value);
      if (longest.value !== '') wanted.max_tokens = Number(longest.value);
      localStorage.setItem(KEY, JSON.stringify(wanted));
      if (system.value !== instructions) await saveInstructions(system.value);
    },
  });
}
