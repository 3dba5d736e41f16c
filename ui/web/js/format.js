// Numbers, sizes and times as people read them.
import { language, t } from './i18n.js';

const locale = () => (language() === 'zh' ? 'zh-CN' : 'en');

export function number(value) {
  return new Intl.NumberFormat(locale()).format(value ?? 0);
}

/** 184k, 1.2M. */
export function compact(value) {
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(value ?? 0).replace('K', 'k');
}

export function bytes(value) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let amount = value ?? 0;
  let unit = 0;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${amount >= 100 || unit === 0 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`;
}

/** 4 s, 2 min 5 s, 3 h. */
export function seconds(value) {
  const whole = Math.max(0, value ?? 0);
  if (whole < 10) return t('time.seconds', { n: whole < 1 ? whole.toFixed(2) : Math.round(whole * 10) / 10 });
  if (whole < 90) return t('time.seconds', { n: Math.round(whole) });
  if (whole < 5400) return t('time.minutes', { n: Math.round(whole / 60) });
  return t('time.hours', { n: Math.round(whole / 360) / 10 });
}

export function date(ms) {
  if (!ms) return t('time.never');
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' }).format(new Date(ms));
}

export function dateTime(ms) {
  if (!ms) return t('time.never');
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(ms));
}

/** Under which heading a conversation stands. */
export function age(ms, now = Date.now()) {
  const start = new Date(now);
  start.setHours(0, 0, 0, 0);
  const days = (start.getTime() - ms) / 86_400_000;
  if (days <= 0) return 'today';
  if (days <= 1) return 'yesterday';
  if (days <= 7) return 'week';
  return 'older';
}
