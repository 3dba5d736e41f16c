// Dialogs: the browser's own element, so that focus, Escape and screen readers behave.
import { freshId, h, replace } from '../dom.js';
import { errorText, t } from '../i18n.js';
import { icon } from '../icons.js';

/** Shows `content` under a title; resolves with what close(value) gets, undefined when dismissed. */
export function showDialog(title, build) {
  return new Promise((resolve) => {
    const id = freshId('dialog');
    const before = document.activeElement;
    let value;
    const leave = () => dialog.close();  // whoever goes to another view leaves this behind
    addEventListener('hashchange', leave, { once: true });
    const dialog = h('dialog', {
      'aria-labelledby': id,
      onclose: () => {
        removeEventListener('hashchange', leave);
        dialog.remove();
        before?.focus?.();
        resolve(value);
      },
    });
    const close = (result) => { value = result; dialog.close(); };
    replace(dialog, h('div', { class: 'inside' }, h('h2', { id }, title), build(close)));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A form in a dialog. `work` runs on submit; the dialog closes with what it returns, and stays open with what it throws. */
export function formDialog(title, fields, { action, work, danger = false, first }) {
  return showDialog(title, (close) => {
    const problem = h('div');
    const button = h('button', { class: danger ? 'button danger' : 'button primary', type: 'submit' }, action);
    const form = h('form', {
      class: 'stack',
      onsubmit: async (event) => {
        event.preventDefault();
        button.disabled = true;
        try {
          close(await work() ?? true);
        } catch (error) {
          replace(problem, h('div', { class: 'notice error', role: 'alert' }, icon('alert'), h('span', null, errorText(error))));
          button.disabled = false;
        }
      },
    }, fields, problem, h('div', { class: 'ends' }, h('button', { class: 'button', type: 'button', onclick: () => close() }, t('cancel')), button));
    queueMicrotask(() => (first ?? form.querySelector('input, select, textarea, button'))?.focus());
    return form;
  });
}

/** Asks before something is done; resolves with true when it was done. */
export function confirmDialog(title, text, action, work) {
  return formDialog(title, h('p', null, text), { action, work: async () => { await work(); return true; }, danger: true });
}
