import { h, s, fill, uid } from './dom.js';
import { price, title } from './format.js';

const PATHS = {
  catalogue: 'M4 5.5h16M4 12h16M4 18.5h16M8.5 5.5v13',
  upload: 'M12 16V4.5m0 0L7.5 9M12 4.5 16.5 9M4.5 15.5v3a1 1 0 0 0 1 1h13a1 1 0 0 0 1-1v-3',
  categories: 'M6 4v12.5a1.5 1.5 0 0 0 1.5 1.5H12M6 9.5h6M12 7h7v5h-7zM12 15.5h7v5h-7z',
  status: 'M3 12.5h4l2.5-7 5 13 2.5-6h4',
  audit: 'M12 3.5 5 6v5.5c0 4.3 2.9 7.5 7 9 4.1-1.5 7-4.7 7-9V6zM9 11.8l2.2 2.2 4-4.2',
  prices: 'M4 19.5h16M4.5 15h4v-5h5v3h4V5.5h2.5',
  requests: 'M4.5 5h15v11h-8L7.5 19.5V16h-3zM12 8v5M9.5 10.5h5',
  notes: 'M5 4.5h14v9.5L13.5 19.5H5zM13.5 19.5V14H19M8.5 8.5h7M8.5 12h4',
  settings: 'M4 7.5h8M16 7.5h4M14 5.2v4.6M4 16.5h4M12 16.5h8M10 14.2v4.6',
  approvals: 'M4.5 5.5h15v13h-15zM8 12l2.7 2.7L16 9.3',
  alerts: 'M6.5 16.5V11a5.5 5.5 0 0 1 11 0v5.5l1.5 1.5H5zM10 20.5h4',
  users: 'M9.5 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM3.5 19.5c0-3.3 2.7-5.5 6-5.5s6 2.2 6 5.5M16 5.2a3.3 3.3 0 0 1 0 6M17.5 14.5c1.9.8 3 2.6 3 5',
  insights: 'M4.5 19.5v-6M9.5 19.5v-11M14.5 19.5v-8M19.5 19.5v-15',
  duplicates: 'M4.5 4.5h10v10h-10zM9.5 14.5v5h10v-10h-5',
  reviews: 'M4.5 12.5 8 16l4-5M11.5 14.5 13 16l6.5-8M4.5 6h8',
  classify: 'M4 5h9l7 7-8 8-8-8zM8.5 9.2v.2',
  batches: 'M4.5 8.5 12 5l7.5 3.5L12 12zM4.5 12 12 15.5l7.5-3.5M4.5 15.5 12 19l7.5-3.5',
  providers: 'M8 4.5v5M16 4.5v5M5.5 9.5h13v3a6.5 6.5 0 0 1-13 0zM12 19v2',
  merge: 'M6 4.5v4c0 3 6 3.5 6 7v4M18 4.5v4c0 3-6 3.5-6 7',
  pin: 'M9 4h6l-.7 6 3.2 3.5h-11L9.7 10zM12 13.5V20',
  up: 'm6 14.5 6-6 6 6',
  down: 'm6 9.5 6 6 6-6',
  image: 'M4.5 5h15v14h-15zM4.5 16l4.5-4.5 4 4 2.5-2.5 4 4M15 9.5v.2',
  docs: 'M6 4h8.5L19 8.5V20H6zM14 4v5h5M9 13h7M9 16.5h5',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.3 15.3 20 20',
  link: 'M13.5 4.5H19.5V10.5M19 5l-8.5 8.5M10 5.5H5.5v13h13V14',
  crawls: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM4.5 12h15M12 4c3 2.5 3 13.5 0 16M12 4c-3 2.5-3 13.5 0 16',
  schedules: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 7.5V12l3 2',
  more: 'm9 6 6 6-6 6',
  back: 'm15 6-6 6 6 6',
  plus: 'M12 5v14M5 12h14',
  edit: 'M4.5 19.5h4L19 9a2.1 2.1 0 0 0-3-3L5.5 16.5zM14 8l3 3',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.2 11v5M13.8 11v5',
  alert: 'M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.2',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  refresh: 'M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4.5V9H15',
  pause: 'M9 6v12M15 6v12',
  play: 'M8 5.5v13l10.5-6.5z',
  file: 'M7 3.5h7l4.5 4.5v12.5H7zM14 3.5V8h4.5',
  download: 'M12 4.5V16m0 0-4.5-4.5M12 16l4.5-4.5M4.5 19.5h15',
  menu: 'M4 7h16M4 12h16M4 17h16',
  out: 'M10 4.5H5.5v15H10M14.5 8l4 4-4 4M18 12H9.5',
  theme: 'M12 4v16a8 8 0 0 0 0-16ZM12 4a8 8 0 0 0 0 16',
  close: 'm6 6 12 12M18 6 6 18',
};

