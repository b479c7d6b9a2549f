import { Intent, post } from '../api.js';
import { h, fill, webUrl } from '../dom.js';
import { ago, dateTime, plural, sentence, signed, title as named } from '../format.js';
import { pages } from '../pages.js';
import { replace } from '../router.js';
import { button, card, empty, field, heading, money, select, state, table, toast } from '../ui.js';

export const title = 'Quarantined prices';

const PATH = '/api/crawler/quarantine';
const STATES = [['open', 'To decide'], ['released', 'Released'], ['discarded', 'Discarded']];
const DONE = { release: 'The price is released: it is stored as true.', discard: 'The price is discarded.' };

export function screen({ path, query, signal }) {
  const chosen = select(STATES, STATES.some(([key]) => key === query.status) ? query.status : 'open');
  const list = pages({ path: PATH, of: 'quarantined', filter: () => ({ status: chosen.value }), paint: () => paint(), signal, size: 20 });
  chosen.addEventListener('change', () => {
    replace(path, { status: chosen.value === 'open' ? '' : chosen.value });
    list.read();
  });

  async function decide(q, decision, row) {
    const both = row.querySelectorAll('button');
    for (const each of both) each.disabled = true;
    try {
      await post(`${PATH}/${encodeURIComponent(q.id)}`, { decision }, new Intent());
      list.rows = list.rows.filter((x) => x.id !== q.id);
      paint();
      list.counted.focus();
      toast(DONE[decision]);
    } catch (error) {
      for (const each of both) each.disabled = false;
      toast(`${q.product.name} was not decided: ${error.message}`, 'bad');
    }
  }

  function productOf({ product, retailer, reason }) {
    const url = webUrl(product.url);
    return h('div', { class: 'product-text' },
      product.id ? h('a', { href: `#/products/${encodeURIComponent(product.id)}` }, product.name) : h('b', {}, product.name),
      h('span', { class: 'sub' }, `${named(retailer)}, `, url ? h('a', { href: url.href, rel: 'noreferrer noopener', target: '_blank' }, 'the page') : 'no page'),
      h('span', { class: 'sub only-narrow' }, sentence(reason)));
  }

  function priceOf(q) {
    const same = q.previous_price !== null && (q.previous_currency ?? q.currency) === q.currency;
    const change = same && q.previous_price > 0 ? ((q.price - q.previous_price) / q.previous_price) * 100 : null;
    return h('div', { class: 'two-lines' }, money(q.price, q.currency),
      h('span', { class: 'sub' }, q.previous_price === null ? 'no price before' : ['before ', money(q.previous_price, q.previous_currency ?? q.currency), change !== null && `, ${signed(change)} %`]));
  }

  function rowOf(q) {
    const row = h('span', { class: 'decisions' });
    if (q.status === 'open') {
      fill(row,
        button('Release', { kind: 'small', 'aria-label': `Release the price of ${q.product.name}`, onclick: () => decide(q, 'release', row) }),
        button('Discard', { kind: 'small danger', 'aria-label': `Discard the price of ${q.product.name}`, onclick: () => decide(q, 'discard', row) }));
    } else fill(row, state(q.status));
    return { cells: [productOf(q), priceOf(q), sentence(q.reason), h('time', { datetime: q.found_at, title: dateTime(q.found_at) }, ago(q.found_at)), row] };
  }

  function paint() {
    const { rows } = list;
    list.counted.textContent = rows.length ? `${plural(rows.length, 'price')}${list.next ? ', more below' : ''}` : 'None';
    fill(list.results, rows.length
      ? table({ caption: 'Quarantined prices', columns: [{ label: 'Product', row: true }, { label: 'Price', kind: 'num' }, { label: 'Why', kind: 'c-mid' }, { label: 'Found', kind: 'c-wide' }, { label: h('span', { class: 'sr' }, 'Decision'), kind: 'num' }], rows: rows.map(rowOf) })
      : empty(chosen.value === 'open' ? 'Nothing to decide' : 'None', 'Prices that are unlike a product’s history wait here, and count only once they are released.'));
  }
  list.read();
  return [
    h('link', { rel: 'stylesheet', href: '/crawls.css' }),
    heading('Quarantined prices', { lead: 'Crawled prices that may be untrue. Release stores a price as true; what is discarded never counts.' }),
    card(null, [h('div', { class: 'results-head first' }, list.counted, field('status', 'Show', chosen)), list.results, list.foot], { class: 'card flush', 'aria-label': 'Prices' }),
  ];
}
