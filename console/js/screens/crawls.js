import { Intent, get, post } from '../api.js';
import { h, fill } from '../dom.js';
import { ago, count, dateTime, plural, title as named } from '../format.js';
import { follow } from '../live.js';
import { announce, button, card, dialog, empty, failure, field, heading, link, note, progress, select, skeleton, state, table, toast } from '../ui.js';

export const title = 'Crawls';

const ENDED = ['stopped', 'completed', 'failed'];
const LATELY = 50;

export const nameOf = (job) => `${named(job.retailer)}, ${named(job.category)}`;

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// Nothing is said that nobody knows: while lists are unread there is neither a share nor an end.
function wordsOf(job) {
  if (job.status === 'queued') return job.group_id ? 'Waits for a place or its pod.' : 'Waits for its pod.';
  const pages = job.progress === null || job.pages_total === null
    ? `${plural(job.pages_done, 'page')} so far; how many there will be is not known yet`
    : `${count(job.pages_done)} of ${plural(job.pages_total, 'page')}`;
  const rate = job.pages_per_second ? `, ${job.pages_per_second.toFixed(1)} a second` : '';
  const left = job.seconds_left === null || job.status === 'stopping' ? '' : `, about ${duration(job.seconds_left)} left`;
  return `${pages}${rate}${left}${job.note ? `. ${job.note}` : ''}`;
}

function entry(first, stop) {
  const chips = h('span', {});
  const found = h('b', {});
  const failed = h('span', {});
  const bar = progress(`Progress of ${nameOf(first)}`);
  const trouble = h('div', { class: 'crawl-trouble' });
  const end = button('Stop', { kind: 'small danger', 'aria-label': `Stop ${nameOf(first)}`, onclick: () => stop(first.job_id, end, trouble) });
  const node = h('li', { class: 'crawl' },
    h('div', { class: 'crawl-head' }, h('b', {}, nameOf(first)), chips, first.schedule_id && h('a', { href: '#/schedules', class: 'sub' }, 'by schedule')),
    end, bar.node,
    h('div', { class: 'crawl-figures sub' }, h('span', {}, found, ' products found'), failed), trouble);
  const set = (job) => {
    fill(chips, state(job.status));
    bar.set(job.progress, wordsOf(job));
    found.textContent = count(job.products_found);
    failed.textContent = job.pages_failed ? `${plural(job.pages_failed, 'page')} failed` : '';
    end.disabled = job.status === 'stopping';
  };
  set(first);
  return { node, set, end };
}

