// Making elements. No markup from strings anywhere: what is text stays text.

const SVG = 'http://www.w3.org/2000/svg';

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on') && typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked' || name === 'disabled' || name === 'hidden') element[name] = value;
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

/** h('button', {class: 'button', onclick}, 'Send'): an element; children may be nested arrays, null is left out. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  append(element, children);
  return element;
}

export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  setAttributes(element, attributes);
  append(element, children);
  return element;
}

export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

let counter = 0;
/** An id for a label and its field. */
export function freshId(prefix = 'id') {
  counter += 1;
  return `${prefix}-${counter}`;
}

/** A labelled field. `control` gets the label's id. */
export function field(label, control, hint) {
  control.id ||= freshId('field');
  const parts = [h('label', { for: control.id }, label), control];
  if (hint) {
    const note = h('span', { class: 'hint', id: `${control.id}-hint` }, hint);
    control.setAttribute('aria-describedby', note.id);
    parts.push(note);
  }
  return h('div', { class: 'field' }, parts);
}

let lastSpoken = '';
/** Says something to screen readers, without moving the focus. */
export function announce(text) {
  const live = document.getElementById('live');
  if (!live || !text) return;
  // The same words twice would not be a change.
  live.textContent = text === lastSpoken ? `${text}\u00a0` : text;
  lastSpoken = live.textContent;
}
