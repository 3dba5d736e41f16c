// The account: password, sessions, what is kept about me, leaving; and how the page looks.
import { ApiError, download, get, post, remove } from '../api.js';
import { announce, field, h, replace } from '../dom.js';
import { dateTime } from '../format.js';
import { errorText, language, setLanguage, t } from '../i18n.js';
import { forget, session, signOut } from '../session.js';
import { setTheme, themeChoice } from '../theme.js';
import { confirmDialog, formDialog } from '../ui/dialog.js';
import { errorNotice } from './gate.js';
import { Loader } from '../ui/loader.js';
import { card, page, table } from '../ui/table.js';

function look() {
  const choice = h('select', { class: 'input', onchange: () => setTheme(choice.value) }, ['system', 'light', 'dark'].map((name) => h('option', { value: name }, t(`look.${name}`))));
  choice.value = themeChoice();
  const words = h('select', {
    class: 'input',
    onchange: () => {
      localStorage.setItem('hearth.language', words.value);
      setLanguage(words.value);
      dispatchEvent(new Event('hearth:language'));
    },
  }, h('option', { value: 'en', lang: 'en' }, 'English'), h('option', { value: 'zh', lang: 'zh-CN' }, '中文'));
  words.value = language();
  return card(t('look.title'), null, h('div', { class: 'form-grid' }, field(t('look.theme'), choice), field(t('look.language'), words)));
}

async function changePassword() {
  const old = h('input', { class: 'input', type: 'password', autocomplete: 'current-password', required: true });
  const fresh = h('input', { class: 'input', type: 'password', autocomplete: 'new-password', required: true, minlength: 10 });
  const again = h('input', { class: 'input', type: 'password', autocomplete: 'new-password', required: true });
  const done = await formDialog(t('account.change_password'), [
    field(t('account.old_password'), old), field(t('invite.password'), fresh, t('invite.password_hint')), field(t('invite.again'), again),
  ], {
    action: t('save'),
    work: async () => {
      if (fresh.value !== again.value) throw new ApiError('passwords_differ', '');
      await post('/account/password', { old_password: old.value, new_password: fresh.value });
    },
  });
  if (done) announce(t('account.password_changed'));
}

async function eraseAccount() {
  const password = h('input', { class: 'input', type: 'password', autocomplete: 'current-password', required: true });
  const done = await formDialog(t('account.erase'), [h('p', null, t('account.erase_sure')), field(t('signin.password'), password)], {
    action: t('account.erase'), danger: true, work: () => remove('/account', { password: password.value }).then(() => true),
  });
  if (done) {
    forget();
    location.hash = '#/';
  }
}

export function makeView() {
  if (session.machine) return { element: page(t('nav.account'), null, card(t('account.machine'), null, h('p', { class: 'lead' }, t('account.machine_help'))), look()) };
  const { user } = session;
  const problem = h('div');
  const tell = (error) => replace(problem, errorNotice(errorText(error)));
  const leave = () => signOut().then(() => { location.hash = '#/'; dispatchEvent(new Event('hearth:language')); }).catch(tell);
  const loader = new Loader(() => get('/account'), ({ sessions }) => card(t('account.sessions'),
    h('button', {
      class: 'button', type: 'button', disabled: sessions.length < 2,
      onclick: () => confirmDialog(t('account.end_others'), t('account.end_others_sure'), t('account.end_others'), () => remove('/account/sessions')).then((done) => { if (done) void loader.refresh(); }),
    }, t('account.end_others')),
    table(t('account.sessions'), [
      { label: t('account.from'), cell: (one) => [one.client, one.current ? [' ', h('span', { class: 'tag accent' }, t('account.this_one'))] : null] },
      { label: t('account.since'), cell: (one) => dateTime(one.created_ms) },
      { label: t('keys.used'), cell: (one) => dateTime(one.used_ms) },
    ], sessions)));
  return {
    element: page(t('nav.account'), h('button', { class: 'button', type: 'button', onclick: leave }, t('account.sign_out')), problem,
      card(user.name, h('span', { class: 'tag' }, t(`role.${user.role}`)),
        h('p', { class: 'lead' }, user.groups?.length ? t('account.groups', { groups: user.groups.join(', ') }) : t('account.no_groups')),
        h('div', { class: 'row spaced' }, h('button', { class: 'button', type: 'button', onclick: () => void changePassword() }, t('account.change_password')))),
      look(), loader.element,
      card(t('account.data'), null, h('p', { class: 'lead' }, t('account.data_help')),
        h('div', { class: 'row spaced' },
          h('button', { class: 'button', type: 'button', onclick: () => download('/account/export', `hearth-${user.name}.json`).catch(tell) }, t('account.export')),
          h('button', { class: 'button danger', type: 'button', onclick: () => void eraseAccount() }, t('account.erase'))))),
  };
}
