// What signing in and accepting an invitation have in common: one card, one form, errors where they happen.
import { h, replace } from '../dom.js';
import { errorText, language, setLanguage, t } from '../i18n.js';
import { icon } from '../icons.js';

export function errorNotice(text) {
  return h('div', { class: 'notice error', role: 'alert' }, icon('alert'), h('span', null, text));
}

/** Runs `work` on submit; while it runs the button waits, and what it throws stands above it. */
export function gateForm(label, fields, work) {
  const problem = h('div');
  const button = h('button', { class: 'button primary wide', type: 'submit' }, label);
  return h('form', {
    onsubmit: async (event) => {
      event.preventDefault();
      button.disabled = true;
      replace(problem);
      try {
        await work();
      } catch (error) {
        replace(problem, errorNotice(errorText(error)));
        button.disabled = false;
      }
    },
  }, fields, problem, button);
}

export function languageSwitch() {
  const next = language() === 'zh' ? 'en' : 'zh';
  return h('button', {
    class: 'quiet', type: 'button', lang: next === 'zh' ? 'zh-CN' : 'en',
    onclick: () => {
      localStorage.setItem('hearth.language', next);
      setLanguage(next);
      dispatchEvent(new Event('hearth:language'));
    },
  }, next === 'zh' ? '中文' : 'English');
}

const mark = () => h('img', { class: 'mark', src: new URL('../../hearth.svg', import.meta.url).pathname, alt: '' });

export function gate(title, lead, content) {
  return h('div', { class: 'gate' }, h('main', null,
    h('div', { class: 'card' }, mark(), h('h1', null, title), h('p', { class: 'lead' }, lead), content),
    h('div', { class: 'below' }, languageSwitch())));
}
