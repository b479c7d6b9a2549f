import { Intent, post } from '../api.js';
import { Categories, categories } from '../catalog.js';
import { choose } from '../category_picker.js';
import { ask, decisionQueue } from '../decision_queue.js';
import { h } from '../dom.js';
import { ago, count, dateTime, plural, title as named, unanswered } from '../format.js';
import { shortcuts } from '../keys.js';
import { replace } from '../router.js';
import { announce, button, card, chip, dialog, empty, field, heading, meter, offerChoices, select, state, toast } from '../ui.js';

export const title = 'Review queue';

const PATH = '/classify/reviews';
const FILTERS = ['status', 'provider', 'category'];
const STATUSES = [['', 'Waiting'], ['decided', 'Decided']];
const PROVIDERS = ['groq', 'gemini', 'cerebras', 'openrouter', 'local'];
const REASONS = { low_confidence: 'Not sure enough', failed: 'Nobody answered', unlabelled: 'Asked for its label' };
const KEYS = [['j', 'next'], ['k', 'previous'], ['a', 'accept'], ['c', 'correct'], ['r', 'reject'], ['x', 'select'], ['u', 'take back']];
const TAKEN_BACK = 'Took back the decision on ';
const DONE = { accept: 'Accepted', correct: 'Corrected', reject: 'Rejected' };
// Read on before the queue runs out.
const AHEAD = 3;

