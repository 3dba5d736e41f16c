// Tables that become cards on a phone, and states without rows that say what comes next.
import { h } from '../dom.js';

/** columns: [{label, cell(row) → node or text, number?, whole?, actions?}]. */
export function table(label, columns, rows, { off } = {}) {
  return h('div', { class: 'table-scroll' }, h('table', { class: 'list stacked', 'aria-label': label },
    h('thead', null, h('tr', null, columns.map((column) => h('th', { scope: 'col', class: column.number ? 'number' : null },
      column.actions ? h('span', { class: 'unseen' }, column.label) : column.label)))),
    h('tbody', null, rows.map((row) => h('tr', { class: off?.(row) ? 'off' : null }, columns.map((column) => h('td', {
      class: [column.number && 'number', column.actions && 'actions', column.whole && 'whole'].filter(Boolean).join(' ') || null,
      'data-label': column.actions || column.whole ? null : column.label,
    }, column.cell(row))))))));
}

export function emptyState(text, ...actions) {
  return h('div', { class: 'empty-state' }, h('p', null, text), actions);
}

/** A share of a limit, as a bar that screen readers read as text. */
export function bar(label, used, limit) {
  const share = limit > 0 ? Math.min(1, used / limit) : 0;
  const inner = h('span');
  inner.style.width = `${(share * 100).toFixed(1)}%`;
  return h('span', { class: share >= 1 ? 'bar full' : 'bar', role: 'img', 'aria-label': label }, inner);
}

export function card(title, actions, ...content) {
  return h('section', { class: 'card' }, h('header', null, h('h2', null, title), actions), content);
}

export function page(title, actions, ...content) {
  return h('div', { class: 'page' }, h('header', null, h('h1', null, title), actions), content);
}
