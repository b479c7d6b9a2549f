import { get, request, wait } from '../api.js';
import { h, fill } from '../dom.js';
import { ago, bytes, count, dateTime, plural, title as named } from '../format.js';
import { pages } from '../pages.js';
import { card, chip, dialog, empty, heading, iconButton, link, state, table, toast } from '../ui.js';

export const title = 'Crawl results';

const PATH = '/api/crawler/results';
const COUNTS = [['new', 'new'], ['changed', 'changed'], ['unchanged', 'unchanged'], ['quarantined', 'quarantined'], ['failed', 'failed']];
const LOOK_MS = 3000;
const FIRST_LOOKS = 5;
const WAITING = { pending: 'Not taken in yet', running: 'Being taken in', failed: 'Not taken in' };

const underWay = (r) => r.ingestion === 'pending' || r.ingestion === 'running';

export function screen({ signal }) {
  const list = pages({ path: PATH, of: 'results', paint: () => paint(), signal, size: 20 });

  // A crawl that has just ended is not listed at once, and then still taken in: both are looked for.
  async function look(times = 0) {
    let again = times;
    try {
      await wait(LOOK_MS, signal);
      const waiting = list.rows.some(underWay);
      if (waiting || times < FIRST_LOOKS) {
        again += 1;
        const { data } = await get(`${PATH}?limit=20`, signal);
        const known = new Map(list.rows.map((r) => [r.job_id, r]));
        const fresh = new Map(data.results.map((r) => [r.job_id, r]));
        const moved = data.results.filter((r) => known.get(r.job_id)?.ingestion !== r.ingestion);
        if (moved.length) {
          list.rows = [...moved.filter((r) => !known.has(r.job_id)), ...list.rows.map((r) => (underWay(r) ? fresh.get(r.job_id) ?? r : r))];
          paint();
        }
      }
    } catch (error) {
      if (signal.aborted || error.status === 401) return;
    }
    look(again);
  }

  const remove = (r) => dialog({
    title: 'Delete this result?', confirm: 'Delete', tone: 'danger solid',
    body: [h('p', {}, `What the crawl of ${named(r.retailer)}, ${named(r.category)} stored goes. Products and prices that came of it stay.`)],
    act: async () => {
      await request('DELETE', `${PATH}/${encodeURIComponent(r.job_id)}`);
      list.rows = list.rows.filter((x) => x.job_id !== r.job_id);
      paint();
      toast('Result deleted.');
    },
  });

  function became(r) {
    if (r.ingestion !== 'done') return chip(WAITING[r.ingestion], r.ingestion === 'failed' ? 'bad' : 'warn');
    const told = COUNTS.filter(([key]) => r[key] > 0);
    return h('div', { class: 'counts' }, told.length
      ? told.map(([key, word]) => h('span', {}, h('b', {}, count(r[key])), ` ${word}`))
      : h('span', {}, 'Nothing'));
  }

  function rowOf(r) {
    const name = `${named(r.retailer)}, ${named(r.category)}`;
    return {
      cells: [
        h('div', { class: 'product-text' }, h('b', {}, name), h('time', { class: 'sub', datetime: r.finished_at, title: dateTime(r.finished_at) }, ago(r.finished_at)), r.error && h('span', { class: 'sub' }, r.error), h('span', { class: 'only-narrow' }, state(r.status))),
        h('div', { class: 'when' }, h('span', {}, state(r.status)), r.whole === false && h('span', { class: 'sub' }, 'Some pages are missing')),
        h('div', { class: 'when' }, r.rows === null ? '–' : plural(r.rows, 'row'), h('span', { class: 'sub' }, `${plural(r.pages_done, 'page')}${r.errors ? `, ${plural(r.errors, 'error')}` : ''}`)),
        became(r),
        h('span', { class: 'row-actions' },
          r.link && link(bytes(r.size_bytes ?? 0), r.link, { kind: 'small', glyph: 'download', 'aria-label': `Download ${name}, ${bytes(r.size_bytes ?? 0)}`, title: `The link works until ${dateTime(r.link_expires_at)}`, rel: 'noreferrer' }),
          iconButton(`Delete the result of ${name}`, 'trash', { disabled: underWay(r), onclick: () => remove(r) })),
      ],
    };
  }

  function paint() {
    const { rows } = list;
    list.counted.textContent = rows.length ? `${plural(rows.length, 'result')}${list.next ? ', more below' : ''}` : '';
    fill(list.results, rows.length
      ? table({ caption: 'Crawl results', columns: [{ label: 'Crawl', row: true }, { label: 'Ended', kind: 'c-mid' }, { label: 'Found', kind: 'c-wide' }, { label: 'In the catalogue' }, { label: h('span', { class: 'sr' }, 'Actions'), kind: 'num' }], rows: rows.map(rowOf) })
      : empty('No results yet', 'What a crawl has found is listed here once it has ended.', link('Crawls', '#/crawls', { kind: 'primary' })));
  }
  list.read();
  look();
  return [
    h('link', { rel: 'stylesheet', href: '/crawls.css' }),
    heading('Crawl results', { lead: 'What crawls found, and what became of it in the catalogue.', actions: [link('Quarantined prices', '#/quarantine')] }),
    card(null, [h('div', { class: 'results-head first' }, list.counted), list.results, list.foot], { class: 'card flush', 'aria-label': 'Results' }),
  ];
}
