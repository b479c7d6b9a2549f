import { Intent, post } from '../api.js';
import { Categories, categories, stats } from '../catalog.js';
import { h, fill, webUrl } from '../dom.js';
import { ago, count, dateTime, plural, price, signed, title as named } from '../format.js';
import { shortcuts } from '../keys.js';
import { pages } from '../pages.js';
import { replace } from '../router.js';
import { announce, button, card, chip, dialog, empty, failure, field, heading, meter, money, offerChoices, picture, select, toast } from '../ui.js';

export const title = 'Approvals';

const PATH = '/api/products/pending';
const FILTERS = ['retailer', 'category', 'kind'];
const KINDS = [['', 'New and changed'], ['new', 'New offers'], ['change', 'Changes']];
const LABELS = { name: 'Name', brand: 'Brand', size: 'Size', category: 'Category', price: 'Price', currency: 'Currency', url: 'Address', image: 'Picture', description: 'Description' };
const KEYS = [['j', 'next'], ['k', 'previous'], ['a', 'approve'], ['r', 'reject'], ['x', 'select']];

export function screen({ path, query, signal }) {
  const filter = Object.fromEntries(FILTERS.map((key) => [key, query[key] ?? '']));
  const chosen = new Set();
  const list = pages({
    path: PATH, of: 'pending', filter: () => filter, paint: () => paint(), signal, waiting: 4,
    taken: (data, cursor) => {
      if (!cursor) chosen.clear();
      [total, atLeast] = [data.total, data.total_is_minimum];
    },
  });
  const bulk = h('div', { class: 'actions' });
  const all = h('input', { type: 'checkbox', onchange: () => chooseAll(all.checked) });
  const retailer = select([['', 'All retailers']], '');
  const category = select([['', 'All categories']], '');
  const kind = select(KINDS, filter.kind);
  let kinds = new Categories([]);
  let total = 0;
  let atLeast = false;

  const cardOf = (id) => list.results.querySelector(`[data-id="${CSS.escape(id)}"]`);
  const current = () => list.rows.find((x) => x.id === document.activeElement?.closest('.proposal')?.dataset.id);
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
      h('input', { type: 'checkbox', class: 'pick', 'aria-label': `Select ${name}`, checked: chosen.has(p.id), onchange: (event) => choose(p.id, event.currentTarget.checked) }),
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

  function paintBulk() {
    const n = chosen.size;
    all.checked = n > 0 && n === list.rows.length;
    all.indeterminate = n > 0 && n < list.rows.length;
    const picked = () => list.rows.filter((x) => chosen.has(x.id));
    fill(bulk, n > 0 && [
      button(`Approve ${count(n)} selected`, { kind: 'small primary', onclick: () => approveAll(picked()) }),
      button(`Reject ${count(n)} selected`, { kind: 'small danger', onclick: () => reject(picked()) })]);
  }

  function paintCount() {
    list.counted.textContent = total ? `${count(total)}${atLeast ? '+' : ''} waiting` : 'Nothing waits';
  }

  function paint() {
    paintCount();
    paintBulk();
    const narrowed = FILTERS.some((key) => filter[key]);
    fill(list.results, list.rows.length ? h('ul', { class: 'proposals', 'aria-label': 'Proposals' }, list.rows.map(proposalCard))
      : empty(narrowed ? 'Nothing waits here' : 'All is decided', narrowed ? 'Choose other filters.' : 'What crawls and uploads find waits here until somebody or a rule approves it.'));
  }

  function choose(id, on) {
    if (on) chosen.add(id);
    else chosen.delete(id);
    paintBulk();
  }

  function chooseAll(on) {
    chosen.clear();
    if (on) list.rows.slice(0, 100).forEach((x) => chosen.add(x.id));
    for (const box of list.results.querySelectorAll('.pick')) box.checked = chosen.has(box.closest('.proposal').dataset.id);
    paintBulk();
  }

  function step(by) {
    const { rows } = list;
    const at = rows.findIndex((x) => x.id === current()?.id);
    const to = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + by))];
    if (to) cardOf(to.id).focus();
  }

  // Takes decided ones out; the next in line has the focus, so that a queue is worked off by keys alone.
  function settle(ids) {
    if (!ids.length) return;
    const gone = new Set(ids);
    const at = list.rows.findIndex((x) => gone.has(x.id));
    const onward = list.rows.slice(at).find((x) => !gone.has(x.id)) ?? list.rows.findLast((x) => !gone.has(x.id));
    list.rows = list.rows.filter((x) => !gone.has(x.id));
    ids.forEach((id) => { chosen.delete(id); cardOf(id)?.remove(); });
    total = Math.max(list.rows.length, total - ids.length);
    paintCount();
    paintBulk();
    if (onward) cardOf(onward.id).focus();
    else if (list.next) list.read();
    else {
      paint();
      list.counted.focus();
    }
  }

  function trouble(id, error) {
    const box = cardOf(id);
    if (!box) return;
    const stale = error.status === 412;
    fill(box.querySelector('.proposal-trouble'), failure(stale ? { title: 'This proposal has changed meanwhile', detail: 'Look at it again before you decide.' } : error, stale ? () => list.read() : null));
  }

  async function approve(p) {
    const box = cardOf(p.id);
    if (box.getAttribute('aria-busy')) return;
    box.setAttribute('aria-busy', 'true');
    try {
      await post(`${PATH}/${encodeURIComponent(p.id)}/approve`, {}, new Intent(), '', { 'If-Match': `"${p.version}"` });
      settle([p.id]);
      announce(`Approved ${p.product.name}`);
    } catch (error) {
      box.removeAttribute('aria-busy');
      if (error.status !== 401) trouble(p.id, error);
    }
  }

  function conclude(told, word) {
    const failed = told.filter((x) => x.status === 'failed');
    settle(told.filter((x) => x.status !== 'failed').map((x) => x.id));
    failed.forEach((x) => trouble(x.id, { title: 'Not decided', detail: x.detail ?? 'Try it by itself.' }));
    toast(`${plural(told.length - failed.length, 'proposal')} ${word}${failed.length ? `, ${failed.length} not` : ''}.`, failed.length ? 'bad' : 'good');
  }

  // What follows waits until the dialog is gone: behind it nothing can take the focus.
  function ask(options) {
    let after = null;
    const box = dialog({ ...options, act: async () => { after = await options.act(); } });
    box.addEventListener('close', () => after?.());
  }

  const approveAll = (some) => {
    const intent = new Intent();
    ask({
      title: `Approve ${plural(some.length, 'proposal')}?`, confirm: 'Approve',
      body: [h('p', {}, 'They become part of the catalogue as they stand here.')],
      act: async () => {
        const { data } = await post(`${PATH}/approve`, { ids: some.map((x) => x.id) }, intent);
        return () => conclude(data.results, 'approved');
      },
    });
  };

  function reject(some) {
    const intent = new Intent();
    const reason = h('textarea', { rows: 3, maxlength: 500, required: true });
    const [one] = some;
    ask({
      title: some.length === 1 ? `Reject ${one.product.name}?` : `Reject ${plural(some.length, 'proposal')}?`, confirm: 'Reject', tone: 'danger solid',
      body: [field('reason', 'Reason', reason, 'Kept with the proposal and in the audit log.')],
      act: async () => {
        const words = reason.value.trim();
        if (!words) throw Object.assign(new Error(), { errors: [{ field: 'reason', message: 'Say why.' }] });
        if (some.length > 1) {
          const { data } = await post(`${PATH}/reject`, { ids: some.map((x) => x.id), reason: words }, intent);
          return () => conclude(data.results, 'rejected');
        }
        await post(`${PATH}/${encodeURIComponent(one.id)}/reject`, { reason: words }, intent, words, { 'If-Match': `"${one.version}"` });
        return () => {
          settle([one.id]);
          announce(`Rejected ${one.product.name}`);
        };
      },
    });
  }

  const keys = shortcuts(KEYS, ({ key }) => {
    const p = current();
    return { j: () => step(1), k: () => step(-1), a: p && (() => approve(p)), r: p && (() => reject([p])), x: p && (() => { const box = cardOf(p.id).querySelector('.pick'); box.checked = !box.checked; choose(p.id, box.checked); }) }[key];
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
      h('div', { class: 'results-head' }, h('label', { class: 'check' }, all, h('span', { class: 'sr' }, 'Select all shown')), list.counted, h('span', { class: 'spread' }), bulk),
      keys, list.results, list.foot,
    ], { class: 'card flush' }),
  ];
}