export function screen({ path, query, signal }) {
  const filter = Object.fromEntries(FILTERS.map((key) => [key, query[key] ?? '']));
  const queue = decisionQueue({
    path: PATH, of: 'reviews', filter: () => filter, label: 'Entries', card: (r) => reviewCard(r), signal, ahead: AHEAD, stale: 'The product or this entry has changed meanwhile',
    counted: (n) => (n ? `${n} ${waits() ? 'waiting' : 'decided'}` : waits() ? 'Nothing waits' : 'Nothing decided'),
    painted: () => { queue.every.hidden = !waits(); },
    bulk: (picked) => [
      button(`Accept ${count(picked().length)}`, { kind: 'small primary', onclick: () => confirm('accept', picked()) }),
      button(`Correct ${count(picked().length)}`, { kind: 'small', onclick: () => correct(picked()) }),
      button(`Reject ${count(picked().length)}`, { kind: 'small danger', onclick: () => confirm('reject', picked()) })],
    none: () => {
      const narrowed = filter.provider || filter.category;
      return empty(narrowed ? 'Nothing here' : waits() ? 'All is decided' : 'Nothing decided yet', narrowed ? 'Choose other filters.' : waits() ? 'What a provider is not sure of, and what none could answer, waits here for a person.' : '');
    },
  });
  const { list } = queue;
  const status = select(STATUSES, filter.status);
  const provider = select([['', 'All providers'], ...PROVIDERS.map((name) => [name, named(name)])], filter.provider);
  const category = select([['', 'All categories']], '');
  let kinds = new Categories([]);

  // What was decided last on this screen, as it is now; several that were decided together.
  let last = [];
  const back = button('Take back the last decision', { kind: 'small', hidden: true, onclick: () => undo() });

  const waits = () => filter.status !== 'decided';

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
      waits() ? queue.pick(r.id, name) : h('span', {}),
      h('div', { class: 'review-main' },
        h('div', { class: 'proposal-head' }, h('h2', {}, r.product.id && r.current ? h('a', { href: `#/products/${encodeURIComponent(r.product.id)}` }, name) : name), chip(REASONS[r.reason], r.reason === 'failed' ? 'bad' : 'warn')),
        about && h('p', { class: 'sub clamp' }, about),
        r.category ? h('p', { class: 'review-answer' }, h('span', { class: 'label' }, 'Found'), h('b', {}, kinds.label(r.category)), h('span', { class: 'fine' }, kinds.trail(kinds.byKey.get(r.category))))
          : h('p', { class: 'review-answer' }, h('span', { class: 'label' }, 'Found'), h('span', {}, r.failure ? unanswered(r.failure) : 'nothing')),
        r.rationale && h('p', { class: 'rationale' }, r.rationale),
        now(r),
        h('p', { class: 'fine' }, [r.provider && named(r.provider), r.model].filter(Boolean).join(' · '), r.provider && ' · ', h('time', { datetime: r.created_at, title: dateTime(r.created_at) }, ago(r.created_at)))),
      h('div', { class: 'review-side' },
        r.confidence !== null && h('div', { class: 'review-sure' }, meter(r.confidence, `Confidence for ${name}`), r.raw_confidence !== r.confidence && h('p', { class: 'fine' }, `${r.provider ? named(r.provider) : 'It'} said ${r.raw_confidence} %`)),
        waits() ? h('div', { class: 'proposal-actions' },
          r.category && button('Accept', { kind: 'small primary', glyph: 'check', 'aria-label': `Accept ${kinds.label(r.category)} for ${name}`, onclick: () => decide(r, 'accept') }),
          button('Correct', { kind: 'small', 'aria-label': `Correct the category of ${name}`, onclick: () => correct([r]) }),
          button('Reject', { kind: 'small danger', 'aria-label': `Reject ${name}`, onclick: () => decide(r, 'reject') })) : [outcome(r),
          h('div', { class: 'proposal-actions' }, button('Take back', { kind: 'small', 'aria-label': `Take back the decision on ${name}`, onclick: () => takeBack(r) }))]),
      h('div', { class: 'proposal-trouble' }));
  }

  const body = (decision, to) => ({ decision, ...(to && { category: to }) });

  const send = async (r, decision, to) => (await post(`${PATH}/${encodeURIComponent(r.id)}`, body(decision, to), new Intent(), undefined, r.version ? { 'If-Match': `"${r.version}"` } : {})).data;

  const decide = (r, decision, to) => queue.decide(r.id, async () => remember([await send(r, decision, to)]), `${DONE[decision]} ${r.product.name}`);

  function remember(decided) {
    last = decided;
    back.hidden = !last.length;
    back.querySelector('span').textContent = last.length > 1 ? `Take back the last ${plural(last.length, 'decision')}` : 'Take back the last decision';
  }

  const takeBack = (r) => queue.decide(r.id, () => send(r, 'reopen'), TAKEN_BACK + r.product.name);

  // Where the entries are no longer shown: they are back in their places when the queue is read again.
  async function undo() {
    const some = last;
    remember([]);
    try {
      for (const r of some) await send(r, 'reopen');
      await list.read();
      list.results.querySelector(`[data-id="${CSS.escape(some[0].id)}"]`)?.focus();
      announce(TAKEN_BACK + (some.length > 1 ? plural(some.length, 'product') : some[0].product.name));
    } catch (error) {
      if (some.length > 1) list.read();
      if (error.status !== 401) toast(error.status === 412 ? 'The product or its entry has changed meanwhile: look at it among what is decided.' : error.detail ?? error.title ?? 'It was not taken back.', 'bad');
    }
  }

  const sendAll = async (some, decision, to, intent) => {
    const { data } = await post(PATH, { ids: some.map((x) => x.id), ...body(decision, to) }, intent);
    const failed = new Set(data.results.filter((x) => x.status === 'failed').map((x) => x.id));
    // Which versions they have now is not told.
    remember(some.filter((x) => !failed.has(x.id)).map(({ id, product }) => ({ id, product })));
    return () => queue.conclude(data.results, (n) => `${DONE[decision]} ${plural(n, 'product')}`);
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
    const r = queue.current();
    const open = r && waits() ? r : null;
    const some = queue.picked();
    // What is selected is decided together.
    if (some.length && ['a', 'c', 'r'].includes(key)) return { a: () => confirm('accept', some), c: () => correct(some), r: () => confirm('reject', some) }[key];
    return {
      j: () => queue.step(1), k: () => queue.step(-1), a: open?.category && (() => decide(open, 'accept')), c: open && (() => correct([open])), r: open && (() => decide(open, 'reject')),
      x: open && (() => queue.toggle(open.id)), u: waits() ? last.length && undo : r && (() => takeBack(r)),
    }[key];
  }, signal);

  const apply = () => {
    remember([]);
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
      queue.head, back, keys, list.results, list.foot,
    ], { class: 'card flush' }),
  ];
}
