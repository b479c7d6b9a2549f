import { get, wait } from '../api.js';
import { h, s, fill } from '../dom.js';
import { ago, count, dateTime, plural, timeOfDay, title as named } from '../format.js';
import { announce, button, card, empty, failure, heading, skeleton, state } from '../ui.js';

export const title = 'System status';

const EVERY = 5000;
const KEEP = 30;
const WORDS = { ok: 'Everything works', degraded: 'Some parts are impaired', down: 'A needed part is down' };
const ORDER = ['down', 'degraded', 'ok', 'off'];

function spark(values) {
  if (values.length < 2) return s('svg', { class: 'spark', viewBox: '0 0 120 28', 'aria-hidden': 'true' });
  const most = Math.max(...values, 1);
  // The newest value stands at the right edge and the older ones move left.
  const x = (i) => 120 - ((values.length - 1 - i) / (KEEP - 1)) * 120;
  const points = values.map((v, i) => `${x(i).toFixed(1)},${(26 - (v / most) * 23).toFixed(1)}`);
  return s('svg', { class: 'spark', viewBox: '0 0 120 28', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    s('polygon', { points: `${x(0).toFixed(1)},28 ${points.join(' ')} 120,28`, class: 'spark-area' }),
    s('polyline', { points: points.join(' '), class: 'spark-line' }));
}

export function screen({ signal }) {
  const banner = h('div', {});
  const parts = h('div', { class: 'parts' }, skeleton(6, 'tile'));
  const trouble = h('div', {});
  const seen = new Map();
  let paused = false;
  let said = '';
  let now = new AbortController();

  const pause = button('Pause', {
    glyph: 'pause',
    onclick: () => {
      paused = !paused;
      const fresh = button(paused ? 'Resume' : 'Pause', { glyph: paused ? 'play' : 'pause' });
      fill(pause, [...fresh.childNodes]);
      announce(paused ? 'Updates paused' : 'Updates resumed');
      if (!paused) now.abort();
    },
  });

  function tile(part) {
    const values = seen.get(part.name) ?? [];
    const known = part.state !== 'off' && Number.isFinite(part.latency_ms);
    if (known) values.push(part.latency_ms);
    seen.set(part.name, values.slice(-KEEP));
    return h('li', { class: `part ${part.state}` },
      h('div', { class: 'part-head' }, h('h3', {}, named(part.name)), state(part.state)),
      Number.isFinite(part.count)
        ? h('p', { class: 'part-n tabular' }, `${count(part.count)}${part.count_is_minimum ? '+' : ''}`)
        : h('p', { class: 'part-n tabular' }, known ? [String(Math.round(part.latency_ms)), h('span', { class: 'unit' }, ' ms')] : '–'),
      spark(seen.get(part.name)),
      h('p', { class: 'part-detail' }, part.detail || (part.state === 'off' ? 'Not configured' : '')),
      part.last_error && part.state !== 'down'
        && h('p', { class: 'sub' }, `Failed ${ago(part.last_error.at)}: ${part.last_error.detail}`));
  }

  // Only text, since each answer draws it anew and would take the focus from anything in it.
  const items = (part) => card(named(part.name), h('ul', { class: 'items' }, part.items.map((item) => h('li', {},
    h('span', { class: 'item-name' }, named(item.name), item.last_error && h('span', { class: 'sub' }, item.last_error)),
    item.last_run_at && h('time', { class: 'fine', datetime: item.last_run_at, title: dateTime(item.last_run_at) }, ago(item.last_run_at)),
    state(item.state)))));

  function paint(data) {
    const bad = data.parts.filter((p) => p.state === 'down' || p.state === 'degraded').length;
    fill(banner, h('div', { class: `banner ${data.status}` },
      h('span', { class: 'pulse', 'aria-hidden': 'true' }),
      h('div', {}, h('h2', {}, WORDS[data.status] ?? named(data.status)),
        h('p', {}, bad ? `${bad} of ${plural(data.parts.length, 'part')} ${bad === 1 ? 'needs' : 'need'} attention` : `${plural(data.parts.filter((p) => p.state === 'ok').length, 'part')} answering`)),
      h('p', { class: 'banner-time tabular' }, 'Checked ', h('time', { datetime: data.checked_at }, timeOfDay(data.checked_at)))));
    const sorted = [...data.parts].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
    const several = sorted.filter((p) => p.items?.length);
    fill(parts, sorted.length ? h('ul', { class: 'part-grid' }, sorted.map(tile)) : empty('No parts are reported'),
      several.length > 0 && h('div', { class: 'halves' }, several.map(items)));
    // Every poll would be noise to a screen reader; a change of state is news.
    const news = `${WORDS[data.status] ?? data.status}. ${sorted.filter((p) => p.state !== 'ok' && p.state !== 'off').map((p) => `${p.name} ${p.state}`).join(', ')}`;
    if (said && said !== news) announce(news);
    said = news;
  }

  async function run() {
    while (!signal.aborted) {
      let rest = EVERY;
      if (!paused && !document.hidden) {
        try {
          const { data } = await get('/system/status', signal);
          paint(data);
          fill(trouble);
        } catch (error) {
          if (error.name === 'AbortError' || error.status === 401) return;
          fill(trouble, failure(error));
          if (!said) fill(parts);
          rest = Math.max(EVERY, error.retryAfter * 1000);
        }
      }
      now = new AbortController();
      try {
        await wait(rest, AbortSignal.any([signal, now.signal]));
      } catch {
        // Left, or resumed: the loop decides.
      }
    }
  }
  run();

  return [heading('System status', { lead: 'Asked again every five seconds while this screen is open.', actions: [pause] }), trouble, banner, parts];
}
