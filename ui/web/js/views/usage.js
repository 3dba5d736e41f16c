// What I used, and what is left of my quotas.
import { get } from '../api.js';
import { h } from '../dom.js';
import { compact, number, seconds } from '../format.js';
import { t } from '../i18n.js';
import { session } from '../session.js';
import { columns } from '../ui/chart.js';
import { Loader } from '../ui/loader.js';
import { bar, card, emptyState, page, table } from '../ui/table.js';

const DAYS = 30;

export function amount(metric, value) {
  return metric === 'compute' ? seconds(value) : compact(value);
}

export function quotaTable(quotas, more = []) {
  return table(t('quota.title'), [
    { label: t('quota.of'), cell: (quota) => [t(`quota.subject_${quota.subject}`), ' ', h('strong', null, quota.name)] },
    { label: t('quota.what'), cell: (quota) => t('quota.what_when', { what: t(`quota.metric_${quota.metric}`), when: t(`quota.period_${quota.period}`) }) },
    { label: t('quota.used'), cell: (quota) => [t('quota.used_of', { used: amount(quota.metric, quota.used), limit: amount(quota.metric, quota.limit) }),
      bar(t('quota.share', { percent: quota.limit > 0 ? Math.round((100 * quota.used) / quota.limit) : 100 }), quota.used, quota.limit)] },
    ...more,
  ], quotas);
}

/** Rows by day and model → one entry for each of the last days, also those without a row. */
export function byDay(rows, now = Date.now()) {
  const days = new Map();
  const start = new Date(now);
  start.setHours(0, 0, 0, 0);
  for (let back = DAYS - 1; back >= 0; back -= 1) {
    const day = new Date(start);
    day.setDate(day.getDate() - back);
    days.set(day.toDateString(), { label: `${day.getMonth() + 1}/${day.getDate()}`, a: 0, b: 0 });
  }
  for (const row of rows) {
    const day = days.get(new Date(row.start_ms).toDateString());
    if (!day) continue;
    day.a += row.generated_tokens;
    day.b += row.prompt_tokens;
  }
  return [...days.values()];
}

/** Adds the rows up by one of their fields, largest first. */
export function totals(rows, key) {
  const out = new Map();
  for (const row of rows) {
    const sum = out.get(row[key]) ?? { name: row[key], requests: 0, prompt_tokens: 0, generated_tokens: 0, compute_seconds: 0 };
    for (const field of ['requests', 'prompt_tokens', 'generated_tokens', 'compute_seconds']) sum[field] += row[field] ?? 0;
    out.set(row[key], sum);
  }
  return [...out.values()].sort((a, b) => b.prompt_tokens + b.generated_tokens - a.prompt_tokens - a.generated_tokens);
}

export function totalsTable(label, rows) {
  return table(label, [
    { label, whole: true, cell: (row) => h('strong', null, row.name || t('usage.erased')) },
    { label: t('usage.requests'), number: true, cell: (row) => number(row.requests) },
    { label: t('usage.read'), number: true, cell: (row) => compact(row.prompt_tokens) },
    { label: t('usage.written'), number: true, cell: (row) => compact(row.generated_tokens) },
    { label: t('usage.compute'), number: true, cell: (row) => seconds(row.compute_seconds) },
  ], rows);
}

export function usageCards(rows) {
  const all = totals(rows.map((row) => ({ ...row, all: 'all' })), 'all')[0] ?? { requests: 0, prompt_tokens: 0, generated_tokens: 0, compute_seconds: 0 };
  const figure = (label, value, unit) => h('section', { class: 'card' }, h('p', { class: 'muted small' }, label), h('p', { class: 'figure' }, value, unit ? h('span', { class: 'unit' }, ` ${unit}`) : null));
  return h('div', { class: 'cards' },
    figure(t('usage.requests'), number(all.requests)), figure(t('usage.written'), compact(all.generated_tokens), t('usage.tokens')),
    figure(t('usage.read'), compact(all.prompt_tokens), t('usage.tokens')), figure(t('usage.compute'), seconds(all.compute_seconds)));
}

export function makeView() {
  const loader = new Loader(() => get(`/account/usage?days=${DAYS}`), ({ usage, quotas }) => [
    usageCards(usage),
    card(t('usage.by_day'), null, usage.length ? columns(t('usage.by_day'), byDay(usage), t('usage.written'), t('usage.read'))
      : emptyState(t('usage.none'), h('a', { class: 'button', href: '#/chat' }, t('usage.to_chat')))),
    usage.length ? card(t('usage.by_model'), null, totalsTable(t('models.label'), totals(usage, 'model'))) : null,
    session.machine ? null : card(t('quota.title'), null, quotas.length ? quotaTable(quotas) : emptyState(t('quota.none_mine'))),
  ]);
  return { element: page(t('nav.usage'), h('span', { class: 'muted' }, t('usage.last_days', { n: DAYS })), loader.element) };
}
