// Limits of users, groups and keys.
import { get, put } from '../api.js';
import { field, h } from '../dom.js';
import { t } from '../i18n.js';
import { confirmDialog, formDialog } from '../ui/dialog.js';
import { Loader } from '../ui/loader.js';
import { card, emptyState } from '../ui/table.js';
import { quotaTable } from '../views/usage.js';

function choice(names, key) {
  return h('select', { class: 'input' }, names.map((name) => h('option', { value: name }, t(`${key}${name}`))));
}

async function edit(quota, answer, refresh) {
  const whom = h('select', { class: 'input', disabled: Boolean(quota) }, answer.subjects.map((one) => h('option', { value: `${one.subject}:${one.id}` }, `${t(`quota.subject_${one.subject}`)} ${one.name}`)));
  const metric = choice(['tokens', 'requests', 'compute'], 'quota.metric_');
  const period = choice(['month', 'minute'], 'quota.period_');
  const limit = h('input', { class: 'input', type: 'number', min: '0', step: '1', required: true, value: quota?.limit ?? '' });
  if (quota) {
    whom.value = `${quota.subject}:${quota.id}`;
    metric.value = quota.metric;
    period.value = quota.period;
    metric.disabled = true;
    period.disabled = true;
  }
  const done = await formDialog(t('quota.set'), [field(t('quota.of'), whom), h('div', { class: 'form-grid' }, field(t('quota.what'), metric), field(t('quota.per'), period)), field(t('quota.limit'), limit, t('quota.limit_hint'))], {
    action: t('save'), first: quota ? limit : whom,
    work: () => {
      const [subject, id] = whom.value.split(':');
      return put('/quotas', { subject, id: Number(id), metric: metric.value, period: period.value, limit: Number(limit.value) });
    },
  });
  if (done) refresh();
}

export function makeTab() {
  let answer = null;
  const refresh = () => void loader.refresh();
  const loader = new Loader(async () => {
    const [quotas, users, groups, keys] = await Promise.all([get('/quotas'), get('/users'), get('/groups'), get('/keys?all=1')]);
    const subjects = [
      ...users.users.map((user) => ({ subject: 'user', id: user.id, name: user.name })),
      ...groups.groups.map((group) => ({ subject: 'group', id: group.id, name: group.name })),
      ...keys.keys.filter((key) => !key.revoked_ms).map((key) => ({ subject: 'key', id: key.id, name: `${key.prefix}… ${key.label}` })),
    ];
    return { quotas: quotas.quotas, subjects };
  }, (found) => {
    answer = found;
    return card(t('quota.title'), null, h('p', { class: 'lead' }, t('quota.lead')), answer.quotas.length === 0 ? emptyState(t('quota.none')) : quotaTable(answer.quotas, [{
      label: t('actions'), actions: true,
      cell: (quota) => [
        h('button', { class: 'quiet', type: 'button', 'aria-label': t('quota.edit_of', { name: quota.name }), onclick: () => void edit(quota, answer, refresh) }, t('chat.edit')),
        h('button', {
          class: 'quiet danger', type: 'button', 'aria-label': t('quota.remove_of', { name: quota.name }),
          onclick: () => confirmDialog(t('quota.remove'), t('quota.remove_sure', { name: quota.name }), t('quota.remove'), () => put('/quotas', { subject: quota.subject, id: quota.id, metric: quota.metric, period: quota.period, limit: null })).then((done) => { if (done) refresh(); }),
        }, t('history.delete'))],
    }]));
  });
  return { element: loader.element, actions: h('button', { class: 'button primary', type: 'button', onclick: () => { if (answer?.subjects.length) void edit(null, answer, refresh); } }, t('quota.set')) };
}
