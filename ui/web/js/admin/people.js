// Who is in the team; invitations; what an administrator can do with an account.
import { get, patch, post, remove } from '../api.js';
import { field, h } from '../dom.js';
import { date, dateTime } from '../format.js';
import { t } from '../i18n.js';
import { session } from '../session.js';
import { confirmDialog, formDialog, showDialog } from '../ui/dialog.js';
import { Loader } from '../ui/loader.js';
import { qrImage } from '../ui/qr.js';
import { showSecret } from '../ui/secret.js';
import { card, emptyState, table } from '../ui/table.js';

const HOUR = 3600;
const ROLES = ['guest', 'member', 'admin'];

export function inviteLink(token) {
  return `${location.origin}/ui/#/invite/${encodeURIComponent(token)}`;
}

function roleChoice(value) {
  const choice = h('select', { class: 'input' }, ROLES.map((role) => h('option', { value: role }, t(`role.${role}`))));
  choice.value = value;
  return choice;
}

/** Boxes for the groups there are; `chosen()` gives the names. */
function groupChoice(groups, has) {
  const boxes = groups.map((group) => ({ name: group.name, box: h('input', { type: 'checkbox', checked: has.includes(group.name) }) }));
  const element = boxes.length === 0 ? null : h('fieldset', { class: 'plain' }, h('legend', { class: 'small muted' }, t('team.groups')),
    boxes.map(({ name, box }) => h('label', { class: 'check' }, box, name)));
  return { element, chosen: () => boxes.filter(({ box }) => box.checked).map(({ name }) => name) };
}

function showInvitation(made, name) {
  const link = inviteLink(made.token);
  return showSecret(name ? t('people.link_for', { name }) : t('people.link'), t('people.link_help', { when: dateTime(made.expires_ms) }), link, qrImage(link, t('people.qr')));
}

async function invite(groups, refresh) {
  const role = roleChoice('member');
  const hours = h('select', { class: 'input' }, [[24, 'people.day'], [72, 'people.days_3'], [168, 'people.week']].map(([n, key]) => h('option', { value: n }, t(key))));
  hours.value = '72';
  const chosen = groupChoice(groups, []);
  const made = await formDialog(t('people.invite'), [
    h('div', { class: 'form-grid' }, field(t('people.role'), role), field(t('people.good_for'), hours)), chosen.element, h('p', { class: 'small muted' }, t('people.roles_help')),
  ], { action: t('people.make_link'), work: () => post('/invitations', { role: role.value, groups: chosen.chosen(), lifetime_seconds: Number(hours.value) * HOUR }) });
  if (!made) return;
  await showInvitation(made, '');
  refresh();
}

async function manage(user, groups, refresh) {
  const role = roleChoice(user.role);
  const chosen = groupChoice(groups, user.groups);
  const mine = user.id === session.user.id;
  const next = await showDialog(user.name, (close) => {
    const save = h('button', { class: 'button primary', type: 'submit' }, t('save'));
    return h('form', {
      class: 'stack',
      onsubmit: (event) => { event.preventDefault(); close({ do: 'save' }); },
    }, field(t('people.role'), role), chosen.element,
    h('div', { class: 'row' },
      h('button', { class: 'button', type: 'button', onclick: () => close({ do: 'reset' }) }, t('people.reset')),
      h('button', { class: 'button', type: 'button', disabled: mine, onclick: () => close({ do: 'toggle' }) }, t(user.disabled ? 'people.enable' : 'people.disable')),
      h('button', { class: 'button danger', type: 'button', disabled: mine, onclick: () => close({ do: 'remove' }) }, t('people.remove'))),
    h('div', { class: 'ends' }, h('button', { class: 'button', type: 'button', onclick: () => close() }, t('cancel')), save));
  });
  if (!next) return;
  const path = `/users/${user.id}`;
  if (next.do === 'save') {
    const changes = {};
    if (role.value !== user.role) changes.role = role.value;
    if (chosen.chosen().join('\n') !== user.groups.join('\n')) changes.groups = chosen.chosen();
    if (Object.keys(changes).length) await patch(path, changes);
  } else if (next.do === 'reset') {
    const made = await post(`${path}/invitation`);
    await showInvitation(made, user.name);
  } else if (next.do === 'toggle') {
    if (user.disabled) await patch(path, { disabled: false });
    else await confirmDialog(t('people.disable'), t('people.disable_sure', { name: user.name }), t('people.disable'), () => patch(path, { disabled: true }));
  } else {
    await confirmDialog(t('people.remove'), t('people.remove_sure', { name: user.name }), t('people.remove'), () => remove(path));
  }
  refresh();
}

function people(users, groups, failed, refresh) {
  return table(t('team.people'), [
    { label: t('signin.name'), whole: true, cell: (user) => [h('strong', null, user.name), user.disabled ? [' ', h('span', { class: 'tag' }, t('people.disabled'))] : null,
      !user.has_password ? [' ', h('span', { class: 'tag' }, t('people.no_password'))] : null] },
    { label: t('people.role'), cell: (user) => t(`role.${user.role}`) },
    { label: t('team.groups'), cell: (user) => user.groups.join(', ') || '—' },
    { label: t('nav.keys'), number: true, cell: (user) => user.keys },
    { label: t('people.last_seen'), cell: (user) => dateTime(user.last_login_ms) },
    { label: t('actions'), actions: true, cell: (user) => h('button', { class: 'quiet', type: 'button', 'aria-label': t('people.manage_of', { name: user.name }), onclick: () => manage(user, groups, refresh).catch(failed) }, t('people.manage')) },
  ], users, { off: (user) => user.disabled });
}

function pending(invitations, failed, refresh) {
  return card(t('people.pending'), null, table(t('people.pending'), [
    { label: t('people.for'), whole: true, cell: (one) => (one.user ? h('strong', null, one.user) : t('people.new_member')) },
    { label: t('people.role'), cell: (one) => t(`role.${one.role}`) },
    { label: t('team.groups'), cell: (one) => one.groups.join(', ') || '—' },
    { label: t('keys.expires'), cell: (one) => date(one.expires_ms) },
    { label: t('actions'), actions: true, cell: (one) => h('button', { class: 'quiet danger', type: 'button', onclick: () => remove(`/invitations/${one.id}`).then(refresh).catch(failed) }, t('people.withdraw')) },
  ], invitations));
}

export function makeTab() {
  let groups = [];
  const refresh = () => void loader.refresh();
  const failed = (error) => loader.fail(error);
  const loader = new Loader(async () => {
    const [users, found, invitations] = await Promise.all([get('/users'), get('/groups'), get('/invitations')]);
    return { users: users.users, groups: found.groups, invitations: invitations.invitations };
  }, (answer) => {
    groups = answer.groups;
    return [
      card(t('team.people'), null, answer.users.length ? people(answer.users, groups, failed, refresh) : emptyState(t('people.none'))),
      answer.invitations.length ? pending(answer.invitations, failed, refresh) : null,
    ];
  });
  return { element: loader.element, actions: h('button', { class: 'button primary', type: 'button', onclick: () => void invite(groups, refresh) }, t('people.invite')) };
}
