// The page's words. Keys stand in i18n/en.js and zh.js; a test holds them equal.
import en from '../i18n/en.js';
import zh from '../i18n/zh.js';

const LANGUAGES = { en, zh };
let current = 'en';

export function language() {
  return current;
}

/** 'zh' for any Chinese, else English. */
export function preferredLanguage(saved, wanted) {
  if (saved && LANGUAGES[saved]) return saved;
  return (wanted ?? []).some((tag) => /^zh\b/i.test(tag)) && !/^en\b/i.test(wanted[0]) ? 'zh' : 'en';
}

export function setLanguage(name) {
  current = LANGUAGES[name] ? name : 'en';
  if (typeof document !== 'undefined') document.documentElement.lang = current === 'zh' ? 'zh-CN' : 'en';
}

/** The text of a key with its {places} filled. A key with a `.one` beside it takes that for count = 1. */
export function t(key, values) {
  const words = LANGUAGES[current];
  const singular = values?.count === 1 ? words[`${key}.one`] : undefined;
  const text = singular ?? words[key] ?? en[key] ?? key;
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (values[name] === undefined ? whole : String(values[name])));
}

/** What went wrong, in the reader's language where the code (and the field) is known, else in the server's words. */
export function errorText(error) {
  const words = LANGUAGES[current];
  for (const key of [`error.${error?.code}.${error?.param}`, `error.${error?.code}`]) {
    if (words[key]) return t(key, { seconds: error.retryAfter ?? 0 });
  }
  return error?.message || t('error.unknown');
}