export function icon(name) {
  return s('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false' }, s('path', { d: PATHS[name] }));
}

export function button(label, { kind = '', glyph, ...props } = {}) {
  return h('button', { type: 'button', class: `btn ${kind}`, ...props }, glyph && icon(glyph), h('span', {}, label));
}

export function iconButton(label, glyph, props = {}) {
  return h('button', { type: 'button', class: 'btn icon-only', 'aria-label': label, title: label, ...props }, icon(glyph));
}

export const link = (label, href, { kind = '', glyph, ...props } = {}) =>
  h('a', { class: `btn ${kind}`, href, ...props }, glyph && icon(glyph), h('span', {}, label));

export const chip = (text, tone = 'plain') => h('span', { class: `chip ${tone}` }, text);

const TONES = {
  active: 'good', running: 'good', done: 'good', completed: 'good', closed: 'good', successful: 'good', accepted: 'good', ok: 'good', agrees: 'good', match: 'good', same: 'good',
  pending: 'warn', queued: 'warn', stopping: 'warn', skipped: 'warn', paused: 'warn', planned: 'warn', degraded: 'warn', half_open: 'warn', cancelling: 'warn', review: 'warn', corrected: 'warn', close: 'warn', similar: 'warn',
  open: 'bad', rejected: 'bad', missing: 'bad', failed: 'bad', down: 'bad', differs: 'bad', mismatch: 'bad',
};
export const state = (name, words = title(name)) => h('span', { class: `chip dot ${TONES[name] ?? 'plain'}` }, words);

export function heading(text, { lead, actions = [], crumbs } = {}) {
  return h('div', { class: 'head' },
    h('div', { class: 'head-text' }, crumbs, h('h1', { tabindex: '-1' }, text), lead && h('p', { class: 'lead' }, lead)),
    actions.length > 0 && h('div', { class: 'actions' }, actions));
}

export const card = (title, body, { actions, ...props } = {}) =>
  h('section', { class: 'card', ...props }, title && h('div', { class: 'card-head' }, h('h2', {}, title), actions), body);

export const skeleton = (lines = 5, kind = 'line') =>
  h('div', { class: 'skeletons', 'aria-hidden': 'true' }, Array.from({ length: lines }, () => h('div', { class: `skeleton ${kind}` })));

export function empty(title, text, ...actions) {
  return h('div', { class: 'empty' },
    s('svg', { viewBox: '0 0 96 64', class: 'empty-art', 'aria-hidden': 'true' },
      s('rect', { x: 10, y: 12, width: 76, height: 44, rx: 7, class: 'art-a' }),
      s('rect', { x: 20, y: 24, width: 20, height: 20, rx: 4, class: 'art-b' }),
      s('path', { d: 'M48 28h28M48 36h20', class: 'art-c' })),
    h('p', { class: 'empty-title' }, title), text && h('p', { class: 'muted' }, text),
    actions.length > 0 && h('div', { class: 'actions' }, actions));
}

export function failure(error, retry) {
  const wait = error.retryAfter ? ` Try again in ${error.retryAfter} s.` : '';
  return h('div', { class: 'note bad', role: 'alert' }, icon('alert'),
    h('div', {},
      h('p', { class: 'note-title' }, error.title || 'This did not work'),
      h('p', {}, (error.detail ?? error.message) + wait),
      error.errors?.length > 0 && h('ul', {}, error.errors.map((e) => h('li', {}, h('b', {}, e.field), ' ', e.message))),
      error.instance && h('p', { class: 'fine' }, 'Request ', h('code', {}, error.instance)),
      retry && button('Try again', { kind: 'small', onclick: retry, glyph: 'refresh' })));
}

