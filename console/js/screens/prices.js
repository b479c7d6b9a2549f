import { get } from '../api.js';
import { h } from '../dom.js';
import { ago, count, dateTime, plural, price, signed, title as named } from '../format.js';
import { button, card, empty, heading, load, meter, money, note, skeleton, table } from '../ui.js';

export const title = 'Prices';

const nameOf = (retailer) => (retailer ? named(retailer) : 'All retailers');

function movers(caption, list, tone) {
  if (!list.length) return empty(tone === 'up' ? 'Nothing became dearer' : 'Nothing became cheaper', 'No price moved this way within the last week.');
  return table({
    caption, kind: 'movers',
    columns: [{ label: 'Product', row: true, kind: 'c-product' }, { label: 'Price', kind: 'num' }, { label: 'Change', kind: 'num' }],
    rows: list.map((m) => ({
      cells: [
        h('div', { class: 'product-text' }, h('a', { href: `#/products/${encodeURIComponent(m.product_id)}` }, m.name), h('span', { class: 'sub' }, named(m.retailer))),
        h('div', { class: 'two-lines' }, money(m.price, m.currency), h('span', { class: 'sub tabular' }, h('s', {}, h('span', { class: 'sr' }, 'before '), price(m.previous_price)))),
        h('span', { class: `change ${tone}` }, h('span', { 'aria-hidden': 'true' }, tone === 'up' ? '▲ ' : '▼ '), `${signed(m.change_percent)} %`),
      ],
    })),
  });
}

// Levels lie close to 100, so bars begin there: to the right is dearer, to the left cheaper.
function levels(list) {
  if (!list.length) return empty('No level yet', 'It takes products that several retailers sell, matched with one another.');
  const most = Math.max(...list.map((x) => Math.abs(x.index - 100)), 1);
  return h('ul', { class: 'levels', 'aria-label': 'Price level by retailer' }, [...list].sort((a, b) => a.index - b.index).map((x) => {
    const apart = x.index - 100;
    const words = Math.abs(apart) < 0.05 ? 'as the mean' : `${Math.abs(apart).toFixed(1)} % ${apart > 0 ? 'above' : 'below'} the mean`;
    return h('li', {},
      h('span', { class: 'bar-name' }, nameOf(x.retailer)),
      h('span', { class: `level ${apart > 0 ? 'above' : 'below'}`, 'aria-hidden': 'true', vars: { '--w': `${(Math.abs(apart) / most) * 50}%` } }, h('span', {})),
      h('b', { class: 'tabular' }, x.index.toFixed(1)),
      h('span', { class: 'sub' }, `${words}, ${plural(x.products, 'product')}`));
  }));
}

function volatility(list) {
  if (!list.length) return empty('No volatility yet', 'It takes prices of several days.');
  const most = Math.max(...list.map((x) => x.percent), 0.1);
  return h('ul', { class: 'level-bars', 'aria-label': 'Volatility by retailer' }, [...list].sort((a, b) => b.percent - a.percent).map((x) => h('li', {},
    h('span', { class: 'bar-name' }, nameOf(x.retailer)),
    h('span', { class: 'bar', 'aria-hidden': 'true' }, h('span', { vars: { '--w': `${(x.percent / most) * 100}%` } })),
    h('b', { class: 'tabular' }, `${x.percent.toFixed(1)} %`),
    h('span', { class: 'sub' }, plural(x.products, 'product')))));
}

function coverage(list) {
  const one = [...list].filter((x) => x.retailer).sort((a, b) => b.percent - a.percent);
  if (!one.length) return empty('No products yet', 'Upload a price list to begin.');
  return h('ul', { class: 'level-bars', 'aria-label': 'Coverage by retailer' }, one.map((x) => h('li', {},
    h('span', { class: 'bar-name' }, nameOf(x.retailer)),
    meter(x.percent, `Share of ${nameOf(x.retailer)}’s products with a price of the last seven days`),
    h('span', { class: 'sub' }, `${count(x.priced)} of ${plural(x.products, 'product')}`))));
}

const figure = (label, value, words) => h('div', { class: 'figure' }, h('h2', { class: 'label' }, label), h('p', { class: 'big tabular' }, value), h('p', { class: 'muted' }, words));

function dashboard({ as_of: at, movers: moved, index, volatility: restless, coverage: covered }) {
  if (!at) return card(null, empty('No prices yet', 'The dashboard fills itself a few seconds after the first prices are stored.'));
  const all = covered.find((x) => !x.retailer);
  const cheapest = [...index].sort((a, b) => a.index - b.index)[0];
  const calm = [...restless].sort((a, b) => b.percent - a.percent)[0];
  const old = Date.now() - Date.parse(at) > 86_400_000;
  return [
    old && note('warn', 'These figures are older than a day', h('p', {}, 'No price has been stored since. Check the crawls and uploads.')),
    h('div', { class: 'strip three' },
      figure('Fresh prices', all ? `${Math.round(all.percent)} %` : '–', all ? `${count(all.priced)} of ${plural(all.products, 'product')} have a price of the last seven days` : 'No products yet'),
      figure('Cheapest retailer', cheapest ? nameOf(cheapest.retailer) : '–', cheapest ? `Price level ${cheapest.index.toFixed(1)} on matched products; 100 is the mean` : 'It takes matched products'),
      figure('Most restless', calm ? nameOf(calm.retailer) : '–', calm ? `Prices vary by ${calm.percent.toFixed(1)} % within 30 days, in the median` : 'It takes prices of several days')),
    h('div', { class: 'halves' },
      card('Dearer this week', movers('Products that became dearer', moved.up, 'up')),
      card('Cheaper this week', movers('Products that became cheaper', moved.down, 'down'))),
    h('div', { class: 'thirds' },
      card('Price level', [h('p', { class: 'fine under' }, 'On products that several retailers sell. 100 is their mean.'), levels(index)]),
      card('Volatility', [h('p', { class: 'fine under' }, 'How much prices vary within 30 days: the median of a retailer’s products.'), volatility(restless)]),
      card('Coverage', [h('p', { class: 'fine under' }, 'Products with a price of the last seven days.'), coverage(covered)])),
  ];
}

export function screen({ signal }) {
  const region = h('div', { class: 'stack wide' });
  const asOf = h('p', { class: 'fine', role: 'status' });
  const read = () => load(region, {
    signal, waiting: [skeleton(1, 'strip-skeleton'), skeleton(6, 'row')],
    read: () => get('/api/prices/analytics', signal),
    show: ({ data }) => {
      asOf.replaceChildren(...(data.as_of ? ['As of ', h('time', { datetime: data.as_of, title: dateTime(data.as_of) }, ago(data.as_of))] : []));
      return dashboard(data);
    },
  });
  read();
  return [heading('Prices', { lead: 'What moved, who is dear, and how fresh it all is.', actions: [asOf, button('Refresh', { glyph: 'refresh', kind: 'quiet', onclick: read })] }), region];
}
