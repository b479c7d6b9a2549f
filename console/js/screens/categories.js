import { Intent, post, query, request } from '../api.js';
import { categories } from '../catalog.js';
import { h, fill } from '../dom.js';
import { count, plural } from '../format.js';
import { announce, button, card, dialog, empty, field, heading, icon, iconButton, load, note, select, toast } from '../ui.js';

export const title = 'Categories';

const PATH = '/api/categories';
const closed = new Set();

export function screen({ signal }) {
  const region = h('div', {});
  const filter = h('input', { type: 'search', autocomplete: 'off', placeholder: 'Find a category', 'aria-label': 'Find a category' });
  const summary = h('p', { class: 'count', role: 'status' });
  let list = [];
  let children = new Map();

  const below = (id) => (children.get(id) ?? []).flatMap((c) => [c, ...below(c.id)]);

  function options(without = new Set()) {
    const walk = (parent, depth) => (children.get(parent) ?? []).filter((c) => !without.has(c.id))
      .flatMap((c) => [[c.id, `${'\u2003'.repeat(depth)}${c.name}`], ...walk(c.id, depth + 1)]);
    return walk(null, 0);
  }

  function form({ heading: text, name = '', parent = '', without, confirm, send, said }) {
    const input = h('input', { type: 'text', required: true, maxlength: 80, autocomplete: 'off', value: name });
    const over = select([['', 'Top level'], ...options(without)], parent ?? '');
    dialog({
      title: text, confirm,
      body: [field('name', 'Name', input), field('parent_id', 'Inside', over)],
      act: async () => {
        await send({ name: input.value.trim(), parent_id: over.value || null });
        toast(said);
        await reload();
      },
    });
    input.select();
  }

  // The list carries each version, so that a change by someone else in between is noticed.
  async function write(c, method, search, body) {
    const headers = c.version ? { 'If-Match': `"${c.version}"` } : {};
    try {
      return await request(method, `${PATH}/${encodeURIComponent(c.id)}${search}`, { body, headers });
    } catch (error) {
      if (error.status === 412) reload().catch(() => {});
      throw error;
    }
  }

  function create(parent) {
    const intent = new Intent();
    form({ heading: parent ? `New category in ${parent.name}` : 'New category', parent: parent?.id, confirm: 'Add', said: 'Category added.', send: (body) => post(PATH, body, intent) });
  }

  function change(c) {
    form({
      heading: `Rename or move ${c.name}`, name: c.name, parent: c.parent_id, confirm: 'Save', said: 'Category saved.',
      // A category cannot stand below itself.
      without: new Set([c.id, ...below(c.id).map((x) => x.id)]),
      send: (body) => write(c, 'PUT', '', body),
    });
  }

  function remove(c) {
    const inside = below(c.id);
    const places = options(new Set([c.id, ...inside.map((x) => x.id)]));
    const target = select([['', 'Choose a category'], ...places], '');
    const more = h('div', { class: 'stack' });
    const needs = c.product_count > 0 || inside.length > 0;
    const ask = () => fill(more, field('move_to', 'Move what it holds to', target));
    if (needs) ask();
    dialog({
      title: `Delete ${c.name}?`, confirm: 'Delete', tone: 'danger solid',
      body: [
        h('p', {}, c.product_count > 0 ? `It holds ${plural(c.product_count, 'product')}. ` : '', inside.length > 0 ? `It has ${plural(inside.length, 'category', 'categories')} below it. ` : '', needs ? 'Say where that goes.' : 'This cannot be undone.'),
        more,
      ],
      act: async () => {
        let moving = false;
        try {
          moving = (await write(c, 'DELETE', query({ move_to: target.value }))).data?.moving;
        } catch (error) {
          if (error.status === 409 && !target.value) ask();
          throw error;
        }
        toast(moving ? 'The products are being moved; the category goes when that is done.' : 'Category deleted.');
        await reload();
      },
    });
  }

  function row(c, kept) {
    const under = (children.get(c.id) ?? []).filter((x) => !kept || kept.has(x.id));
    const open = kept !== null || !closed.has(c.id);
    const inner = under.length > 0 && h('ul', { hidden: !open }, under.map((x) => row(x, kept)));
    const toggle = under.length > 0
      ? h('button', {
        type: 'button', class: 'twist', 'aria-expanded': String(open), 'aria-label': `Categories in ${c.name}`,
        onclick: (event) => {
          const now = inner.hidden;
          inner.hidden = !now;
          event.currentTarget.setAttribute('aria-expanded', String(now));
          if (now) closed.delete(c.id);
          else closed.add(c.id);
        },
      }, icon('more'))
      : h('span', { class: 'twist', 'aria-hidden': 'true' });
    return h('li', {},
      h('div', { class: 'node' }, toggle, h('span', { class: 'node-name' }, c.name),
        Number.isFinite(c.product_count) && h('a', { class: 'node-count tabular', href: `#/products?category=${encodeURIComponent(c.id)}`, 'aria-label': `${plural(c.product_count, 'product')} in ${c.name}` }, count(c.product_count)),
        h('span', { class: 'node-actions' },
          iconButton(`Add a category in ${c.name}`, 'plus', { onclick: () => create(c) }),
          iconButton(`Rename or move ${c.name}`, 'edit', { onclick: () => change(c) }),
          iconButton(`Delete ${c.name}`, 'trash', { onclick: () => remove(c) }))),
      inner);
  }

  function tree() {
    const wanted = filter.value.trim().toLowerCase();
    let kept = null;
    if (wanted) {
      kept = new Set();
      const byId = new Map(list.map((c) => [c.id, c]));
      for (const c of list) {
        if (!c.name.toLowerCase().includes(wanted)) continue;
        for (let x = c; x && !kept.has(x.id); x = byId.get(x.parent_id)) kept.add(x.id);
      }
    }
    const roots = (children.get(null) ?? []).filter((c) => !kept || kept.has(c.id));
    summary.textContent = plural(list.length, 'category', 'categories');
    if (!list.length) return empty('No categories yet', 'Products are sorted into the categories you add here.', button('Add a category', { kind: 'primary', onclick: () => create() }));
    return roots.length ? h('ul', { class: 'tree', 'aria-label': 'Categories' }, roots.map((c) => row(c, kept))) : note('info', null, h('p', {}, 'No category has that name.'));
  }

  function arrange(found) {
    list = found;
    const ids = new Set(list.map((c) => c.id));
    children = new Map();
    for (const c of [...list].sort((a, b) => a.name.localeCompare(b.name))) {
      const parent = ids.has(c.parent_id) ? c.parent_id : null;
      children.set(parent, [...(children.get(parent) ?? []), c]);
    }
  }

  const reload = async () => {
    arrange(await categories(signal));
    fill(region, tree());
  };
  filter.addEventListener('input', () => {
    fill(region, tree());
    announce(`${region.querySelectorAll('.node').length} shown`);
  });
  load(region, { signal, read: () => categories(signal), show: (found) => { arrange(found); return tree(); } });

  return [
    heading('Categories', { lead: 'The tree that products and the classifier use.', actions: [button('Add category', { kind: 'primary', glyph: 'plus', onclick: () => create() })] }),
    card(null, [h('div', { class: 'results-head' }, summary, h('div', { class: 'find' }, filter)), region], { class: 'card flush', 'aria-label': 'Category tree' }),
  ];
}
