// Who changed what: the log, whether its chain holds, and a copy to keep elsewhere.
import { download, get } from '../api.js';
import { h, replace } from '../dom.js';
import { dateTime, number } from '../format.js';
import { errorText, t } from '../i18n.js';
import { icon } from '../icons.js';
import { Loader } from '../ui/loader.js';
import { card, emptyState, page, table } from '../ui/table.js';
import { errorNotice } from '../views/gate.js';

const PAGE = 50;

function details(text) {
  try {
    return Object.entries(JSON.parse(text)).map(([key, value]) => `${key}: ${typeof value === 'object' ? JSON.stringify(value) : value}`).join(' · ');
  } catch {
    return text;
  }
}

function verdictOf(result) {
  return result.broken_at
    ? h('div', { class: 'notice error', role: 'alert' }, icon('alert'), h('span', null, t('audit.broken', { seq: result.broken_at, problem: result.problem })))
    : h('div', { class: 'notice' }, h('span', { class: 'dot good' }), h('div', null, t('audit.holds', { n: number(result.rows) }), h('div', { class: 'mono small muted' }, t('audit.head', { head: result.head }))));
}

function entryTable(entries) {
  return table(t('audit.entries'), [
    { label: t('audit.when'), cell: (entry) => h('span', { class: 'nowrap' }, dateTime(entry.time_ms)) },
    { label: t('audit.who'), cell: (entry) => [h('strong', null, entry.actor), h('div', { class: 'small muted' }, entry.client)] },
    { label: t('audit.what'), whole: true, cell: (entry) => [h('span', { class: 'mono' }, entry.action), entry.subject ? ` ${entry.subject}` : null, entry.details ? h('div', { class: 'small muted' }, details(entry.details)) : null] },
    { label: '#', number: true, cell: (entry) => number(entry.seq) },
  ], entries);
}

export function makeView() {
  const verdict = h('div', { role: 'status' });
  let last = null;  // the newest entry's number, known once the chain was followed
  let top = null;   // that of the first one shown
  const show = (number_) => { top = number_; void loader.refresh(); };
  const loader = new Loader(async () => {
    if (last === null) {
      const result = await get('/audit/verify');
      replace(verdict, verdictOf(result));
      last = result.rows;
      top = last;
    }
    const { entries } = await get(`/audit?after=${Math.max(0, top - PAGE)}&limit=${PAGE}`);
    return entries.filter((entry) => entry.seq <= top).sort((a, b) => b.seq - a.seq);
  }, (entries) => card(t('audit.entries'), null, entries.length === 0 ? emptyState(t('audit.none')) : entryTable(entries),
    h('div', { class: 'row spaced' },
      top >= last ? null : h('button', { class: 'button', type: 'button', onclick: () => show(last) }, t('audit.newest')),
      top <= PAGE ? null : h('button', { class: 'button', type: 'button', onclick: () => show(top - PAGE) }, t('audit.earlier')))));
  const verify = h('button', { class: 'button', type: 'button', onclick: () => { last = null; void loader.refresh(); } }, t('audit.verify'));
  const save = h('button', {
    class: 'button', type: 'button',
    onclick: async () => {
      try {
        await download('/audit/export', 'hearth-audit.jsonl');
      } catch (error) {
        replace(verdict, errorNotice(errorText(error)));
      }
    },
  }, t('audit.export'));
  return { element: page(t('nav.audit'), [verify, save], h('p', { class: 'lead' }, t('audit.lead')), verdict, loader.element) };
}
