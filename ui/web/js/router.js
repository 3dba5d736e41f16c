// The address behind '#': '#/team/groups' → ['team', 'groups'].

export function routeOf(hash) {
  const path = hash.replace(/^#\/?/, '');
  return path.split('/').filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}

export function go(...parts) {
  const target = `#/${parts.map(encodeURIComponent).join('/')}`;
  if (location.hash !== target) location.hash = target;
}

/** Changes the address without a new entry in the history, and without a new view. */
export function settle(...parts) {
  history.replaceState(null, '', `#/${parts.map(encodeURIComponent).join('/')}`);
}
