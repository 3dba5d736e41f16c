// A column chart with two stacked series; its numbers are also said in words.
import { h, svg } from '../dom.js';
import { compact } from '../format.js';

/** days: [{label, a, b}]; names of the series. */
export function columns(label, days, nameA, nameB) {
  const width = innerWidth < 720 ? 340 : 1060;  // the text keeps its size
  const height = 160;
  const left = 4;
  const right = 44;
  const floor = height - 18;
  const most = Math.max(1, ...days.map((day) => day.a + day.b));
  const step = (width - left - right) / Math.max(1, days.length);
  const bars = days.flatMap((day, index) => {
    const x = left + index * step + step * 0.15;
    const tallA = ((floor - 8) * day.a) / most;
    const tallB = ((floor - 8) * day.b) / most;
    const tip = `${day.label}: ${nameA} ${compact(day.a)}, ${nameB} ${compact(day.b)}`;
    return [
      svg('rect', { class: 'bar-a', x, width: step * 0.7, y: floor - tallA, height: tallA, rx: 1 }, svg('title', null, tip)),
      svg('rect', { class: 'bar-b', x, width: step * 0.7, y: floor - tallA - tallB, height: tallB, rx: 1 }, svg('title', null, tip)),
    ];
  });
  const line = (y, words) => [svg('line', { class: 'grid', x1: left, x2: width - right, y1: y, y2: y }), svg('text', { x: width - right + 6, y: y + 4 }, words)];
  const total = (key) => compact(days.reduce((sum, day) => sum + day[key], 0));
  return h('figure', null,
    svg('svg', { class: 'chart', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${label}: ${nameA} ${total('a')}, ${nameB} ${total('b')}` },
      line(8, compact(most)), line(floor, '0'), bars,
      days.length ? [svg('text', { x: left, y: height - 3 }, days[0].label), svg('text', { x: width - right, y: height - 3, 'text-anchor': 'end' }, days[days.length - 1].label)] : null),
    h('figcaption', { class: 'legend' }, h('span', null, h('span', { class: 'key a' }), nameA), h('span', null, h('span', { class: 'key b' }), nameB)));
}
