import { Intent, get, post, query as search, wait } from '../api.js';
import { Categories, categories, stats } from '../catalog.js';
import { h, fill } from '../dom.js';
import { ago, count, dateTime, dollars, percent, plural, title as named, unanswered } from '../format.js';
import { pages } from '../pages.js';
import { go, replace } from '../router.js';
import { announce, button, card, dialog, empty, failure, field, heading, link, meter, offerChoices, progress, select, skeleton, state, table, toast } from '../ui.js';

export const title = 'Batches';

const PATH = '/classify-batch';
const ACTIVE = new Set(['queued', 'running', 'cancelling']);
const VERDICTS = [['', 'All results'], ['successful', 'Successful'], ['review', 'In the review queue'], ['failed', 'Failed']];
const SOURCES = { neighbour: 'like a known product', cache: 'answered before', twin: 'the same in this batch' };
const EVERY = 2000;
const address = (id) => `${PATH}/${encodeURIComponent(id)}`;

// Asks again while there is something to see, more rarely where asking fails.
async function repeat(read, signal) {
  for (let rest = EVERY; ;) {
    try {
      await wait(rest, signal);
      if (document.hidden) continue;
      if (!await read()) return;
      rest = EVERY;
    } catch (error) {
      if (error.name === 'AbortError' || error.status === 401) return;
      rest = Math.max(rest * 2, error.retryAfter * 1000);
    }
  }
}

function start({ kinds, shops, signal }) {
  const intent = new Intent();
  const retailer = select([], '');
  const category = select([], '');
  const words = h('input', { type: 'search', autocomplete: 'off', maxlength: 100 });
  const provider = select([['', 'As in the settings'], ...['groq', 'gemini', 'cerebras', 'openrouter', 'local'].map((name) => [name, named(name)])], '');
  const fits = h('p', { class: 'fine', role: 'status' });
  let asked = 0;
  const filter = () => Object.fromEntries(Object.entries({ retailer: retailer.value, category: category.value, q: words.value.trim() }).filter(([, v]) => v));
  const tell = async () => {
    asked += 1;
    const mine = asked;
    try {
      const { data } = await get(`/api/products${search({ ...filter(), limit: 1 })}`, signal);
      if (mine === asked) fits.textContent = `${count(data.total)}${data.total_is_minimum ? '+' : ''} products fit; at most 10,000 go in a batch.`;
    } catch {
      if (mine === asked) fits.textContent = '';
    }
  };
  offerChoices(retailer, 'All retailers', shops.map((key) => [key, named(key)]));
  offerChoices(category, 'All categories', kinds.options());
  const box = dialog({
    title: 'Classify products of the catalogue', confirm: 'Begin',
    body: [field('retailer', 'Retailer', retailer), field('category', 'Category now', category), field('q', 'Words', words, 'Two letters or more.'), field('provider', 'Begin with', provider), fits],
    act: async () => {
      const { data } = await post(PATH, { filter: filter(), ...(provider.value && { provider: provider.value }) }, intent);
      toast(`A batch of ${plural(data.total, 'product')} has begun.`);
      go(`/batches/${encodeURIComponent(data.batch_id)}`);
    },
  });
  box.querySelector('form').addEventListener('change', tell);
  tell();
}

const told = (b) => [`${count(b.done)} of ${count(b.total)}`, b.review && `${count(b.review)} to review`, b.failed && `${count(b.failed)} failed`].filter(Boolean).join(', ');

