// What the machine does now: who is answered, who waits, which models are in memory. Asked every two seconds while it is seen.
import { get } from '../api.js';
import { h, replace } from '../dom.js';
import { bytes, number, seconds } from '../format.js';
import { errorText, t } from '../i18n.js';
import { errorNotice } from '../views/gate.js';
import { ordinal } from '../chat/message_view.js';
import { bar, card, emptyState, page, table } from '../ui/table.js';

function figure(label, value, unit, extra) {
  return h('section', { class: 'card' }, h('p', { class: 'muted small' }, label), h('p', { class: 'figure' }, value, unit ? h('span', { class: 'unit' }, ` ${unit}`) : null), extra);
}

function stateOf(request) {
  if (request.position > 0) {
    const place = t('queue.position', { n: request.position, ordinal: ordinal(request.position) });
    return request.eta_seconds > 0 ? t('queue.with_eta', { place, time: seconds(request.eta_seconds) }) : place;
  }
  return request.tokens_per_second > 0 ? t('chat.rate', { n: Math.round(request.tokens_per_second) }) : t(`load.state_${request.state}`);
}

function draw({ requests, models, totals, machine }) {
  const share = (used, total) => bar(t('quota.share', { percent: total > 0 ? Math.round((100 * used) / total) : 0 }), used, total);
  return [
    h('div', { class: 'cards' },
      figure(t('load.running'), number(totals.running)), figure(t('load.waiting'), number(totals.waiting)),
      figure(t('load.speed'), number(Math.round(totals.tokens_per_second)), t('load.tokens_per_second')),
      machine ? figure(t('load.cpu'), number(Math.round(machine.cpu_percent)), '%', share(machine.cpu_percent, 100)) : null,
      machine ? figure(t('load.memory'), bytes(machine.memory_used_bytes), `/ ${bytes(machine.memory_total_bytes)}`, share(machine.memory_used_bytes, machine.memory_total_bytes)) : null,
      (machine?.gpus ?? []).map((gpu) => figure(gpu.name, bytes(gpu.memory_used_bytes), `/ ${bytes(gpu.memory_total_bytes)}`, share(gpu.memory_used_bytes, gpu.memory_total_bytes)))),
    card(t('load.requests'), null, requests.length === 0 ? emptyState(t('load.none')) : table(t('load.requests'), [
      { label: t('team.user'), whole: true, cell: (request) => h('strong', null, request.user || t('strip.this_machine')) },
      { label: t('load.route'), cell: (request) => h('span', { class: 'mono' }, request.route) },
      { label: t('models.label'), cell: (request) => request.model || '—' },
      { label: t('load.state'), cell: stateOf },
      { label: t('load.tokens'), number: true, cell: (request) => `${number(request.prompt_tokens)} → ${number(request.generated_tokens)}` },
      { label: t('load.time'), number: true, cell: (request) => seconds(request.elapsed_seconds) },
    ], requests)),
    card(t('load.models'), null, models.length === 0 ? emptyState(t('strip.none_loaded')) : table(t('load.models'), [
      { label: t('models.label'), whole: true, cell: (model) => h('strong', null, model.id) },
      { label: t('load.state'), cell: (model) => [h('span', { class: model.state === 'ready' ? 'dot good' : 'dot warn' }), ' ', t(`load.model_${model.state}`)] },
      { label: t('load.memory'), number: true, cell: (model) => bytes(model.memory_bytes) },
      { label: t('load.running'), number: true, cell: (model) => number(model.running) },
      { label: t('load.waiting'), number: true, cell: (model) => number(model.waiting) },
    ], models)),
  ];
}

export function makeView() {
  const place = h('div', { class: 'stack' });
  let closed = false;
  let timer = 0;
  async function ask() {
    try {
      if (!document.hidden) {
        const answer = await get('/load');
        if (!closed) replace(place, draw(answer));
      }
    } catch (error) {
      if (!closed) replace(place, errorNotice(error.status === 404 ? t('error.not_offered') : errorText(error)));
    }
    if (!closed) timer = setTimeout(() => void ask(), 2000);
  }
  void ask();
  return { element: page(t('nav.load'), null, place), close: () => { closed = true; clearTimeout(timer); } };
}
