import { Intent, post } from '../api.js';
import { Categories, categories, stats } from '../catalog.js';
import { ask, decisionQueue } from '../decision_queue.js';
import { h, webUrl } from '../dom.js';
import { ago, count, dateTime, plural, price, signed, title as named } from '../format.js';
import { shortcuts } from '../keys.js';
import { replace } from '../router.js';
import { announce, button, card, chip, dialog, empty, field, heading, meter, money, offerChoices, picture, select } from '../ui.js';

export const title = 'Approvals';

const PATH = '/api/products/pending';
const FILTERS = ['retailer', 'category', 'kind'];
const KINDS = [['', 'New and changed'], ['new', 'New offers'], ['change', 'Changes']];
const LABELS = { name: 'Name', brand: 'Brand', size: 'Size', category: 'Category', price: 'Price', currency: 'Currency', url: 'Address', image: 'Picture', description: 'Description' };
const KEYS = [['j', 'next'], ['k', 'previous'], ['a', 'approve'], ['r', 'reject'], ['x', 'select']];

export function screen({ path, query, signal }) {
  const filter = Object.fromEntries(FILTERS.map((key) => [key, query[key] ?? '']));
  const queue = decisionQueue({
    path: PATH, of: 'pending', filter: () => filter, label: 'Proposals', card: (p) => proposalCard(p), signal, stale: 'This proposal has changed meanwhile',
    counted: (n) => (n ? `${n} waiting` : 'Nothing waits'),
    bulk: (picked) => [
      button(`Approve ${count(picked().length)} selected`, { kind: 'small primary', onclick: () => approveAll(picked()) }),
      button(`Reject ${count(picked().length)} selected`, { kind: 'small danger', onclick: () => reject(picked()) })],
    none: () => {
      const narrowed = FILTERS.some((key) => filter[key]);
      return empty(narrowed ? 'Nothing waits here' : 'All is decided', narrowed ? 'Choose other filters.' : 'What crawls and uploads find waits here until somebody or a rule approves it.');
    },
  });
  const { list } = queue;
  const retailer = select([['', 'All retailers']], '');
  const category = select([['', 'All categories']], '');
  const kind = select(KINDS, filter.kind);
  let kinds = new Categories([]);

  const shown = (name, value, offer) => (value === null || value === '' ? h('span', { class: 'muted' }, 'empty')
    : name === 'price' ? `${offer.currency} ${price(value)}` : name === 'category' ? kinds.label(value) : String(value));

  function difference({ field: name, known, proposed }, proposal) {
    const change = name === 'price' && known > 0 ? ((proposed - known) / known) * 100 : null;
    return h('div', { class: 'difference' }, h('dt', {}, LABELS[name] ?? named(name)),
      h('dd', {}, h('del', {}, h('span', { class: 'sr' }, 'from '), shown(name, known, proposal.known)), h('span', { class: 'arrow-to', 'aria-hidden': 'true' }, '→'),
        h('ins', {}, h('span', { class: 'sr' }, 'to '), shown(name, proposed, proposal.product)),
        change !== null && h('span', { class: `change ${change > 0 ? 'up' : 'down'}` }, `${signed(change)} %`)));
  }

  function fresh(offer) {
    return ['size', 'category', 'description'].filter((key) => offer[key]).map((key) => h('div', { class: 'difference' }, h('dt', {}, LABELS[key]), h('dd', {}, h('ins', {}, shown(key, offer[key], offer)))));
  }

  function proposalCard(p) {
    const offer = p.product;
    const source = offer.url && webUrl(offer.url);
    const name = `${offer.name}, ${named(offer.retailer)}`;
    return h('li', { class: 'proposal', tabindex: '-1', 'data-id': p.id, 'aria-label': name },
      queue.pick(p.id, name),
      picture(offer),
      h('div', { class: 'proposal-main' },
        h('div', { class: 'proposal-head' },
          h('h2', {}, p.kind === 'change' ? h('a', { href: `#/products/${encodeURIComponent(p.id)}` }, offer.name) : offer.name), chip(p.kind === 'new' ? 'New' : 'Change', p.kind === 'new' ? 'good' : 'warn'), money(offer.price, offer.currency)),
        h('p', { class: 'sub' }, [offer.brand, offer.size, named(offer.retailer)].filter(Boolean).join(' · '), ' · ', h('time', { datetime: p.proposed_at, title: dateTime(p.proposed_at) }, ago(p.proposed_at)), ` by ${named(p.source).toLowerCase()}`,
          source && [' · ', h('a', { href: source.href, target: '_blank', rel: 'noopener noreferrer' }, source.hostname, h('span', { class: 'sr' }, ' (opens in a new tab)'))]),
        h('dl', { class: 'differences' }, p.kind === 'new' ? fresh(offer) : p.differences.map((d) => difference(d, p))),
        p.match && h('div', { class: 'proposal-match' }, h('span', { class: 'label' }, 'Likely the same as'), h('a', { href: `#/products/${encodeURIComponent(p.match.product_id)}` }, p.match.name), meter(p.match.confidence, `Confidence that it is ${p.match.name}`)),
        p.reason && h('p', { class: 'fine' }, 'Waits because: ', p.reason)),
      h('div', { class: 'proposal-actions' },
        button('Approve', { kind: 'small primary', glyph: 'check', 'aria-label': `Approve ${name}`, onclick: () => approve(p) }),
        button('Reject', { kind: 'small danger', 'aria-label': `Reject ${name}`, onclick: () => reject([p]) })),
      h('div', { class: 'proposal-trouble' }));
  }

  const approve = (p) => queue.decide(p.id, () => post(`${PATH}/${encodeURIComponent(p.id)}/approve`, {}, new Intent(), '', { 'If-Match': `"${p.version}"` }), `Approved ${p.product.name}`);

  const conclude = (results, word) => queue.conclude(results, (n) => `${plural(n, 'proposal')} ${word}`);

  const approveAll = (some) => {
    const intent = new Intent();
    ask((then) => dialog({
      title: `Approve ${plural(some.length, 'proposal')}?`, confirm: 'Approve',
      body: [h('p', {}, 'They become part of the catalogue as they stand here.')],
      act: async () => {
        const { data } = await post(`${PATH}/approve`, { ids: some.map((x) => x.id) }, intent);
        then(() => conclude(data.results, 'approved'));
      },
    }));
  };

  function reject(some) {
    const intent = new Intent();
    const reason = h('textarea', { rows: 3, maxlength: 500, required: true });
    const [one] = some;
    ask((then) => dialog({
      title: some.length === 1 ? `Reject ${one.product.name}?` : `Reject ${plural(some.length, 'proposal')}?`, confirm: 'Reject', tone: 'danger solid',
      body: [field('reason', 'Reason', reason, 'Kept with the proposal and in the audit log.')],
      act: async () => {
        const words = reason.value.trim();
        if (!words) throw Object.assign(new Error(), { errors: [{ field: 'reason', message: 'Say why.' }] });
        if (some.length > 1) {
          const { data } = await post(`${PATH}/reject`, { ids: some.map((x) => x.id), reason: words }, intent);
          then(() => conclude(data.results, 'rejected'));
          return;
        }
        await post(`${PATH}/${encodeURIComponent(one.id)}/reject`, { reason: words }, intent, words, { 'If-Match': `"${one.version}"` });
        then(() => {
          queue.settle([one.id]);
          announce(`Rejected ${one.product.name}`);
        });
      },
    }));
  }

  const keys = shortcuts(KEYS, ({ key }) => {
    const p = queue.current();
    return { j: () => queue.step(1), k: () => queue.step(-1), a: p && (() => approve(p)), r: p && (() => reject([p])), x: p && (() => queue.toggle(p.id)) }[key];
  }, signal);

  const apply = () => {
    Object.assign(filter, { retailer: retailer.value, category: category.value, kind: kind.value });
    replace(path, filter);
    list.read();
  };

  async function open() {
    const [tree, numbers] = await Promise.all([categories(signal).catch(() => []), stats(signal).catch(() => ({}))]);
    if (signal.aborted) return;
    kinds = new Categories(tree, Object.keys(numbers.by_category ?? {}));
    offerChoices(retailer, 'All retailers', Object.keys(numbers.by_retailer ?? {}).sort().map((key) => [key, named(key)]), filter.retailer);
    offerChoices(category, 'All categories', tree.length ? kinds.options() : [], filter.category);
    list.read();
  }

  list.wait();
  open();
  return [
    heading('Approvals', { lead: 'What was found, and what it would change.' }),
    card(null, [
      h('form', { class: 'filters three', role: 'search', 'aria-label': 'Proposals', onchange: apply, onsubmit: (event) => event.preventDefault() }, field('retailer', 'Retailer', retailer), field('category', 'Category', category), field('kind', 'Kind', kind)),
      queue.head, keys, list.results, list.foot,
    ], { class: 'card flush' }),
  ];
}
