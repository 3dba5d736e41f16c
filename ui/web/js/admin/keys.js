// Everybody's API keys.
import { get } from '../api.js';
import { t } from '../i18n.js';
import { Loader } from '../ui/loader.js';
import { card, emptyState } from '../ui/table.js';
import { keyTable } from '../views/keys.js';

export function makeTab() {
  const loader = new Loader(() => get('/keys?all=1'), ({ keys }) => card(t('keys.all'), null,
    keys.length ? keyTable(keys, () => void loader.refresh(), true) : emptyState(t('keys.none_all'))));
  return { element: loader.element, actions: null };
}
