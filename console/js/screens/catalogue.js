import { get, post, query as toQuery, Intent, follow } from '../api.js';
import { Categories, categories, stats } from '../catalog.js';
import { h, fill } from '../dom.js';
import { ago, count, dateTime, percent, plural, title as named } from '../format.js';
import { push, replace } from '../router.js';
import { button, card, dialog, empty, failure, field, heading, icon, link, load, money, note, offerChoices, picture, progress, select, skeleton, state, table } from '../ui.js';

export const title = 'Catalogue';

const SORTS = [['-updated_at', 'Recently changed'], ['-created_at', 'Newest'], ['created_at', 'Oldest'], ['name', 'Name A–Z'], ['-name', 'Name Z–A'], ['price', 'Price, low to high'], ['-price', 'Price, high to low'], ['updated_at', 'Longest unchanged']];
const STATUSES = ['active', 'pending', 'rejected', 'deleted'];
const FILTERS = ['q', 'retailer', 'category', 'status', 'sort', 'limit'];
const SIZES = ['25', '50', '100'];

// Cursors lead forward only; the way back is remembered per filter.
const trails = new Map();

function bars(caption, counts, total, label, pick, chosen) {
  const top = Object.entries(counts ?? {}).sort((a, b) => b[1] - a[1]);
  const most = top[0]?.[1] || 1;
  return h('div', { class: 'bars' }, h('h2', { class: 'label' }, caption, ' ', h('span', { class: 'muted' }, count(top.length))),
    h('ul', {}, top.slice(0, 5).map(([key, n]) => h('li', {},
      h('button', { type: 'button', class: 'bar-row', disabled: key === '', 'aria-pressed': String(chosen === key), onclick: () => pick(key) },
        h('span', { class: 'bar-name' }, key === '' ? 'None' : label(key)),
        h('span', { class: 'bar', 'aria-hidden': 'true' }, h('span', { vars: { '--w': `${(n / most) * 100}%` } })),
        h('span', { class: 'bar-n tabular' }, count(n)),
        h('span', { class: 'bar-p tabular' }, `${percent(n, total)} %`))))));
}

