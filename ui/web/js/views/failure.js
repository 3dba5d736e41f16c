// The page cannot begin: says why, and what can be done.
import { h } from '../dom.js';

export function failureView(message, action, retry) {
  return h('div', { class: 'gate' }, h('main', null,
    h('div', { class: 'card' }, h('h1', null, 'Hearth'), h('p', { class: 'lead', role: 'alert' }, message),
      h('button', { class: 'button primary wide', type: 'button', onclick: retry }, action))));
}
