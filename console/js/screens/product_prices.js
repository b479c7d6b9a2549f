// What a product has cost: the chart, its figures and its trend in words.
import { get, query, request } from '../api.js';
import { legend, priceChart } from '../chart.js';
import { h, fill } from '../dom.js';
import { count, date, dateTime, plural, price, signed, title as named } from '../format.js';
import { DAY } from '../scale.js';
import { card, empty, load, note, skeleton, stepped, table } from '../ui.js';

// Key, label, how a sentence names it, days.
const RANGES = [['1m', '1 month', 'month', 30], ['3m', '3 months', '3 months', 90], ['1y', '1 year', 'year', 365]];
const SOURCES = { crawler: 'Crawler', manual: 'By hand', api: 'API' };
const ROWS = 25;
// Kept from one product to the next, as a reader compares them over the same time.
let range = '3m';

function seriesOf(points, currency) {
  const found = new Map();
  for (const p of points) {
    if (p.currency !== currency) continue;
    if (!found.has(p.retailer)) found.set(p.retailer, []);
    found.get(p.retailer).push({ at: Date.parse(p.timestamp), price: p.price });
  }
  return [...found].map(([retailer, list]) => ({ retailer, points: list }));
}

function sentence({ stats }, series, words) {
  const now = series.map((one) => `${named(one.retailer)} ${stats.currency} ${price(one.points.at(-1).price)}`).join(', ');
  return `Prices over the last ${words}: between ${stats.currency} ${price(stats.min)} and ${price(stats.max)}, median ${price(stats.median)}, from ${plural(stats.count, 'reading')}. Latest: ${now}.`;
}

function trendWords(t, words) {
  if (t.days_with_data < 3) {
    return ['plain', 'Too little is known', `A trend needs prices of three days or more; the last ${words} have ${count(t.days_with_data)}.`];
  }
  const rest = `${plural(t.days_with_data, 'day')} with a price, ${count(t.days_without_data)} without.`;
  if (t.trend === 'stable') {
    return ['plain', 'Stable', `No lasting change over the last ${words} (${signed(t.change_percent)} % between its first and last third). ${rest}`];
  }
  const rises = t.trend === 'increasing';
  const chance = t.significance < 0.001 ? 'less than 0.1' : (t.significance * 100).toFixed(1);
  return [rises ? 'up' : 'down', rises ? 'Rising' : 'Falling',
    `${rises ? 'Up' : 'Down'} ${Math.abs(t.change_percent).toFixed(1)} % over the last ${words}, about ${t.currency} ${price(Math.abs(t.slope))} a day. Chance alone would look like this in ${chance} % of cases. ${rest}`];
}

const figure = (label, value) => h('div', { class: 'figure' }, h('h3', {}, label), h('p', { class: 'big small tabular' }, value));

export function priceCard(product, signal) {
  const region = h('div', {});
  const trend = h('div', { class: 'trend' });

  function show({ data }, words, from, to) {
    const series = seriesOf(data.points, data.stats.currency);
    if (!series.length) return empty('No prices in this time', 'Prices come with uploads, crawls and edits. A longer range may hold some.');
    const foreign = data.points.length - series.reduce((n, one) => n + one.points.length, 0);
    const money = (n) => [h('span', { class: 'cur' }, data.stats.currency), ' ', price(n)];
    const newest = [...data.points].reverse();
    return [
      h('div', { class: 'plot-box' },
        priceChart({ series, from, to, median: data.stats.median, currency: data.stats.currency, summary: sentence(data, series, words), signal }),
        h('div', { class: 'plot-foot' }, legend(series), h('p', { class: 'fine' }, h('span', { class: 'key median' }), 'Median'),
          h('p', { class: 'fine keys-hint' }, 'Point at the chart, or focus it and use the arrow keys.'))),
      foreign > 0 && note('info', null, h('p', {}, `${plural(foreign, 'price')} in another currency ${foreign === 1 ? 'stands' : 'stand'} in the table only.`)),
      h('div', { class: 'figures' }, figure('Lowest', money(data.stats.min)), figure('Median', money(data.stats.median)), figure('Highest', money(data.stats.max)), figure('Readings', count(data.stats.count))),
      h('details', { class: 'fold' }, h('summary', {}, 'Prices as a table'),
        stepped(newest, ROWS, (rows) => table({
          caption: 'Prices, newest first', kind: 'compact',
          columns: [{ label: 'Date', row: true }, { label: 'Retailer' }, { label: 'Source' }, { label: 'Price', kind: 'num' }],
          rows: rows.map((p) => ({ cells: [h('time', { datetime: p.timestamp, title: dateTime(p.timestamp) }, date(p.timestamp)), named(p.retailer), SOURCES[p.source] ?? named(p.source), `${p.currency} ${price(p.price)}`] })),
        }))),
    ];
  }

  function readTrend(words, days) {
    load(trend, {
      signal, waiting: skeleton(1),
      read: () => request('POST', '/api/prices/analyze', { body: { product_ids: [product.id], window_days: days }, signal }),
      show: ({ data }) => {
        if (!data.trends.length) return null;
        const [tone, title, text] = trendWords(data.trends[0], words);
        return h('p', {}, h('b', { class: `trend-word ${tone}` }, title), ' ', h('span', { class: 'muted' }, text));
      },
    });
  }

  function read() {
    const [, , words, days] = RANGES.find(([key]) => key === range);
    // Whole days, so that the same question finds the kept answer.
    const to = Math.ceil(Date.now() / DAY) * DAY;
    const from = to - days * DAY;
    const asked = query({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), interval: 'day' });
    load(region, {
      signal, waiting: skeleton(1, 'plot-skeleton'),
      read: () => get(`/api/prices/history/${encodeURIComponent(product.id)}${asked}`, signal),
      show: (answer) => show(answer, words, from, Math.min(to, Date.now())),
    });
    readTrend(words, days);
  }

  const choice = h('div', { class: 'segments', role: 'radiogroup', 'aria-label': 'Range of time' }, RANGES.map(([key, label]) =>
    h('label', {}, h('input', { type: 'radio', name: 'range', value: key, checked: key === range, onchange: () => { range = key; read(); } }), h('span', {}, label))));
  read();
  return card('Price history', [trend, region], { actions: choice });
}
