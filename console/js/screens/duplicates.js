import { Categories, categories, stats } from '../catalog.js';
import { comparison } from '../comparison.js';
import { h, fill } from '../dom.js';
import { evidenceOf } from '../evidence.js';
import { plural, title as named } from '../format.js';
import { shortcuts } from '../keys.js';
import { pages } from '../pages.js';
import { replace } from '../router.js';
import { announce, button, card, dialog, empty, failure, field, heading, iconButton, meter, note, offerChoices, select, table, toast } from '../ui.js';
import * as deciding from './duplicates_deciding.js';
import { rematch } from './duplicates_rematch.js';

export const title = 'Duplicates';

const PATH = '/api/products/duplicates';
const KEYS = [['j', 'next'], ['k', 'previous'], ['1–9', 'tick'], ['s', 'same'], ['d', 'different'], ['m', 'merge'], ['u', 'undo'], ['?', 'help']];
// How many have to be ticked, merged ones counting as one.
const FEWEST = { same: 2, different: 1, merge: 2 };
const HELP = [
  ['j', 'The next group'], ['k', 'The group before'],
  ['1 – 9', 'Tick an offer, or untick it'], ['Shift + 1 – 9', 'Make an offer the primary one of a merge'], ['e', 'The evidence of the next pair'],
  ['s', 'The ticked offers are the same product, and those not ticked are not'], ['d', 'Each ticked offer is a product of its own'],
  ['m', 'Merge the ticked offers into one product'], ['u', 'Undo what was done last'],
  ['o', 'Overrule what was said before, where that stands in the way'],
];
// Read on before the queue runs out.
const AHEAD = 3;

const nameOf = (group) => group.products[0].name;

