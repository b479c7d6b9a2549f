import { Intent, post } from '../api.js';
import { Categories, categories } from '../catalog.js';
import { choose } from '../category_picker.js';
import { h, fill } from '../dom.js';
import { ago, count, dateTime, plural, title as named } from '../format.js';
import { shortcuts } from '../keys.js';
import { pages } from '../pages.js';
import { replace } from '../router.js';
import { announce, button, card, chip, dialog, empty, failure, field, heading, meter, offerChoices, select, state, toast } from '../ui.js';

export const title = 'Review queue';

const PATH = '/classify/reviews';
const FILTERS = ['status', 'provider', 'category'];
const STATUSES = [['', 'Waiting'], ['decided', 'Decided']];
const PROVIDERS = ['groq', 'gemini', 'cerebras', 'openrouter', 'local'];
const REASONS = { low_confidence: 'Not sure enough', failed: 'Nobody answered', unlabelled: 'Asked for its label' };
const KEYS = [['j', 'next'], ['k', 'previous'], ['a', 'accept'], ['c', 'correct'], ['r', 'reject'], ['x', 'select']];
const DONE = { accept: 'Accepted', correct: 'Corrected', reject: 'Rejected' };
// Read on before the queue runs out.
const AHEAD = 3;

export function screen({ path, query, signal }) {
  const filter = Object.fromEntries(FILTERS.map((key) => [key, query[key] ?? '']));
  const chosen = new Set();
  const list = pages({
    path: PATH, of: 'reviews', filter: () => filter, paint: () => paint(), signal, waiting: 4, size: 50,
    taken: (data, cursor) => {
      if (!cursor) chosen.clear();
      [total, atLeast] = [data.total, data.total_is_minimum];
    },
  });
  const bulk = h('div', { class: 'actions' });
  const all = h('input', { type: 'checkbox', onchange: () => chooseAll(all.checked) });
  const status = select(STATUSES, filter.status);
  const provider = select([['', 'All providers'], ...PROVIDERS.map((name) => [name, named(name)])], filter.provider);
  const category = select([['', 'All categories']], '');
  let kinds = new Categories([]);
  let total = 0;
  let atLeast = false;

  const waits = () => filter.status !== 'decided';
  const cardOf = (id) => list.results.querySelector(`[data-id="${CSS.escape(id)}"]`);
  const current = () => list.rows.find((x) => x.id === document.activeElement?.closest('.review')?.dataset.id);
  const picked = () => list.rows.filter((x) => chosen.has(x.id));

  // What the catalogue says now, where that is not what was classified.
  function now(r) {
    if (!r.product.id) return null;
    if (!r.current || r.current.status === 'deleted') return h('p', { class: 'fine' }, chip('Removed', 'bad'), ' The product is no longer in the catalogue.');
    const renamed = r.current.name !== r.product.name && `is called ${r.current.name} now`;
    const filed = r.current.category ? `stands in ${kinds.label(r.current.category)}` : 'has no category yet';
    return h('p', { class: 'fine' }, 'The product ', [renamed, filed].filter(Boolean).join(' and '), '.');
  }

  function outcome(r) {
    return h('p', { class: 'sub' }, state(r.status), r.decided_category && ` ${kinds.label(r.decided_category)}`, ' · ', h('time', { datetime: r.decided_at, title: dateTime(r.decided_at) }, ago(r.decided_at)));
  }

  function reviewCard(r) {
    const { name } = r.product;
    const about = [r.product.brand, r.product.description].filter(Boolean).join(' · ');
    return h('li', { class: 'review', tabindex: '-1', 'data-id': r.id, 'aria-label': name },
      waits() ? h('input', { type: 'checkbox', class: 'pick', 'aria-label': `Select ${name}`, checked: chosen.has(r.id), onchange: (event) => pick(r.id, event.currentTarget.checked) }) : h('span', {}),
      h('div', { class: 'review-main' },
        h('div', { class: 'proposal-head' }, h('h2', {}, r.product.id && r.current ? h('a', { href: `#/products/${encodeURIComponent(r.product.id)}` }, name) : name), chip(REASONS[r.reason], r.reason === 'failed' ? 'bad' : 'warn')),
        about && h('p', { class: 'sub clamp' }, about),
        r.category ? h('p', { class: 'review-answer' }, h('span', { class: 'label' }, 'Found'), h('b', {}, kinds.label(r.category)), h('span', { class: 'fine' }, kinds.trail(kinds.byKey.get(r.category))))
          : h('p', { class: 'review-answer' }, h('span', { class: 'label' }, 'Found'), h('span', {}, r.failure ?? 'nothing')),
        r.rationale && h('p', { class: 'rationale' }, r.rationale),
        now(r),
        h('p', { class: 'fine' }, [r.provider && named(r.provider), r.model].filter(Boolean).join(' · '), r.provider && ' · ', h('time', { datetime: r.created_at, title: dateTime(r.created_at) }, ago(r.created_at)))),
      h('div', { class: 'review-side' },
        r.confidence !== null && h('div', { class: 'review-sure' }, meter(r.confidence, `Confidence for ${name}`), r.raw_confidence !== r.confidence && h('p', { class: 'fine' }, `${r.provider ? named(r.provider) : 'It'} said ${r.raw_confidence} %`)),
        waits() ? h('div', { class: 'proposal-actions' },
          r.category && button('Accept', { kind: 'small primary', glyph: 'check', 'aria-label': `Accept ${kinds.label(r.category)} for ${name}`, onclick: () => decide(r, 'accept') }),
          button('Correct', { kind: 'small', 'aria-label': `Correct the category of ${name}`, onclick: () => correct([r]) }),
          button('Reject', { kind: 'small danger', 'aria-label': `Reject ${name}`, onclick: () => decide(r, 'reject') })) : outcome(r)),
      h('div', { class: 'proposal-trouble' }));
  }

  function paintBulk() {
    const n = chosen.size;
    all.checked = n > 0 && n === list.rows.length;
    all.indeterminate = n > 0 && n < list.rows.length;
    fill(bulk, n > 0 && [
      button(`Accept ${count(n)}`, { kind: 'small primary', onclick: () => confirm('accept', picked()) }),
      button(`Correct ${count(n)}`, { kind: 'small', onclick: () => correct(picked()) }),
      button(`Reject ${count(n)}`, { kind: 'small danger', onclick: () => confirm('reject', picked()) })]);
  }

  function paintCount() {
    list.counted.textContent = total ? `${count(total)}${atLeast ? '+' : ''} ${waits() ? 'waiting' : 'decided'}` : waits() ? 'Nothing waits' : 'Nothing decided';
  }

  function paint() {
    paintCount();
    paintBulk();
    all.closest('label').hidden = !waits();
    const narrowed = filter.provider || filter.category;
    fill(list.results, list.rows.length ? h('ul', { class: 'proposals', 'aria-label': 'Entries' }, list.rows.map(reviewCard))
      : empty(narrowed ? 'Nothing here' : waits() ? 'All is decided' : 'Nothing decided yet', narrowed ? 'Choose other filters.' : waits() ? 'What a provider is not sure of, and what none could answer, waits here for a person.' : ''));
  }

  function pick(id, on) {
    if (on) chosen.add(id);
    else chosen.delete(id);
    paintBulk();
  }

  function chooseAll(on) {
    chosen.clear();
    if (on) list.rows.slice(0, 100).forEach((x) => chosen.add(x.id));
    for (const box of list.results.querySelectorAll('.pick')) box.checked = chosen.has(box.closest('.review').dataset.id);
    paintBulk();
  }

  function focus(id) {
    cardOf(id)?.focus();
    if (list.next && list.rows.findIndex((x) => x.id === id) >= list.rows.length - AHEAD && !list.results.getAttribute('aria-busy')) more(id);
  }

  // The rows are drawn anew, and whoever works them keeps his place.
  async function more(id) {
    await list.read(list.next);
    cardOf(id)?.focus({ preventScroll: true });
  }

  function step(by) {
    const { rows } = list;
    const at = rows.findIndex((x) => x.id === current()?.id);
    const to = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + by))];
    if (to) focus(to.id);
  }

  // Takes decided ones out; the next in line has the focus, so that the queue is worked off by keys alone.
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
    if (onward) focus(onward.id);
    else if (list.next) list.read();
    else {
      paint();
      list.counted.focus();
    }
  }

  function trouble(id, error) {
    const box = cardOf(id);
    if (!box) return;
    box.removeAttribute('aria-busy');
    const stale = error.status === 412;
    fill(box.querySelector('.proposal-trouble'), failure(stale ? { title: 'The product or this entry has changed meanwhile', detail: 'Look at it again before you decide.' } : error, stale ? () => list.read() : null));
    box.focus();
  }

  const body = (decision, to) => ({ decision, ...(to && { category: to }) });

  async function decide(r, decision, to) {
    const box = cardOf(r.id);
    if (!box || box.getAttribute('aria-busy')) return;
    box.setAttribute('aria-busy', 'true');
    try {
      await post(`${PATH}/${encodeURIComponent(r.id)}`, body(decision, to), new Intent(), undefined, { 'If-Match': `"${r.version}"` });
      settle([r.id]);
      announce(`${DONE[decision]} ${r.product.name}`);
    } catch (error) {
      box.removeAttribute('aria-busy');
      if (error.status !== 401) trouble(r.id, error);
    }
  }

  // What follows waits until the dialog is gone: behind it nothing can take the focus.
  function ask(open) {
    let after = null;
    const box = open((then) => { after = then; });
    box.addEventListener('close', () => after?.());
  }

  const sendAll = async (some, decision, to, intent) => {
    const { data } = await post(PATH, { ids: some.map((x) => x.id), ...body(decision, to) }, intent);
    const failed = data.results.filter((x) => x.status === 'failed');
    return () => {
      settle(data.results.filter((x) => x.status !== 'failed').map((x) => x.id));
      failed.forEach((x) => trouble(x.id, { title: 'Not decided', detail: x.detail ?? 'Try it by itself.' }));
      toast(`${DONE[decision]} ${plural(data.results.length - failed.length, 'product')}${failed.length ? `, ${failed.length} not` : ''}.`, failed.length ? 'bad' : 'good');
    };
  };

  function correct(some) {
    const intent = new Intent();
    const [one] = some;
    ask((then) => choose({
      title: some.length === 1 ? `Category of ${one.product.name}` : `Category of ${plural(some.length, 'product')}`,
      kinds, current: one.category ?? one.current?.category ?? '',
      act: async (to) => {
        if (some.length > 1) then(await sendAll(some, 'correct', to, intent));
        else then(() => decide(one, 'correct', to));
      },
    }));
  }

  function confirm(decision, some) {
    const intent = new Intent();
    const accepting = decision === 'accept';
    ask((then) => dialog({
      title: `${accepting ? 'Accept' : 'Reject'} ${plural(some.length, 'result')}?`, confirm: accepting ? 'Accept' : 'Reject', tone: accepting ? 'primary' : 'danger solid',
      body: [h('p', {}, accepting ? 'Each product is filed under the category that was found for it.' : 'The products stay as they are, and the results count as wrong.')],
      act: async () => then(await sendAll(some, decision, null, intent)),
    }));
  }

  const keys = shortcuts(KEYS, ({ key }) => {
    const r = current();
    const open = r && waits() ? r : null;
    return {
      j: () => step(1), k: () => step(-1), a: open?.category && (() => decide(open, 'accept')), c: open && (() => correct([open])), r: open && (() => decide(open, 'reject')),
      x: open && (() => { const box = cardOf(open.id).querySelector('.pick'); box.checked = !box.checked; pick(open.id, box.checked); }),
    }[key];
  }, signal);

  const apply = () => {
    Object.assign(filter, { status: status.value, provider: provider.value, category: category.value });
    replace(path, filter);
    list.read();
  };

  async function open() {
    const tree = await categories(signal).catch(() => []);
    if (signal.aborted) return;
    kinds = new Categories(tree);
    offerChoices(category, 'All categories', tree.length ? kinds.options() : [], filter.category);
    list.read();
  }

  list.wait();
  open();
  return [
    h('link', { rel: 'stylesheet', href: '/classification.css' }),
    heading('Review queue', { lead: 'What no provider is sure enough of. Each decision files the product and teaches the next answers.' }),
    card(null, [
      h('form', { class: 'filters three', role: 'search', 'aria-label': 'Entries', onchange: apply, onsubmit: (event) => event.preventDefault() }, field('status', 'Show', status), field('provider', 'Provider', provider), field('category', 'Category', category)),
      h('div', { class: 'results-head' }, h('label', { class: 'check' }, all, h('span', { class: 'sr' }, 'Select all shown')), list.counted, h('span', { class: 'spread' }), bulk),
      keys, list.results, list.foot,
    ], { class: 'card flush' }),
  ];
}
