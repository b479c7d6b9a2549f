import { get, query as toQuery } from '../api.js';
import { h, fill } from '../dom.js';
import { ago, dateTime, plural } from '../format.js';
import { replace } from '../router.js';
import { button, card, empty, failure, field, heading, skeleton } from '../ui.js';

export const title = 'Audit log';

const FIELDS = ['actor', 'action', 'resource', 'from', 'to'];

const shownAs = (value) => (value === undefined || value === null ? '–' : typeof value === 'object' ? JSON.stringify(value, null, 1) : String(value));

function changes(before, after) {
  const flat = (x) => (x && typeof x === 'object' && !Array.isArray(x) ? x : x === null || x === undefined ? {} : { value: x });
  const [a, b] = [flat(before), flat(after)];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((k) => JSON.stringify(a[k]) !== JSON.stringify(b[k]));
  if (!keys.length) return h('p', { class: 'muted' }, 'No field changed.');
  return h('div', { class: 'scroll' }, h('table', { class: 'compact diff' },
    h('caption', { class: 'sr' }, 'Changed fields'),
    h('thead', {}, h('tr', {}, ['Field', 'Before', 'After'].map((t) => h('th', { scope: 'col' }, t)))),
    h('tbody', {}, keys.map((k) => h('tr', {}, h('th', { scope: 'row' }, h('code', {}, k)), h('td', { class: 'was' }, shownAs(a[k])), h('td', { class: 'is' }, shownAs(b[k])))))));
}

// Days are meant in the reader's own time; the log is kept in UTC.
const instant = (day, clock) => (day ? new Date(`${day}T${clock}`).toISOString() : '');

export function screen({ path, query, signal, user }) {
  if (!user.isSuperAdmin) return [heading('Audit log'), empty('For super admins only', 'Ask a super admin when you need to know who changed what.')];
  const filter = Object.fromEntries(FIELDS.map((k) => [k, query[k] ?? '']));
  const list = h('ul', { class: 'log' });
  const foot = h('div', { class: 'more' });
  const counted = h('p', { class: 'count', role: 'status' });
  let asked = 0;

  const input = (key, props = {}) => h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', value: filter[key], ...props });
  const made = { actor: input('actor', { placeholder: 'user id' }), action: input('action', { placeholder: 'product.updated' }), resource: input('resource', { placeholder: 'products/…' }), from: input('from', { type: 'date' }), to: input('to', { type: 'date' }) };

  function entry(e) {
    const product = /^(?:product|products)[/:]([\w-]{6,})$/.exec(e.resource ?? '');
    return h('li', {}, h('details', {},
      h('summary', {},
        h('span', { class: 'log-action' }, h('code', {}, e.action)),
        h('span', { class: 'log-what' }, e.resource),
        h('span', { class: 'log-who' }, e.actor_email || e.actor),
        h('time', { class: 'log-when tabular', datetime: e.at, title: ago(e.at) }, dateTime(e.at))),
      h('div', { class: 'log-body' }, changes(e.before, e.after),
        h('dl', { class: 'facts row' },
          [['Address', e.address], ['Request', e.request_id], ['Entry', e.id]].filter(([, v]) => v).map(([k, v]) => h('div', {}, h('dt', {}, k), h('dd', {}, h('code', {}, v)))),
          h('div', {}, h('dt', {}, 'Only this'), h('dd', { class: 'actions' }, ['actor', 'action', 'resource'].map((key) => button(key, { kind: 'small', onclick: () => only(key, e[key]) })))),
          product && h('div', {}, h('dt', {}, 'Product'), h('dd', {}, h('a', { href: `#/products/${encodeURIComponent(product[1])}` }, 'Open')))))));
  }

  async function read(cursor = '') {
    asked += 1;
    const mine = asked;
    if (!cursor) fill(list);
    fill(foot, skeleton(cursor ? 2 : 8, 'row'));
    list.setAttribute('aria-busy', 'true');
    try {
      const { data } = await get(`/api/audit/logs${toQuery({ ...filter, from: instant(filter.from, '00:00:00'), to: instant(filter.to, '23:59:59.999'), cursor, limit: 50 })}`, signal);
      if (mine !== asked) return;
      const fresh = data.entries.map(entry);
      list.append(...fresh);
      if (cursor) fresh[0]?.querySelector('summary').focus();
      counted.textContent = `${plural(list.children.length, 'entry', 'entries')}${data.next_cursor ? ', more below' : ''}`;
      fill(foot, data.next_cursor ? button('Show older entries', { onclick: () => read(data.next_cursor) }) : !list.children.length && empty('Nothing is logged for this', 'Widen the dates or clear a filter.'));
    } catch (error) {
      if (mine !== asked || error.name === 'AbortError' || error.status === 401) return;
      fill(foot, failure(error, () => read(cursor)));
    } finally {
      if (mine === asked) list.removeAttribute('aria-busy');
    }
  }

  function only(key, value) {
    for (const one of FIELDS) made[one].value = one === key ? value : '';
    apply();
    made[key].focus();
  }

  const apply = () => {
    for (const key of FIELDS) filter[key] = made[key].value.trim();
    replace(path, filter);
    read();
  };
  read();
  return [
    heading('Audit log', { lead: 'Who changed what, when and from where.' }),
    card(null, [
      h('form', { class: 'filters', role: 'search', 'aria-label': 'Audit log', onsubmit: (event) => { event.preventDefault(); apply(); }, onchange: apply },
        field('actor', 'Actor', made.actor), field('action', 'Action', made.action), field('resource', 'Resource', made.resource), field('from', 'From', made.from), field('to', 'To', made.to),
        h('button', { type: 'submit', class: 'btn' }, 'Apply')),
      h('div', { class: 'results-head' }, counted, button('Clear filters', { kind: 'quiet', onclick: () => { for (const key of FIELDS) made[key].value = ''; apply(); } })),
      list, foot,
    ], { class: 'card flush', 'aria-label': 'Entries' }),
  ];
}
