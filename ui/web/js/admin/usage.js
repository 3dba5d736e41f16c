// What everybody used.
import { get } from '../api.js';
import { h } from '../dom.js';
import { t } from '../i18n.js';
import { Loader } from '../ui/loader.js';
import { card, emptyState } from '../ui/table.js';
import { totals, totalsTable, usageCards } from '../views/usage.js';

const DAYS = 30;

export function makeTab() {
  const loader = new Loader(() => get(`/usage?days=${DAYS}`), ({ usage }) => [
    h('p', { class: 'lead' }, t('usage.last_days', { n: DAYS })), usageCards(usage),
    usage.length === 0 ? card(t('usage.by_user'), null, emptyState(t('usage.none'))) : [
      card(t('usage.by_user'), null, totalsTable(t('team.user'), totals(usage, 'user'))),
      card(t('usage.by_model'), null, totalsTable(t('models.label'), totals(usage, 'model')))],
  ]);
  return { element: loader.element, actions: null };
}
