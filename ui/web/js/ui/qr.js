// A QR code as one path, dark on white in both themes: cameras want it so.
import qrcode from '../../vendor/qrcode.mjs';
import { svg } from '../dom.js';

export function qrImage(text, label) {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  let path = '';
  for (let row = 0; row < count; row += 1) {
    for (let column = 0; column < count; column += 1) if (code.isDark(row, column)) path += `M${column} ${row}h1v1h-1z`;
  }
  return svg('svg', { class: 'qr', viewBox: `-1 -1 ${count + 2} ${count + 2}`, role: 'img', 'aria-label': label, 'shape-rendering': 'crispEdges' }, svg('path', { d: path, fill: '#000' }));
}
