// Name and password.
import { field, h } from '../dom.js';
import { t } from '../i18n.js';
import { signIn } from '../session.js';
import { gate, gateForm } from './gate.js';

export function signInView(done) {
  document.title = `${t('signin.title')} · Hearth`;
  const name = h('input', { class: 'input', name: 'username', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', required: true });
  const password = h('input', { class: 'input', type: 'password', name: 'password', autocomplete: 'current-password', required: true });
  const view = gate(t('signin.title'), t('signin.lead'), gateForm(t('signin.button'), [
    field(t('signin.name'), name),
    field(t('signin.password'), password, t('signin.help')),
  ], async () => {
    try {
      await signIn(name.value, password.value);
    } catch (error) {
      password.value = '';
      password.focus();
      throw error;
    }
    await done();
  }));
  queueMicrotask(() => name.focus());
  return view;
}
