// Hash routes need no rewrite rules and keep every address shareable.
export function current() {
  const [path, search = ''] = (location.hash.replace(/^#/, '') || '/products').split('?');
  return { path: path.replace(/\/+$/, '') || '/products', query: Object.fromEntries(new URLSearchParams(search)) };
}

export function href(path, values = {}) {
  const filled = Object.entries(values).filter(([, v]) => v !== undefined && v !== null && v !== '');
  return `#${path}${filled.length ? `?${new URLSearchParams(filled)}` : ''}`;
}

// Filters belong in the address without a step in the history for each keystroke; pages get theirs.
export const replace = (path, values) => history.replaceState(null, '', href(path, values));
export const push = (path, values) => history.pushState(null, '', href(path, values));

export function go(path, values) {
  location.hash = href(path, values);
}