export function note(tone, title, ...body) {
  return h('div', { class: `note ${tone}` }, icon(tone === 'good' ? 'check' : 'alert'),
    h('div', {}, title && h('p', { class: 'note-title' }, title), body));
}

export function announce(text) {
  document.getElementById('announcer').textContent = text;
}

export function toast(text, tone = 'good') {
  const box = h('div', { class: `toast ${tone}`, role: tone === 'bad' ? 'alert' : 'status' }, icon(tone === 'bad' ? 'alert' : 'check'), h('p', {}, text));
  const close = () => box.remove();
  box.append(iconButton('Dismiss', 'close', { onclick: close }));
  document.getElementById('toasts').append(box);
  // Errors stay until they are read.
  if (tone !== 'bad') setTimeout(close, 6000);
}

// Fills a region with what `read` answers: skeleton first, the error with a retry when it fails.
export async function load(region, { read, show, signal, waiting = skeleton() }) {
  region.setAttribute('aria-busy', 'true');
  fill(region, waiting);
  try {
    const answer = await read();
    if (!signal?.aborted) fill(region, show(answer));
  } catch (error) {
    if (error.name === 'AbortError' || signal?.aborted || error.status === 401) return;
    if (error.status === undefined) console.error(error);
    fill(region, failure(error, () => load(region, { read, show, signal, waiting })));
  } finally {
    region.removeAttribute('aria-busy');
  }
}

export function table({ caption, columns, rows, kind = '' }) {
  return h('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': caption },
    h('table', { class: kind },
      h('caption', { class: 'sr' }, caption),
      h('thead', {}, h('tr', {}, columns.map((c) => h('th', { scope: 'col', class: c.kind, 'aria-sort': c.order }, c.head ?? c.label)))),
      h('tbody', {}, rows.map((row) => h('tr', { class: row.kind },
        row.cells.map((cell, i) => h(columns[i].row ? 'th' : 'td', { scope: columns[i].row && 'row', class: columns[i].kind }, cell)))))));
}

// Lists of thousands of rows are shown in steps; a browser table of ten thousand is of no use to anyone.
export function stepped(items, step, draw) {
  const box = h('div', {});
  let shown = step;
  const paint = () => fill(box, draw(items.slice(0, shown)), items.length > shown && h('p', { class: 'more' },
    button(`Show ${Math.min(step, items.length - shown)} more of ${items.length - shown}`, { kind: 'small', onclick: () => { shown += step; paint(); } })));
  paint();
  return box;
}

export function progress(label) {
  const bar = h('progress', { max: 100, 'aria-label': label });
  const text = h('p', { class: 'muted tabular' }, label);
  return {
    node: h('div', { class: 'progress' }, bar, text),
    set(percent, words) {
      if (percent === null) bar.removeAttribute('value');
      else bar.value = percent;
      text.textContent = words;
    },
  };
}

export function meter(value, label) {
  const tone = value >= 85 ? 'good' : value >= 60 ? 'warn' : 'bad';
  return h('div', { class: 'meter-row' },
    h('div', { class: `meter ${tone}`, role: 'meter', 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': Math.round(value) },
      h('span', { vars: { '--w': `${Math.max(0, Math.min(100, value))}%` } })),
    h('b', { class: 'tabular' }, `${Math.round(value)} %`));
}

export const money = (n, currency) => h('span', { class: 'money' }, h('span', { class: 'cur' }, currency || 'LKR'), ' ', price(n));

const hueOf = (text) => [...text].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 7);

function drawn(product) {
  const words = String(product.name ?? '').match(/[\p{L}\p{N}]+/gu) ?? ['?'];
  const initials = (words[0][0] + (words[1]?.[0] ?? '')).toUpperCase();
  return s('svg', { viewBox: '0 0 40 40', class: 'pic', 'aria-hidden': 'true', vars: { '--hue': String(hueOf(String(product.category ?? ''))) } },
    s('rect', { width: 40, height: 40, class: 'pic-ground' }),
    s('path', { d: 'M0 30 14 20l9 7 17-13v26H0Z', class: 'pic-wave' }),
    s('text', { x: 20, y: 25, 'text-anchor': 'middle', class: 'pic-text' }, initials));
}

