// The one place where text becomes markup: through DOMPurify, with a short list of what may stay.
import DOMPurify from '../../vendor/purify.es.mjs';

const OPTIONS = {
  ALLOWED_TAGS: ['p', 'br', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'blockquote', 'pre', 'code', 'em', 'strong', 'del', 's', 'u',
    'sub', 'sup', 'kbd', 'mark', 'a', 'img', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'span', 'input', 'details', 'summary'],
  ALLOWED_ATTR: ['href', 'src', 'alt', 'align', 'start', 'class', 'type', 'checked', 'disabled', 'open'],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|data:image\/(?:png|jpeg|gif|webp);base64,)/i,
  ADD_URI_SAFE_ATTR: ['align', 'start', 'type', 'checked', 'disabled', 'open'],  // no addresses: not measured as such
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

// Classes are ours (a code block's language, its colours, mathematics); nothing a model writes may dress as a part of the page.
const CLASSES = /^(?:language-[\w+#.-]{1,40}|math|math math-block|hljs-[\w-]{1,40}(?: [\w-]{1,40}_){0,3})$/;

function harden(node) {
  if (node.nodeType !== 1) return;
  const name = node.nodeName.toLowerCase();
  if (node.hasAttribute('class') && !CLASSES.test(node.getAttribute('class'))) node.removeAttribute('class');
  if (name === 'a') {
    if (!/^(?:https?:|mailto:)/i.test(node.getAttribute('href') ?? '')) node.removeAttribute('href');
    node.setAttribute('target', '_blank');
    node.setAttribute('rel', 'noopener noreferrer nofollow');
  }
  if (name === 'img' && !/^data:image\//i.test(node.getAttribute('src') ?? '')) node.replaceWith(node.getAttribute('alt') ?? '');
  if (name === 'input') {
    // Only the boxes of task lists, which do nothing.
    if (node.getAttribute('type') !== 'checkbox') node.remove();
    else node.setAttribute('disabled', '');
  }
}

DOMPurify.addHook('afterSanitizeAttributes', harden);

/** highlight.js's HTML as a fragment: its spans and nothing else. */
export function highlightFragment(html) {
  return DOMPurify.sanitize(html, { ...OPTIONS, ALLOWED_TAGS: ['span'], ALLOWED_ATTR: ['class'] });
}

/** A fragment without anything that runs, loads or leaves the page. */
export function safeFragment(html) {
  return DOMPurify.sanitize(html, OPTIONS);
}
