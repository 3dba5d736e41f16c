// The team: people, groups, keys, quotas, usage; one tab each, the address says which.
import { h, replace } from '../dom.js';
import { t } from '../i18n.js';
import { page } from '../ui/table.js';

const TABS = {
  people: () => import('./people.js'),
  groups: () => import('./groups.js'),
  keys: () => import('./keys.js'),
  quotas: () => import('./quotas.js'),
  usage: () => import('./usage.js'),
};

export function makeView(parts) {
  const place = h('div', { class: 'stack' });
  const actions = h('div', { class: 'row' });
  const links = new Map(Object.keys(TABS).map((name) => [name, h('a', { href: `#/team/${name}` }, t(`team.${name}`))]));
  let shown = '';
  async function show([name = 'people']) {
    if (!TABS[name]) name = 'people';
    shown = name;
    for (const [key, link] of links) {
      if (key === name) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    const { makeTab } = await TABS[name]();
    if (shown !== name) return;
    const tab = makeTab();
    replace(actions, tab.actions);
    replace(place, tab.element);
  }
  void show(parts);
  return { element: page(t('nav.team'), actions, h('nav', { class: 'tabs', 'aria-label': t('nav.team') }, [...links.values()]), place), show };
}