export function screen({ path, query, signal }) {
  const filter = { sort: '-updated_at', limit: '25', ...Object.fromEntries(FILTERS.filter((k) => query[k]).map((k) => [k, query[k]])) };
  let cursor = query.cursor ?? '';
  let page = Math.max(1, Number(query.p) || 1);
  let kinds = new Categories([]);
  let totals = null;
  let asked = 0;
  // Rows name their category, so they wait for the tree; a failure of it does not stop them.
  let known = Promise.resolve();

  const summary = h('div', {});
  const results = h('div', { class: 'results' });
  const counted = h('p', { class: 'count', role: 'status' });
  const search = h('input', { type: 'search', value: filter.q ?? '', placeholder: 'Name, brand or SKU', autocomplete: 'off', spellcheck: 'false' });
  const retailer = select([['', 'All retailers']], '');
  const category = select([['', 'All categories']], '');
  const status = select([['', 'Any status'], ...STATUSES.map((x) => [x, named(x)])], filter.status ?? '');
  const sort = select(SORTS, filter.sort);
  const limit = select(SIZES.map((n) => [n, n]), filter.limit);
  const clear = button('Clear filters', { kind: 'quiet', glyph: 'close', onclick: () => change({ q: '', retailer: '', category: '', status: '' }) });

  const address = () => ({
    ...filter,
    sort: filter.sort === '-updated_at' ? '' : filter.sort,
    limit: filter.limit === '25' ? '' : filter.limit,
    cursor,
    p: page > 1 ? page : '',
  });
  const trail = () => {
    const key = JSON.stringify(filter);
    if (!trails.has(key)) trails.set(key, ['']);
    return trails.get(key);
  };

  function change(values) {
    Object.assign(filter, values);
    cursor = '';
    page = 1;
    replace(path, address());
    paintFilters();
    paintSummary();
    read();
  }

  function turn(to, where) {
    cursor = where ?? '';
    page = where || to === 1 ? to : 1;
    push(path, address());
    read().then(() => {
      scrollTo(0, 0);
      counted.focus({ preventScroll: true });
    });
  }

  function paintFilters() {
    const inUse = Object.keys(totals?.by_category ?? {});
    offerChoices(retailer, 'All retailers', Object.keys(totals?.by_retailer ?? {}).sort().map((key) => [key, named(key)]), filter.retailer);
    const byName = kinds.list.length ? kinds.options() : [];
    for (const key of inUse) if (key && !byName.some(([k]) => k === key)) byName.push([key, kinds.label(key)]);
    offerChoices(category, 'All categories', byName, filter.category);
    status.value = filter.status ?? '';
    sort.value = filter.sort;
    limit.value = filter.limit;
    if (document.activeElement !== search) search.value = filter.q ?? '';
    clear.hidden = !(filter.q || filter.retailer || filter.category || filter.status);
    if (clear.hidden && !filter.q) search.value = '';
  }

  function summaryView() {
    const toggle = (key) => (value) => change({ [key]: filter[key] === value ? '' : value });
    return h('div', { class: 'strip' },
      h('div', { class: 'figure' }, h('h2', { class: 'label' }, 'Products'), h('p', { class: 'big tabular' }, count(totals.total)),
        h('p', { class: 'muted' }, totals.last_updated ? ['Last change ', h('time', { datetime: totals.last_updated, title: dateTime(totals.last_updated) }, ago(totals.last_updated))] : 'No changes yet')),
      bars('Retailers', totals.by_retailer, totals.total, named, toggle('retailer'), filter.retailer),
      bars('Categories', totals.by_category, totals.total, (key) => kinds.label(key), toggle('category'), filter.category));
  }

  function paintSummary() {
    if (totals) fill(summary, summaryView());
  }

  function sorter(label, up, down, start = up) {
    const now = filter.sort;
    const order = now === up ? 'ascending' : now === down ? 'descending' : 'none';
    const next = now === up ? down : now === down ? up : start;
    return {
      label, order,
      head: h('button', { type: 'button', class: `sort ${order}`, onclick: () => change({ sort: next }) }, label, h('span', { class: 'arrow', 'aria-hidden': 'true' })),
    };
  }

  function rowOf(p) {
    const bits = [p.brand, p.size].filter(Boolean).join(' · ');
    return {
      kind: p.status === 'deleted' ? 'gone' : undefined,
      cells: [
        h('div', { class: 'product' }, picture(p), h('div', { class: 'product-text' },
          h('a', { href: `#/products/${encodeURIComponent(p.id)}` }, p.name),
          h('span', { class: 'sub' }, bits || ' ', h('span', { class: 'only-narrow' }, ` · ${named(p.retailer)}`), p.group_id && [' · ', h('a', { href: `#/products/${encodeURIComponent(p.id)}`, 'aria-label': `Merged offers of ${p.name}` }, 'merged')]))),
        named(p.retailer),
        h('span', { class: 'tag' }, kinds.label(p.category)),
        state(p.status),
        money(p.price, p.currency),
        h('time', { datetime: p.updated_at, title: dateTime(p.updated_at) }, ago(p.updated_at)),
      ],
    };
  }

  function paintResults({ data, cache }) {
    const way = trail();
    way[page - 1] = cursor;
    if (data.next_cursor) way[page] = data.next_cursor;
    const size = Number(filter.limit);
    const from = (page - 1) * size + 1;
    const total = `${count(data.total)}${data.total_is_minimum ? '+' : ''}`;
    const n = data.products.length;
    counted.textContent = n ? `${count(from)}–${count(from + n - 1)} of ${total} products` : 'No products';
    if (!n && data.next_cursor) {
      return empty('Nothing among the rows searched so far', 'There are more to look through.', button('Search on', { kind: 'primary', onclick: () => turn(page + 1, data.next_cursor) }));
    }
    if (!n && page === 1 && filter.q && filter.status !== 'deleted') return closest();
    if (!n) {
      const narrowed = !clear.hidden;
      return empty(narrowed ? 'No product matches' : 'The catalogue is empty',
        narrowed ? 'Try fewer words, or clear a filter.' : 'Upload a price list to begin.',
        narrowed ? button('Clear filters', { onclick: () => change({ q: '', retailer: '', category: '', status: '' }) }) : link('Upload products', '#/upload', { kind: 'primary', glyph: 'upload' }));
    }
    return [
      table({
        caption: 'Products', kind: 'products',
        columns: [{ ...sorter('Product', 'name', '-name'), row: true, kind: 'c-product' }, { label: 'Retailer', kind: 'c-wide' }, { label: 'Category', kind: 'c-wider' }, { label: 'Status', kind: 'c-mid' }, { ...sorter('Price', 'price', '-price'), kind: 'num' }, { ...sorter('Changed', 'updated_at', '-updated_at', '-updated_at'), kind: 'c-widest num' }],
        rows: data.products.map(rowOf),
      }),
      h('nav', { class: 'pager', 'aria-label': 'Pages' },
        h('p', { class: 'muted tabular' }, `Page ${count(page)}${data.pages ? ` of ${count(data.pages)}${data.total_is_minimum ? '+' : ''}` : ''}`),
        cache && h('p', { class: 'cache', title: cache === 'HIT' ? 'Answered from the cache' : 'Read from the database' }, `Cache ${cache.toLowerCase()}`),
        h('label', { class: 'inline' }, 'Rows ', limit),
        button('Previous', { glyph: 'back', disabled: page === 1, onclick: () => turn(page - 1, way[page - 2]) }),
        h('button', { type: 'button', class: 'btn', disabled: !data.next_cursor, onclick: () => turn(page + 1, data.next_cursor) }, h('span', {}, 'Next'), icon('more'))),
    ];
  }

  const PRODUCT = { label: 'Product', row: true, kind: 'c-product' };
  const PLAIN = [PRODUCT, { label: 'Retailer', kind: 'c-wide' }, { label: 'Category', kind: 'c-wider' }, { label: 'Status', kind: 'c-mid' }, { label: 'Price', kind: 'num' }, { label: 'Changed', kind: 'c-widest num' }];

  // The list wants every word as it begins; where it finds nothing, the search forgives slips.
  function closest() {
    const region = h('div', {});
    const { q, retailer: sold, category: kind, status: wanted } = filter;
    load(region, {
      signal, waiting: skeleton(4, 'row'),
      read: () => get(`/api/products/search${toQuery({ q, retailer: sold, category: kind, status: wanted })}`, signal),
      show: ({ data }) => {
        if (!data.products.length) {
          return empty('No product matches', 'Try fewer words, or clear a filter.', button('Clear filters', { onclick: () => change({ q: '', retailer: '', category: '', status: '' }) }));
        }
        counted.textContent = `No exact match; ${plural(data.products.length, 'close one')}`;
        return [
          note('info', `No product is written “${q}”`, h('p', {}, 'These come closest, best first.')),
          table({ caption: 'Closest products', kind: 'products', columns: PLAIN, rows: data.products.map(rowOf) }),
        ];
      },
    });
    return region;
  }

  async function read() {
    asked += 1;
    const mine = asked;
    const first = !results.querySelector('table');
    results.setAttribute('aria-busy', 'true');
    // Rows that are there stay until the new ones come: less flicker, same place on the page.
    if (first) fill(results, skeleton(8, 'row'));
    try {
      const [answer] = await Promise.all([get(`/api/products${toQuery({ ...filter, cursor })}`, signal), known]);
      if (mine === asked) fill(results, paintResults(answer));
    } catch (error) {
      if (mine !== asked || error.name === 'AbortError' || error.status === 401) return;
      counted.textContent = '';
      // A cursor is bound to its filter and can grow old; the first page always answers.
      const again = error.status === 400 && cursor ? () => turn(1, '') : read;
      fill(results, failure(error, again));
    } finally {
      if (mine === asked) results.removeAttribute('aria-busy');
    }
  }

  let typing;
  // One letter finds nothing of use, and the backend refuses it.
  function seek() {
    clearTimeout(typing);
    const q = search.value.trim();
    const wanted = q.length < 2 ? '' : q;
    if (wanted !== (filter.q ?? '')) change({ q: wanted });
  }
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(seek, 250);
  });
  signal.addEventListener('abort', () => clearTimeout(typing));
  const bind = (control, key) => control.addEventListener('change', () => change({ [key]: control.value }));
  bind(retailer, 'retailer');
  bind(category, 'category');
  bind(status, 'status');
  bind(sort, 'sort');
  bind(limit, 'limit');
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea, dialog')) return;
    event.preventDefault();
    search.focus();
  }, { signal });

  const extra = async () => {
    const [list, numbers] = await Promise.all([categories(signal).catch(() => []), stats(signal)]);
    return [new Categories(list, Object.keys(numbers.by_category ?? {})), numbers];
  };
  const refreshAll = () => {
    known = load(summary, {
      signal, read: extra, waiting: skeleton(1, 'strip-skeleton'),
      show: ([found, numbers]) => {
        kinds = found;
        totals = numbers;
        paintFilters();
        return summaryView();
      },
    });
    return read();
  };
  paintFilters();
  refreshAll();

  counted.tabIndex = -1;
  return [
    heading('Catalogue', {
      lead: 'Every offer of every retailer, one row each.',
      actions: [
        button('Refresh', { glyph: 'refresh', kind: 'quiet', onclick: refreshAll }),
        button('Export', { glyph: 'download', onclick: () => exportDialog(filter, counted.textContent) }),
        link('Upload', '#/upload', { kind: 'primary', glyph: 'upload' }),
      ],
    }),
    summary,
    card(null, [
      h('form', { class: 'filters', role: 'search', 'aria-label': 'Products', onsubmit: (event) => { event.preventDefault(); seek(); } },
        h('div', { class: 'search' }, field('q', 'Search', search), icon('search'), h('kbd', { 'aria-hidden': 'true' }, '/')),
        field('retailer', 'Retailer', retailer), field('category', 'Category', category), field('status', 'Status', status), field('sort', 'Order', sort)),
      h('div', { class: 'results-head' }, counted, clear),
      results,
    ], { class: 'card flush' }),
  ];
}

