// A queue of what a person decides: selected, stepped through and taken out, so that keys alone work it off.
import { h, fill } from './dom.js';
import { count } from './format.js';
import { pages } from './pages.js';
import { announce, failure, toast } from './ui.js';

// As many as one request may decide.
const MOST = 100;

// `card` draws a row, `none` stands for no rows, `bulk` are the buttons for what is selected;
// `counted` tells how many wait, `stale` that one has changed; `ahead` rows before the end more are read.
export function decisionQueue({ path, of, filter, label, card, none, bulk, counted, stale, painted = () => {}, ahead = 0, size = 50, signal }) {
  const chosen = new Set();
  const list = pages({
    path, of, filter, paint, signal, size, waiting: 4,
    taken: (data, cursor) => {
      if (!cursor) chosen.clear();
      [total, atLeast] = [data.total, data.total_is_minimum];
    },
  });
  const actions = h('div', { class: 'actions' });
  const all = h('input', { type: 'checkbox', onchange: () => chooseAll(all.checked) });
  const every = h('label', { class: 'check' }, all, h('span', { class: 'sr' }, 'Select all shown'));
  let total = 0;
  let atLeast = false;

  const cardOf = (id) => list.results.querySelector(`[data-id="${CSS.escape(id)}"]`);
  const current = () => list.rows.find((x) => x.id === document.activeElement?.closest('[data-id]')?.dataset.id);
  const picked = () => list.rows.filter((x) => chosen.has(x.id));

  function paintBulk() {
    const n = chosen.size;
    all.checked = n > 0 && n === list.rows.length;
    all.indeterminate = n > 0 && n < list.rows.length;
    fill(actions, n > 0 && bulk(picked));
  }

  function paintCount() {
    list.counted.textContent = counted(total && `${count(total)}${atLeast ? '+' : ''}`);
  }

  function paint() {
    paintCount();
    paintBulk();
    painted();
    fill(list.results, list.rows.length ? h('ul', { class: 'proposals', 'aria-label': label }, list.rows.map(card)) : none());
  }

  function choose(id, on) {
    if (on) chosen.add(id);
    else chosen.delete(id);
    paintBulk();
  }

  function chooseAll(on) {
    chosen.clear();
    if (on) list.rows.slice(0, MOST).forEach((x) => chosen.add(x.id));
    for (const box of list.results.querySelectorAll('.pick')) box.checked = chosen.has(box.closest('[data-id]').dataset.id);
    paintBulk();
  }

  const pick = (id, name) => h('input', { type: 'checkbox', class: 'pick', 'aria-label': `Select ${name}`, checked: chosen.has(id), onchange: (event) => choose(id, event.currentTarget.checked) });

  function toggle(id) {
    const box = cardOf(id).querySelector('.pick');
    box.checked = !box.checked;
    choose(id, box.checked);
  }

  function focus(id) {
    cardOf(id)?.focus();
    if (list.next && list.rows.findIndex((x) => x.id === id) >= list.rows.length - ahead && !list.results.getAttribute('aria-busy')) more(id);
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

  // Takes decided ones out; the next in line has the focus.
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
    const changed = error.status === 412;
    fill(box.querySelector('.proposal-trouble'), failure(changed ? { title: stale, detail: 'Look at it again before you decide.' } : error, changed ? () => list.read() : null));
    box.focus();
  }

  async function decide(id, send, told) {
    const box = cardOf(id);
    if (!box || box.getAttribute('aria-busy')) return;
    box.setAttribute('aria-busy', 'true');
    try {
      await send();
      settle([id]);
      announce(told);
    } catch (error) {
      box.removeAttribute('aria-busy');
      if (error.status !== 401) trouble(id, error);
    }
  }

  // What became of several at once; `told` words how many were decided.
  function conclude(results, told) {
    const failed = results.filter((x) => x.status === 'failed');
    settle(results.filter((x) => x.status !== 'failed').map((x) => x.id));
    failed.forEach((x) => trouble(x.id, { title: 'Not decided', detail: x.detail ?? 'Try it by itself.' }));
    toast(`${told(results.length - failed.length)}${failed.length ? `, ${failed.length} not` : ''}.`, failed.length ? 'bad' : 'good');
  }

  const head = h('div', { class: 'results-head' }, every, list.counted, h('span', { class: 'spread' }), actions);
  return { list, head, every, current, picked, pick, toggle, step, settle, decide, conclude };
}

// What follows waits until the dialog is gone: behind it nothing can take the focus.
export function ask(open) {
  let after = null;
  const box = open((then) => { after = then; });
  box.addEventListener('close', () => after?.());
}