// Only pictures the backend stored are fetched; it links those in `images`, by width. Loading a
// retailer's own address would tell that retailer who is looking at which product.
export function picture(product, width = '160') {
  const source = product.images?.[width];
  if (!source) return drawn(product);
  const image = h('img', { class: 'pic', src: source, alt: '', loading: 'lazy', width: 40, height: 40, referrerpolicy: 'no-referrer' });
  image.addEventListener('error', () => image.replaceWith(drawn(product)));
  return image;
}

export function field(name, label, control, hint) {
  const id = uid(name);
  control.id = id;
  control.setAttribute('name', name);
  const describes = [];
  const help = hint && h('p', { class: 'hint', id: `${id}-hint` }, hint);
  if (help) describes.push(help.id);
  if (describes.length) control.setAttribute('aria-describedby', describes.join(' '));
  return h('div', { class: 'field', 'data-field': name }, h('label', { for: id }, label), control, help, h('p', { class: 'error', id: `${id}-error`, hidden: true }));
}

export function clearErrors(form) {
  for (const box of form.querySelectorAll('.field')) {
    const control = box.querySelector('[name]');
    const message = box.querySelector('.error');
    message.hidden = true;
    control.removeAttribute('aria-invalid');
    const left = (control.getAttribute('aria-describedby') ?? '').split(' ').filter((id) => id && id !== message.id);
    if (left.length) control.setAttribute('aria-describedby', left.join(' '));
    else control.removeAttribute('aria-describedby');
  }
}

// Puts each message under its field; what belongs to no field is handed back.
export function showErrors(form, errors) {
  clearErrors(form);
  const rest = [];
  let first = null;
  for (const { field: path, message: text } of errors) {
    const name = String(path ?? '').replace(/\[\d+\]/g, '').split('.').pop();
    const box = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
    if (!box) {
      rest.push({ field: path, message: text });
      continue;
    }
    const control = box.querySelector('[name]');
    const message = box.querySelector('.error');
    message.textContent = text;
    message.hidden = false;
    control.setAttribute('aria-invalid', 'true');
    control.setAttribute('aria-describedby', `${control.getAttribute('aria-describedby') ?? ''} ${message.id}`.trim());
    first ??= control;
  }
  first?.focus();
  return rest;
}

export const select = (options, value, props = {}) =>
  h('select', { value, ...props }, options.map(([v, label]) => h('option', { value: v }, label)));

// What a filter offers is known only later; what it is set to stays selectable.
export function offerChoices(control, none, entries, value = '') {
  if (value && !entries.some(([key]) => key === value)) entries.push([value, title(value)]);
  fill(control, h('option', { value: '' }, none), entries.map(([key, label]) => h('option', { value: key }, label)));
  control.value = value;
}

// `act` does the work; the dialog stays open with the problem shown until it succeeds.
export function dialog({ title, body, confirm, tone = 'primary', act, cancel = 'Cancel' }) {
  const trouble = h('div', {});
  const name = uid('dialog');
  const yes = confirm && h('button', { type: 'submit', class: `btn ${tone}` }, confirm);
  const form = h('form', { novalidate: true },
    h('h2', { id: name }, title), h('div', { class: 'dialog-body' }, body), trouble,
    h('div', { class: 'actions end' }, button(cancel, { onclick: () => box.close() }), yes));
  const box = h('dialog', { 'aria-labelledby': name }, form);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (yes.disabled) return;
    yes.disabled = true;
    fill(trouble);
    try {
      await act(form);
      box.close();
    } catch (error) {
      if (error.status === 401) box.close();
      const rest = error.errors?.length ? showErrors(form, error.errors) : [];
      if (rest.length || !error.errors?.length) fill(trouble, failure(error));
    } finally {
      yes.disabled = false;
    }
  });
  // The browser gives focus back to the opener, unless a repaint has removed it meanwhile.
  box.addEventListener('close', () => {
    box.remove();
    if (document.activeElement === document.body) document.querySelector('h1')?.focus();
  });
  document.body.append(box);
  box.showModal();
  // Where there is nothing to fill in, Enter goes on; what destroys something is asked for twice.
  if (yes && tone === 'primary' && !box.querySelector('.dialog-body').contains(document.activeElement)) yes.focus();
  return box;
}