export function screen({ path, query, signal }) {
  const filter = { threshold: query.threshold ?? '', retailer: query.retailer ?? '', category: query.category ?? '' };
  const list = pages({ path: PATH, of: 'groups', filter: () => filter, paint: () => paint(), signal, size: 20, more: 'Show more groups' });
  const stage = h('div', { class: 'stage' });
  const trouble = h('div', { class: 'stage-trouble' });
  const undoing = button('Undo', { kind: 'small undo', hidden: true, glyph: 'back', onclick: () => undo() });
  const threshold = h('input', { type: 'range', min: 0, max: 100, step: 5, value: filter.threshold || 50 });
  const least = h('output', { class: 'tabular' });
  const retailer = select([['', 'All retailers']], '');
  const category = select([['', 'All categories']], '');
  // What is ticked in each group, its primary offer, and the pair whose evidence is shown.
  const choices = new Map();
  const history = [];
  let kinds = new Categories([]);
  let shown = null;
  let busy = false;
  // What is done once somebody has said it once more.
  let overruling = null;
  let products = 0;
  // Until the slider is moved, the settings say what counts as the same.
  let moved = filter.threshold !== '';

  const group = () => list.rows.find((x) => x.id === shown);

  function choice(of) {
    if (!choices.has(of.id)) choices.set(of.id, { ticked: new Set(of.products.map((p) => p.id)), primary: of.products[0].id, pair: 0 });
    return choices.get(of.id);
  }

  // A repaint takes the focus away from what was used; its like gets it back.
  function repaint(again) {
    paintGroup();
    stage.querySelector(again)?.focus({ preventScroll: true });
  }

  function quiet() {
    overruling = null;
    fill(trouble);
  }

  function tick(id) {
    const of = group();
    const made = choice(of);
    const on = !made.ticked.has(id);
    for (const each of deciding.unit(of, id)) made.ticked[on ? 'add' : 'delete'](each);
    quiet();
    if (!made.ticked.has(made.primary)) made.primary = of.products.find((p) => made.ticked.has(p.id))?.id ?? of.products[0].id;
    repaint(`[data-tick="${CSS.escape(id)}"]`);
    announce(verdict(of));
  }

  function choose(id) {
    const made = choice(group());
    for (const each of deciding.unit(group(), id)) made.ticked.add(each);
    made.primary = id;
    quiet();
    repaint(`[data-primary="${CSS.escape(id)}"]`);
  }

  function pairOf(index) {
    choice(group()).pair = index;
    repaint(`[name=pair][value="${index}"]`);
  }

  const numbers = (of, ids) => of.products.map((p, i) => [p.id, i + 1]).filter(([id]) => ids.has(id)).map(([, n]) => n).join(', ').replace(/, (\d+)$/, ' and $1');

  function verdict(of) {
    const { ticked } = choice(of);
    const rest = new Set(of.products.map((p) => p.id).filter((id) => !ticked.has(id)));
    if (!ticked.size) return 'Tick the offers that are one product.';
    if (deciding.units(of, ticked).length === 1) return `Tick another offer, or say with D that ${numbers(of, ticked)} ${ticked.size > 1 ? 'are' : 'is'} a product of its own.`;
    return `Are ${numbers(of, ticked)} the same product${rest.size ? `, and ${numbers(of, rest)} not` : ''}?`;
  }

  function evidence(of) {
    const made = choice(of);
    const place = new Map(of.products.map((p, i) => [p.id, i + 1]));
    const pair = of.pairs[made.pair] ?? of.pairs[0];
    if (!pair) return h('p', { class: 'muted' }, 'No pair of these was compared by itself.');
    return [
      of.pairs.length > 1 && h('fieldset', { class: 'pair-set' }, h('legend', { class: 'label' }, 'Evidence for'), of.pairs.map((p, i) =>
        h('label', { class: 'pair-choice' }, h('input', { type: 'radio', name: 'pair', value: i, checked: p === pair, onchange: () => pairOf(i) }),
          h('span', {}, h('b', {}, [p.a, p.b].map((id) => place.get(id)).sort().join(' and ')), ` ${Math.round(p.confidence)} %${p.decision ? ', confirmed' : ''}`)))),
      evidenceOf(pair.evidence, pair.confidence),
    ];
  }

  function paintGroup() {
    const of = group();
    if (!of) {
      fill(stage);
      return;
    }
    const { ticked, primary } = choice(of);
    const size = deciding.units(of, ticked).length;
    const at = list.rows.indexOf(of) + 1;
    fill(stage,
      h('div', { class: 'stage-head' },
        h('h2', { tabindex: '-1' }, h('span', { class: 'sr' }, `Group ${at}: `), nameOf(of)),
        h('p', { class: 'sub' }, `${at} of ${list.rows.length}${list.next ? '+' : ''} · ${plural(of.products.length, 'offer')} · ${Math.round(of.confidence)} % sure`),
        h('span', { class: 'spread' }),
        h('span', { class: 'row-actions' }, iconButton('Previous group', 'back', { disabled: at === 1, onclick: () => step(-1) }), iconButton('Next group', 'more', { disabled: at === list.rows.length, onclick: () => step(1) }))),
      comparison({ products: of.products, ticked, primary, kinds, tick, choose }),
      h('div', { class: 'weighed' }, evidence(of)),
      trouble,
      h('div', { class: 'deciding' }, h('p', {}, verdict(of)),
        h('div', { class: 'actions' },
          button('Same', { kind: 'primary', glyph: 'check', disabled: size < FEWEST.same, onclick: () => act('same') }),
          button('Different', { kind: 'danger', glyph: 'close', disabled: size < FEWEST.different, onclick: () => act('different') }),
          button('Merge', { glyph: 'merge', disabled: size < FEWEST.merge, onclick: () => act('merge') }))));
  }

  const entry = (of) => h('li', {}, h('button', { type: 'button', class: 'queue-entry', 'data-id': of.id, 'aria-current': of.id === shown && 'true', onclick: () => show(of.id) },
    h('span', { class: 'queue-name' }, nameOf(of)),
    h('span', { class: 'sub' }, [...new Set(of.products.map((p) => named(p.retailer)))].join(', ')),
    meter(of.confidence, `Confidence for ${nameOf(of)}`)));

  function paintQueue() {
    const narrowed = filter.threshold || filter.retailer || filter.category;
    list.counted.textContent = list.rows.length ? `${plural(list.rows.length, 'group')}${list.next ? ', more below' : ''}` : 'No groups';
    fill(list.results, list.rows.length ? h('ol', { class: 'queue-list', 'aria-label': 'Groups' }, list.rows.map(entry))
      : list.next ? note('info', null, h('p', {}, 'Nothing among the pairs looked through so far.'))
        : empty('No duplicates here', narrowed ? 'Lower the confidence, or choose other filters.' : 'Offers that look like one product appear here once they are matched.'));
    paintUndo();
  }

  function paintUndo() {
    const last = history.at(-1);
    undoing.hidden = !last;
    undoing.lastChild.textContent = last ? `Undo: ${last.told}` : '';
  }

  function paint() {
    if (!group()) shown = list.rows[0]?.id ?? null;
    const [inQueue, inStage] = [list.results, stage].map((place) => place.contains(document.activeElement));
    paintQueue();
    paintGroup();
    if (inQueue) list.results.querySelector('[aria-current]')?.focus();
    if (inStage) stage.querySelector('h2')?.focus({ preventScroll: true });
  }

  function show(id) {
    shown = id;
    quiet();
    for (const one of list.results.querySelectorAll('.queue-entry')) {
      if (one.dataset.id === id) one.setAttribute('aria-current', 'true');
      else one.removeAttribute('aria-current');
    }
    paintGroup();
    list.results.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
    stage.querySelector('h2')?.focus({ preventScroll: true });
    if (list.next && list.rows.indexOf(group()) >= list.rows.length - AHEAD && !list.results.getAttribute('aria-busy')) list.read(list.next);
  }

  function step(by) {
    const at = list.rows.findIndex((x) => x.id === shown);
    const to = list.rows[Math.max(0, Math.min(list.rows.length - 1, at + by))];
    if (to) show(to.id);
  }

  // `left` is what the group is now; nothing where nothing is left to ask.
  function settle(of, left) {
    // Other filters may have been chosen meanwhile.
    const at = Math.max(0, list.rows.indexOf(of));
    list.rows = list.rows.flatMap((x) => (x === of ? left ?? [] : [x]));
    choices.delete(of.id);
    const onward = list.rows[at] ?? list.rows.at(-1);
    shown = onward?.id ?? null;
    paint();
    if (onward) show(onward.id);
    else if (list.next) list.read(list.next);
    else list.counted.focus();
  }

  // One thing at a time, and what fails can be tried again as the same request.
  async function work(doing, again = null) {
    if (busy) return;
    busy = true;
    stage.setAttribute('aria-busy', 'true');
    quiet();
    try {
      await doing();
    } catch (error) {
      if (error.status === 401 || signal.aborted) return;
      // Without a group there is no place beside it.
      if (!group()) toast(error.message, 'bad');
      else fill(trouble, failure(error, error.retryable ? () => work(doing, again) : null));
      if (group() && error.overrulable) {
        overruling = again;
        trouble.append(button('Overrule what was said before (O)', { kind: 'small danger', onclick: again }));
      }
    } finally {
      busy = false;
      stage.removeAttribute('aria-busy');
    }
  }

  function carry(doing, again = false) {
    const of = group();
    work(async () => {
      const back = await doing.act(again);
      const told = `${doing.word}, ${nameOf(of)}`;
      if (back) history.push({ of, at: Math.max(0, list.rows.indexOf(of)), told, back });
      settle(of, doing.left);
      announce(told);
    }, () => carry(doing, true));
  }

  function act(kind) {
    const of = group();
    const { ticked, primary } = choice(of);
    if (deciding.units(of, ticked).length >= FEWEST[kind]) carry(deciding[kind](of, ticked, primary));
  }

  function undo() {
    const last = history.at(-1);
    if (!last) return;
    work(async () => {
      await last.back();
      history.pop();
      list.rows = list.rows.filter((x) => x.id !== last.of.id);
      list.rows.splice(last.at, 0, last.of);
      choices.delete(last.of.id);
      shown = last.of.id;
      paint();
      show(shown);
      announce(`Undone: ${last.told}`);
    });
  }

  const help = () => dialog({
    title: 'Keys', cancel: 'Close',
    body: [table({ caption: 'Keys', kind: 'compact', columns: [{ label: 'Key', row: true }, { label: 'What it does' }], rows: HELP.map(([key, what]) => ({ cells: [h('kbd', {}, key), what] })) })],
  });

  function meaning({ key, code, shiftKey }) {
    if (key === '?') return help;
    const of = group();
    if (key === 'u') return history.length && undo;
    if (!of) return null;
    if (key === 'o') return overruling;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(code);
    const offer = digit && of.products[digit[1] - 1];
    if (offer) return () => (shiftKey ? choose : tick)(offer.id);
    return { j: () => step(1), k: () => step(-1), s: () => act('same'), d: () => act('different'), m: () => act('merge'), e: () => pairOf((choice(of).pair + 1) % Math.max(1, of.pairs.length)) }[key];
  }

  function read() {
    shown = null;
    fill(stage);
    list.read();
  }

  const say = (set) => { least.textContent = set ? `from ${threshold.value} %` : 'as set'; };
  const apply = () => {
    Object.assign(filter, { threshold: moved ? threshold.value : '', retailer: retailer.value, category: category.value });
    write();
    read();
  };
  let running = query.rematch ?? '';
  const write = () => replace(path, { ...filter, rematch: running });
  const again = rematch({ id: running, signal, total: () => products, remember: (id) => { running = id; write(); }, finished: read });
  threshold.addEventListener('input', () => { moved = true; say(true); });
  say(moved);

  async function begin() {
    const [tree, totals] = await Promise.all([categories(signal).catch(() => []), stats(signal).catch(() => ({}))]);
    if (signal.aborted) return;
    kinds = new Categories(tree, Object.keys(totals.by_category ?? {}));
    products = totals.total ?? 0;
    offerChoices(retailer, 'All retailers', Object.keys(totals.by_retailer ?? {}).sort().map((key) => [key, named(key)]), filter.retailer);
    offerChoices(category, 'All categories', tree.length ? kinds.options() : [], filter.category);
    list.read();
  }

  list.wait();
  begin();
  return [
    h('link', { rel: 'stylesheet', href: '/duplicates.css' }),
    heading('Duplicates', { lead: 'Offers that look like one product, and why.', actions: [again.start] }),
    again.region,
    card(null, [
      h('form', { class: 'filters three', role: 'search', 'aria-label': 'Duplicates', onchange: apply, onsubmit: (event) => event.preventDefault() },
        h('div', { class: 'sliding' }, field('threshold', 'Confidence', threshold), least), field('retailer', 'Retailer', retailer), field('category', 'Category', category)),
      h('div', { class: 'results-head' }, list.counted, h('span', { class: 'spread' }), undoing),
      shortcuts(KEYS, meaning, signal),
      h('div', { class: 'queue' }, h('div', { class: 'queue-side' }, list.results, list.foot), stage),
    ], { class: 'card flush' }),
  ];
}
