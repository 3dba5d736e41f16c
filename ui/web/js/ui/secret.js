// Something that is shown once: a key, an invitation link.
import { h } from '../dom.js';
import { t } from '../i18n.js';
import { copyText } from '../markdown/code.js';
import { showDialog } from './dialog.js';

export function secretRow(text) {
  const copy = h('button', { class: 'button', type: 'button', onclick: () => copyText(text, copy) }, t('copy'));
  return h('div', { class: 'secret' }, h('code', null, text), copy);
}

export function showSecret(title, explanation, text, ...more) {
  return showDialog(title, (close) => h('div', { class: 'stack' }, h('p', null, explanation), secretRow(text), more,
    h('div', { class: 'ends' }, h('button', { class: 'button primary', type: 'button', onclick: () => close(true) }, t('secret.done')))));
}