function overview({ signal }) {
  const list = pages({ path: PATH, of: 'batches', paint: () => paint(), signal, size: 20 });
  const begin = button('New batch', { kind: 'primary', glyph: 'plus', disabled: true });

  const cells = (b) => ({ cells: [
    h('a', { href: `#/batches/${encodeURIComponent(b.batch_id)}` }, h('time', { datetime: b.created_at, title: dateTime(b.created_at) }, ago(b.created_at))),
    state(b.status),
    h('div', { class: 'cell-progress' }, h('progress', { max: b.total || 1, value: b.done, 'aria-label': `Progress of the batch of ${dateTime(b.created_at)}` }), h('span', { class: 'sub tabular' }, told(b))),
    dollars(b.cost), count(b.calls)] });

  function paint() {
    list.counted.textContent = list.rows.length ? `${plural(list.rows.length, 'batch', 'batches')}${list.next ? ', more below' : ''}` : 'No batches';
    const focused = document.activeElement?.closest?.('.results a')?.getAttribute('href');
    fill(list.results, list.rows.length ? table({
      caption: 'Batches', rows: list.rows.map(cells),
      columns: [{ label: 'Begun', row: true }, { label: 'Status' }, { label: 'Progress' }, { label: 'Cost', kind: 'num' }, { label: 'Calls', kind: 'num' }],
    }) : empty('No batches yet', 'A batch classifies up to 10,000 products while you do something else.'));
    if (focused) list.results.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  async function open() {
    const [tree, numbers] = await Promise.all([categories(signal).catch(() => []), stats(signal).catch(() => ({}))]);
    if (signal.aborted) return;
    const kinds = new Categories(tree, Object.keys(numbers.by_category ?? {}));
    begin.addEventListener('click', () => start({ kinds, shops: Object.keys(numbers.by_retailer ?? {}).sort(), signal }));
    begin.disabled = false;
    await list.read();
    // Only what is under way changes; it stands on the first page.
    repeat(async () => {
      if (!list.rows.some((b) => ACTIVE.has(b.status))) return true;
      const { data } = await get(`${PATH}${search({ limit: 20 })}`, signal);
      const fresh = new Map(data.batches.map((b) => [b.batch_id, b]));
      list.rows = list.rows.map((b) => fresh.get(b.batch_id) ?? b);
      paint();
      return true;
    }, signal);
  }

  list.wait();
  open();
  return [
    h('link', { rel: 'stylesheet', href: '/classification.css' }),
    heading('Batches', { lead: 'Many products classified in the background.', actions: [link('Classify a few', '#/classify', { glyph: 'classify' }), begin] }),
    card(null, [h('div', { class: 'results-head first' }, list.counted), list.results, list.foot], { class: 'card flush' }),
  ];
}

function detail({ id, path, query, signal }) {
  const filter = { verdict: query.verdict ?? '' };
  const bar = progress('Reading…');
  const facts = h('div', {}, skeleton(2));
  const trouble = h('div', {});
  const closing = h('div', { class: 'batch-closing' });
  const actions = h('div', { class: 'actions' });
  const verdict = select(VERDICTS, filter.verdict, { onchange: () => { filter.verdict = verdict.value; replace(path, filter); list.read(); } });
  const list = pages({ path: `${address(id)}/items`, of: 'items', filter: () => filter, paint: () => paintItems(), signal, size: 50 });
  const fresh = button('Show what has come since', { kind: 'small', hidden: true, glyph: 'refresh', onclick: () => list.read() });
  let kinds = new Categories([]);
  let shown = 0;
  let batch = null;

  const figure = (label, n, tone, hint) => h('div', { class: `figure ${tone}` }, h('h3', {}, label), h('p', { class: `big tabular ${tone === 'when' ? 'worded' : ''}` }, n), hint && h('p', { class: 'muted' }, hint));

  function cancel() {
    const intent = new Intent();
    dialog({
      title: 'Cancel this batch?', confirm: 'Cancel the batch', tone: 'danger solid', cancel: 'Keep it',
      body: [h('p', {}, 'What has not begun is left out. Results that are there stay.')],
      act: async () => {
        const { data } = await post(`${address(id)}/cancel`, {}, intent);
        paint(data);
      },
    });
  }

  function paint(b) {
    const ended = batch && ACTIVE.has(batch.status) && !ACTIVE.has(b.status);
    const before = batch;
    batch = b;
    bar.set(percent(b.done, b.total), `${named(b.status)}: ${count(b.done)} of ${plural(b.total, 'product')}`);
    fill(facts, h('div', { class: 'figures batch-figures' },
      figure('Successful', count(b.successful), b.successful ? 'good' : ''), figure('To review', count(b.review), b.review ? 'warn' : ''), figure('Failed', count(b.failed), b.failed ? 'bad' : ''),
      figure('Cost', dollars(b.cost), '', `${plural(b.calls, 'call')}`),
      figure('Begun', ago(b.started_at ?? b.created_at), 'when', b.finished_at ? `ended ${ago(b.finished_at)}` : null)));
    if (before?.status !== b.status || (before.review > 0) !== (b.review > 0)) {
      fill(closing, b.status === 'cancelling' && h('p', { class: 'muted' }, 'Nothing more begins. What had begun may still end, so the batch closes a few minutes after it was cancelled.'));
      fill(actions, b.review > 0 && link('Review queue', '#/reviews', { glyph: 'reviews' }), ['queued', 'running'].includes(b.status) && button('Cancel', { kind: 'danger', onclick: cancel }));
    }
    fresh.hidden = b.done <= shown;
    if (ended) {
      announce(`The batch is ${named(b.status).toLowerCase()}`);
      list.read();
    }
  }

  const item = (x) => ({ cells: [
    h('div', { class: 'batch-item' }, x.product.id ? h('a', { href: `#/products/${encodeURIComponent(x.product.id)}` }, x.product.name) : x.product.name, h('span', { class: 'sub' }, x.failure ? unanswered(x.failure) : x.rationale)),
    x.category ? kinds.label(x.category) : '–',
    x.confidence === null || x.confidence === undefined ? '–' : meter(x.confidence, `Confidence for ${x.product.name}`),
    state(x.verdict),
    h('div', { class: 'batch-item' }, x.provider ? named(x.provider) : '–', h('span', { class: 'sub' }, SOURCES[x.source] ?? x.model))] });

  function paintItems() {
    shown = batch?.done ?? 0;
    fresh.hidden = true;
    list.counted.textContent = list.rows.length ? `${plural(list.rows.length, 'result')}${list.next ? ', more below' : ''}` : 'No results';
    fill(list.results, list.rows.length ? table({
      caption: 'Results', rows: list.rows.map(item),
      columns: [{ label: 'Product', row: true }, { label: 'Category' }, { label: 'Confidence' }, { label: 'Verdict' }, { label: 'Answered by' }],
    }) : empty(filter.verdict ? 'None of these' : 'No results yet', filter.verdict ? 'Choose another kind of result.' : 'They appear here as they come.'));
  }

  async function read() {
    const { data } = await get(address(id), signal);
    fill(trouble);
    paint(data);
    return ACTIVE.has(data.status);
  }

  async function open() {
    try {
      const [tree, active] = await Promise.all([categories(signal).catch(() => []), read()]);
      kinds = new Categories(tree);
      list.read();
      if (active) repeat(read, signal);
    } catch (error) {
      if (error.name === 'AbortError' || error.status === 401) return;
      fill(facts);
      fill(trouble, failure(error, open));
    }
  }

  open();
  return [
    h('link', { rel: 'stylesheet', href: '/classification.css' }),
    heading('Batch', { crumbs: h('nav', { class: 'crumbs', 'aria-label': 'Where this is' }, h('a', { href: '#/batches' }, 'Batches')), actions: [actions] }),
    trouble,
    h('section', { class: 'card', 'aria-label': 'Progress' }, h('div', { class: 'classify-progress' }, bar.node, closing), facts),
    card('Results', [h('div', { class: 'results-head' }, list.counted, h('span', { class: 'spread' }), fresh, h('label', { class: 'inline' }, h('span', { class: 'sr' }, 'Which results'), verdict)), list.results, list.foot], { class: 'card flush' }),
  ];
}

export const screen = (given) => (given.id ? detail(given) : overview(given));
