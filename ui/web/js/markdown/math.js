// Draws mathematics with KaTeX, which comes when it is first needed. Without it the source stays readable.

let loading = null;

function katex() {
  loading ??= import('../../vendor/katex/katex.min.js').then(() => globalThis.katex);
  return loading;
}

function draw(engine, element) {
  const source = element.dataset.source ?? element.textContent;
  element.dataset.source = source;
  try {
    // trust off: no links, no pictures, no classes from the source. Limits: a formula cannot take the page's time or space.
    engine.render(source, element, {
      displayMode: element.classList.contains('math-block'), throwOnError: true, trust: false, strict: 'ignore', maxSize: 20, maxExpand: 500,
      output: 'htmlAndMathml',
    });
  } catch {
    element.textContent = source;  // half a formula, or none
  }
}

export function drawMath(root) {
  const found = [...root.querySelectorAll('.math')];
  if (found.length === 0) return;
  if (globalThis.katex) {
    for (const element of found) draw(globalThis.katex, element);
    return;
  }
  katex().then((engine) => {
    for (const element of found) draw(engine, element);
  }).catch(() => { loading = null; });
}
