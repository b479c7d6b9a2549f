// Offers side by side; what one of them says alone is marked.
import { h, webUrl } from './dom.js';
import { signed, title as named } from './format.js';
import { chip, icon, money, picture } from './ui.js';

// Letters and digits apart, so that "1L" and "1 L" are the same two words.
const WORD = /\p{N}+(?:[.,]\p{N}+)*|[\p{L}\p{M}]+/gu;

const plain = (text) => String(text ?? '').normalize('NFKC').toLowerCase();
const spelled = (text) => plain(text).match(WORD) ?? [];
const wordsOf = (text) => new Set(spelled(text));

// A word counts that most of the others lack; what they say in another field is no difference.
function markedName(product, others) {
  const known = others.map((x) => wordsOf([x.name, x.brand, x.size].join(' ')));
  const pieces = [];
  let end = 0;
  for (const found of product.name.matchAll(WORD)) {
    const lacking = known.filter((words) => !words.has(plain(found[0])));
    pieces.push(product.name.slice(end, found.index), lacking.length > known.length / 2 ? h('mark', {}, found[0]) : found[0]);
    end = found.index + found[0].length;
  }
  return [...pieces, product.name.slice(end)];
}

// Values held by fewer offers than the commonest one; where none is commonest, all of them.
function apart(values) {
  const counts = new Map();
  const keys = values.map((value) => spelled(value).join(' '));
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const tie = [...counts.values()].filter((n) => n === most).length > 1;
  return keys.map((key) => counts.size > 1 && (tie || counts.get(key) < most));
}

function priceCell(product, products) {
  const least = Math.min(...products.filter((x) => x.currency === product.currency).map((x) => x.price));
  const gap = least > 0 ? ((product.price - least) / least) * 100 : 0;
  return [money(product.price, product.currency), gap >= 0.05 && h('span', { class: 'gap bad' }, ` ${signed(gap)} %`)];
}

function retailerCell(product) {
  const url = product.url && webUrl(product.url);
  return url ? h('a', { href: url.href, title: url.hostname, target: '_blank', rel: 'noopener noreferrer' }, named(product.retailer), icon('link'), h('span', { class: 'sr' }, ' (opens in a new tab)')) : named(product.retailer);
}

// `ticked` are compared with each other; the rest with them.
export function comparison({ products, ticked, primary, kinds, tick, choose }) {
  const rows = [
    ['Brand', (p) => p.brand], ['Size', (p) => p.size], ['Price', (p) => priceCell(p, products), () => ''],
    ['Retailer', retailerCell, () => ''], ['Category', (p) => p.category && kinds.label(p.category), (p) => p.category],
    ['Number', (p) => p.retailer_sku && h('code', {}, p.retailer_sku), () => ''],
  ].filter(([, show]) => products.some(show));
  const others = (p) => products.filter((x) => x.id !== p.id && ticked.has(x.id));
  const column = (p) => !ticked.has(p.id) && 'out';
  const head = (p, i) => h('th', { scope: 'col', class: column(p) },
    h('div', { class: 'member' }, picture(p), h('label', { class: 'check' }, h('input', { type: 'checkbox', checked: ticked.has(p.id), 'data-tick': p.id, 'aria-label': `Offer ${i + 1}: ${p.name}, ${named(p.retailer)}`, onchange: () => tick(p.id) }), h('kbd', { 'aria-hidden': 'true' }, String(i + 1)))),
    h('a', { class: 'member-name', href: `#/products/${encodeURIComponent(p.id)}` }, markedName(p, others(p))),
    h('label', { class: 'check primary' }, h('input', { type: 'radio', name: 'primary', checked: p.id === primary, disabled: !ticked.has(p.id), 'data-primary': p.id, 'aria-label': `Primary: offer ${i + 1}`, onchange: () => choose(p.id) }), 'Primary'), p.group_id && chip('Merged', 'good'));
  const row = ([label, show, value = show]) => {
    const differs = apart(products.map(value));
    return h('tr', {}, h('th', { scope: 'row' }, label), products.map((p, i) => h('td', { class: [column(p), differs[i] && 'apart'].filter(Boolean).join(' ') || undefined }, show(p) || h('span', { class: 'muted' }, '–'))));
  };
  return h('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': 'Offers side by side' },
    h('table', { class: 'beside', vars: { '--n': String(products.length) } }, h('caption', { class: 'sr' }, 'Offers side by side'),
      h('thead', {}, h('tr', {}, h('td', {}), products.map(head))), h('tbody', {}, rows.map(row))));
}
