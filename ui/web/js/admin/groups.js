// Groups: who is in them, and which models they may use.
import { call, get, patch, post, remove } from '../api.js';
import { field, h } from '../dom.js';
import { t } from '../i18n.js';
import { confirmDialog, formDialog } from '../ui/dialog.js';
import { Loader } from '../ui/loader.js';
import { card, emptyState, table } from '../ui/table.js';

function boxes(legend, names, has) {
  const list = [...new Set([...names, ...has])].map((name) => ({ name, box: h('input', { type: 'checkbox', checked: has.includes(name) }) }));
  return {
    element: h('fieldset', { class: 'plain' }, h('legend', { class: 'small muted' }, legend), list.length ? list.map(({ name, box }) => h('label', { class: 'check' }, box, name)) : '—'),
    chosen: () => list.filter(({ box }) => box.checked).map(({ name }) => name),
  };
}

async function edit(group, answer, refresh) {
  const name = h('input', { class: 'input', required: true, maxlength: 64, value: group?.name ?? '', disabled: Boolean(group) });
  const members = boxes(t('groups.members'), answer.users, group?.members ?? []);
  const models = boxes(t('groups.models'), answer.models, group?.models ?? []);
  const done = await formDialog(group ? group.name : t('groups.create'), [field(t('groups.name'), name), members.element, models.element, h('p', { class: 'small muted' }, t('groups.models_help'))], {
    action: t('save'),
    work: () => {
      const body = { members: members.chosen(), models: models.chosen() };
      return group ? patch(`/groups/${encodeURIComponent(group.name)}`, body) : post('/groups', { name: name.value.trim(), ...body });
    },
  });
  if (done) refresh();
}

export function makeTab() {
  let answer = null;
  const refresh = () => void loader.refresh();
  const loader = new Loader(async () => {
    const [groups, users, models] = await Promise.all([get('/groups'), get('/users'), call('GET', '/v1/models')]);
    return { groups: groups.groups, users: users.users.map((user) => user.name), models: models.data.map((model) => model.id) };
  }, (found) => {
    answer = found;
    return card(t('team.groups'), null, answer.groups.length === 0 ? emptyState(t('groups.none')) : table(t('team.groups'), [
      { label: t('groups.name'), whole: true, cell: (group) => h('strong', null, group.name) },
      { label: t('groups.members'), cell: (group) => group.members.join(', ') || '—' },
      { label: t('groups.models'), cell: (group) => group.models.join(', ') || t('groups.all_models') },
      {
        label: t('actions'), actions: true,
        cell: (group) => [
          h('button', { class: 'quiet', type: 'button', 'aria-label': t('groups.edit_of', { name: group.name }), onclick: () => void edit(group, answer, refresh) }, t('chat.edit')),
          h('button', {
            class: 'quiet danger', type: 'button', 'aria-label': t('groups.remove_of', { name: group.name }),
            onclick: () => confirmDialog(t('history.delete'), t('groups.remove_sure', { name: group.name }), t('history.delete'), () => remove(`/groups/${encodeURIComponent(group.name)}`)).then((done) => { if (done) refresh(); }),
          }, t('history.delete'))],
      },
    ], answer.groups));
  });
  return { element: loader.element, actions: h('button', { class: 'button primary', type: 'button', onclick: () => { if (answer) void edit(null, answer, refresh); } }, t('groups.create')) };
}
