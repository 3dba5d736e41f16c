// One family, the desktop's (resources/icons): 20 × 20, lines of 1.6.
import { svg } from './dom.js';

const PATHS = {
  chat: ['M3 4h14v10H8l-4 3v-3H3z'],
  usage: ['M3 17h14', 'M4 10h3v7H4z', 'M8.5 4h3v13h-3z', 'M13 8h3v9h-3z'],
  keys: ['M12.5 11a4 4 0 1 0-3.6-2.3L3 14.6V17h3v-2h2v-2h1.3l1-1A4 4 0 0 0 12.5 11z', 'M13.6 6.4h.01'],
  team: ['M7.5 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6z', 'M2 17c0-3 2.4-5 5.5-5s5.5 2 5.5 5', 'M13 3.4a3 3 0 0 1 0 5.2', 'M15.2 12.6c1.7.8 2.8 2.4 2.8 4.4'],
  load: ['M2 11h4l2-6 4 11 2-5h4'],
  audit: ['M5 2.5h7l3 3V17.5H5z', 'M8 9h4M8 12.5h4'],
  account: ['M10 10a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z', 'M3.5 17.5c0-3.3 2.9-5 6.5-5s6.5 1.7 6.5 5'],
  menu: ['M3 5h14M3 10h14M3 15h14'],
  more: ['M4.5 10h.01M10 10h.01M15.5 10h.01'],
  close: ['M5 5l10 10M15 5L5 15'],
  alert: ['M10 3l8 14H2z', 'M10 8v4M10 14.6h.01'],
  left: ['M12 5l-5 5 5 5'],
  right: ['M8 5l5 5-5 5'],
  attach: ['M16 9.5l-6.2 6.2a3.6 3.6 0 0 1-5-5L11.3 4a2.4 2.4 0 0 1 3.4 3.4l-6.4 6.4a1.2 1.2 0 0 1-1.7-1.7L12 6.8'],
  sliders: ['M3 5h14M3 10h14M3 15h14', 'M7 3.4v3.2M13 8.4v3.2M6 13.4v3.2'],
};

/** Decoration: what it stands for is said by the text or the label beside it. */
export function icon(name) {
  return svg('svg', { class: 'icon', viewBox: '0 0 20 20', 'aria-hidden': 'true' }, PATHS[name].map((d) => svg('path', { d })));
}