export function screen({ signal }) {
  const jobs = new Map();
  const shown = new Map();
  const linked = h('span', { class: 'link-state', role: 'status' }, 'Connecting…');
  const list = h('ul', { class: 'crawls', 'aria-label': 'Crawls that go on' });
  const going = h('div', { 'aria-busy': 'true' }, skeleton(3, 'row'));
  const ended = h('div', { 'aria-busy': 'true' }, skeleton(3, 'row'));
  let retailers = null;

  async function stop(id, control, trouble) {
    control.disabled = true;
    fill(trouble);
    try {
      take((await post(`/api/crawler/stop/${encodeURIComponent(id)}`, undefined, new Intent())).data);
    } catch (error) {
      control.disabled = false;
      fill(trouble, failure(error));
    }
  }

  // A status that was asked for may be older than what the socket has told meanwhile.
  function take(job) {
    const before = jobs.get(job.job_id);
    if (job.error && !job.status) return;
    if (before && (before.version > job.version || ENDED.includes(before.status))) return;
    jobs.set(job.job_id, job);
    if (before && ENDED.includes(job.status)) announce(`${nameOf(job)}: ${job.status}. ${plural(job.products_found, 'product')} found.`);
    paint(job);
  }

  function paint(job) {
    if (ENDED.includes(job.status)) {
      const gone = shown.get(job.job_id);
      const focused = gone?.node.contains(document.activeElement);
      gone?.node.remove();
      shown.delete(job.job_id);
      paintEnded();
      if (focused) document.querySelector('h1')?.focus();
    } else if (shown.has(job.job_id)) {
      shown.get(job.job_id).set(job);
    } else {
      const made = entry(job, stop);
      shown.set(job.job_id, made);
      list.prepend(made.node);
    }
    paintGoing();
  }

  function paintGoing() {
    if (!shown.size) {
      fill(going, empty('No crawl goes on', 'Start one, or have a schedule do it.', button('Start a crawl', { kind: 'primary', onclick: start }), link('Schedules', '#/schedules')));
    } else if (!list.isConnected) fill(going, list);
  }

  function paintEnded() {
    const rows = [...jobs.values()].filter((job) => ENDED.includes(job.status)).sort((a, b) => b.finished_at?.localeCompare(a.finished_at)).slice(0, LATELY);
    fill(ended, rows.length ? table({
      caption: 'Crawls that ended lately',
      columns: [{ label: 'Crawl', row: true }, { label: 'Ended' }, { label: 'Pages', kind: 'num c-mid' }, { label: 'Products', kind: 'num' }, { label: 'Took', kind: 'num c-wide' }],
      rows: rows.map((job) => ({ cells: [
        h('div', { class: 'product-text' }, h('b', {}, nameOf(job)), job.error && h('span', { class: 'sub' }, job.error)),
        h('div', { class: 'when' }, h('span', {}, state(job.status)), h('time', { class: 'sub', datetime: job.finished_at, title: dateTime(job.finished_at) }, ago(job.finished_at))),
        count(job.pages_done), count(job.products_found), duration(job.duration_seconds),
      ] })),
    }) : empty('No crawl has ended yet', ''));
  }

  async function start() {
    const intent = new Intent();
    let begun = null;
    const known = retailers ?? [];
    if (!known.length) {
      dialog({ title: 'Start a crawl', cancel: 'Close', body: [note('warn', 'There is nothing to crawl', h('p', {}, 'A super admin first stores a retailer’s recipe.'))] });
      return;
    }
    const retailer = select(known.map((r) => [r.retailer, named(r.retailer)]), known[0].retailer);
    const category = select([], '');
    const pages = h('input', { type: 'number', min: 1, step: 1, inputmode: 'numeric', class: 'tabular', placeholder: 'All' });
    const force = h('input', { type: 'checkbox', name: 'force' });
    const offer = () => {
      const starts = Object.keys(known.find((r) => r.retailer === retailer.value).start_urls).sort();
      fill(category, starts.map((c) => h('option', { value: c }, named(c))));
    };
    offer();
    retailer.addEventListener('change', offer);
    const box = dialog({
      title: 'Start a crawl', confirm: 'Start',
      body: [
        field('retailer', 'Retailer', retailer), field('category', 'Category', category), field('max_pages', 'At most so many pages', pages),
        h('label', { class: 'check' }, force, h('span', {}, 'Although it was crawled lately')),
      ],
      act: async () => {
        const body = { retailer: retailer.value, category: category.value };
        if (pages.value) body.max_pages = Number(pages.value);
        if (force.checked) body.force = true;
        begun = (await post('/api/crawler/start', body, intent)).data;
      },
    });
    box.addEventListener('close', async () => {
      if (!begun) return;
      toast('The crawl is queued.');
      const { data } = await get(`/api/crawler/status/${encodeURIComponent(begun.job_id)}`, signal);
      take(data);
      shown.get(data.job_id)?.end.focus();
    });
  }

  async function read() {
    const { data } = await get(`/api/crawler/jobs?limit=${LATELY}`, signal);
    data.jobs.forEach(take);
    paintGoing();
    paintEnded();
    going.removeAttribute('aria-busy');
    ended.removeAttribute('aria-busy');
  }

  async function begin() {
    try {
      const [{ data }] = await Promise.all([get('/api/crawler/retailers', signal), read()]);
      retailers = data.retailers;
    } catch (error) {
      if (signal.aborted || error.status === 401) return;
      for (const region of [going, ended]) region.removeAttribute('aria-busy');
      fill(ended);
      fill(going, failure(error, begin));
      return;
    }
    follow(signal, {
      state: take,
      lost: () => read().catch(() => {}),
      linked: (is) => {
        linked.classList.toggle('live', is);
        linked.textContent = is ? 'Live' : 'Not live: asking again';
      },
    });
  }
  begin();
  return [
    h('link', { rel: 'stylesheet', href: '/crawls.css' }),
    heading('Crawls', { lead: 'What is being crawled now, and what was lately.', actions: [button('Start a crawl', { kind: 'primary', glyph: 'play', onclick: start })] }),
    card('Going on', going, { class: 'card flush', actions: linked }),
    card('Ended lately', ended, { class: 'card flush', actions: link('Results', '#/results', { kind: 'small' }) }),
  ];
}