function exportDialog(filter, scope) {
  const intent = new Intent();
  const stop = new AbortController();
  const bar = progress('Preparing the file…');
  const body = h('div', { class: 'stack' }, h('p', {}, 'A CSV file of the current selection is written in the background.'), h('p', { class: 'muted' }, scope));
  const wanted = Object.fromEntries(['q', 'retailer', 'category', 'status'].filter((k) => filter[k]).map((k) => [k, filter[k]]));
  const box = dialog({
    title: 'Export products', body, confirm: 'Create the file', cancel: 'Close',
    act: async (form) => {
      const { data } = await post('/api/products/export', wanted, intent);
      fill(body, bar.node);
      bar.set(null, 'Writing the file…');
      const done = await follow(`/api/products/exports/${encodeURIComponent(data.export_id)}`, (x) => x.url || x.error || x.status === 'failed', {
        signal: stop.signal,
        onUpdate: (x) => bar.set(null, x.rows ? `${plural(x.rows, 'row')} written…` : 'Writing the file…'),
      });
      if (!done.url) throw new Error(done.error || 'The file could not be written.');
      fill(body, h('p', {}, `${plural(done.rows ?? 0, 'row')} ready.`), link('Download CSV', done.url, { kind: 'primary', glyph: 'download', download: '', target: '_blank', rel: 'noopener noreferrer' }),
        done.expires_at && h('p', { class: 'fine' }, `The link works until ${dateTime(done.expires_at)}.`));
      form.querySelector('[type=submit]').hidden = true;
      body.querySelector('a').focus();
      await new Promise((resolve) => { box.addEventListener('close', resolve, { once: true }); });
    },
  });
  box.addEventListener('close', () => stop.abort());
}
