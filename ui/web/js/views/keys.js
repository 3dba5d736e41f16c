// API keys: one's own, and (for administrators, from the team page) everybody's.
import { get, post, remove } from '../api.js';
import { field, h } from '../dom.js';
import { date, dateTime } from '../format.js';
import { t } from '../i18n.js';
import { confirmDialog, formDialog } from '../ui/dialog.js';
import { Loader } from '../ui/loader.js';
import { secretRow, showSecret } from '../ui/secret.js';
import { card, emptyState, page, table } from '../ui/table.js';

const DAY = 86_400;

function state(key) {
  if (key.revoked_ms) return h('span', { class: 'tag' }, t('keys.revoked'));
  if (key.expires_ms && key.expires_ms < Date.now()) return h('span', { class: 'tag' }, t('keys.expired'));
  return key.expires_ms ? date(key.expires_ms) : t('keys.no_expiry');
}

const dead = (key) => Boolean(key.revoked_ms) || (key.expires_ms > 0 && key.expires_ms < Date.now());

function show(made) {
  return showSecret(t('keys.made'), t('keys.once'), made.secret,
    h('p', { class: 'small muted' }, t('keys.use')),
    secretRow(`curl ${location.origin}/v1/models -H "Authorization: Bearer ${made.secret}"`));
}

export async function createKey(refresh, user) {
  const label = h('input', { class: 'input', required: true, maxlength: 100, autocomplete: 'off' });
  const lifetime = h('select', { class: 'input' }, [[30, 'keys.days_30'], [90, 'keys.days_90'], [365, 'keys.days_365'], [0, 'keys.no_expiry']].map(([days, key]) => h('option', { value: days }, t(key))));
  lifetime.value = '90';
  const made = await formDialog(t('keys.create'), [field(t('keys.label'), label, t('keys.label_hint')), field(t('keys.lifetime'), lifetime)], {
    action: t('keys.create'),
    work: () => post('/keys', { label: label.value.trim(), lifetime_seconds: Number(lifetime.value) * DAY, ...(user ? { user_id: user.id } : {}) }),
  });
  if (!made) return;
  await show(made);
  refresh();
}

export function keyTable(keys, refresh, withUser) {
  return table(t('nav.keys'), [
    { label: t('keys.label'), whole: true, cell: (key) => [h('strong', null, key.label || '—'), h('div', { class: 'mono small muted' }, `${key.prefix}…`)] },
    ...(withUser ? [{ label: t('team.user'), cell: (key) => key.user }] : []),
    { label: t('keys.created'), cell: (key) => date(key.created_ms) },
    { label: t('keys.used'), cell: (key) => dateTime(key.used_ms) },
    { label: t('keys.expires'), cell: state },
    {
      label: t('actions'), actions: true,
      cell: (key) => (dead(key) ? null : [
        h('button', {
          class: 'quiet', type: 'button', 'aria-label': t('keys.rotate_of', { name: key.label }),
          onclick: () => formDialog(t('keys.rotate'), h('p', null, t('keys.rotate_help')), {
            action: t('keys.rotate'), work: () => post(`/keys/${key.id}/rotate`, { overlap_seconds: DAY }),
          }).then(async (made) => { if (made) { await show(made); refresh(); } }),
        }, t('keys.rotate')),
        h('button', {
          class: 'quiet danger', type: 'button', 'aria-label': t('keys.revoke_of', { name: key.label }),
          onclick: () => confirmDialog(t('keys.revoke'), t('keys.revoke_sure', { name: key.label || key.prefix }), t('keys.revoke'), () => remove(`/keys/${key.id}`)).then((done) => { if (done) refresh(); }),
        }, t('keys.revoke'))]),
    },
  ], keys, { off: dead });
}

export function makeView() {
  const refresh = () => void loader.refresh();
  const create = () => h('button', { class: 'button primary', type: 'button', onclick: () => void createKey(refresh) }, t('keys.create'));
  const loader = new Loader(() => get('/keys'), ({ keys }) => card(t('keys.yours'), null,
    keys.length ? keyTable(keys, refresh, false) : emptyState(t('keys.none'))));
  return { element: page(t('nav.keys'), create(), h('p', { class: 'lead' }, t('keys.lead', { address: `${location.origin}/v1` })), loader.element) };
}
