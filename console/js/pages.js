// A list that is read page by page: the newest question wins, and a page that failed is asked for again.
import { get, query } from './api.js';
import { h, fill } from './dom.js';
import { button, failure, skeleton } from './ui.js';

// `of` names the rows in an answer; `paint` draws what is in `rows` now, `taken` learns of each answer.
export function pages({ path, of, filter = () => ({}), paint, taken = () => {}, signal, size = 50, waiting = 6, more = 'Show more' }) {
  const results = h('div', { class: 'results' });
  const foot = h('div', { class: 'more' });
  const counted = h('p', { class: 'count', role: 'status', tabindex: '-1' });
  let asked = 0;

  function wait() {
    results.setAttribute('aria-busy', 'true');
    fill(results, skeleton(waiting, 'row'));
  }

  async function read(cursor = '') {
    asked += 1;
    const mine = asked;
    if (cursor) results.setAttribute('aria-busy', 'true');
    else wait();
    fill(foot);
    try {
      const { data } = await get(`${path}${query({ ...filter(), limit: size, cursor })}`, signal);
      if (mine !== asked) return;
      list.rows = cursor ? [...list.rows, ...data[of]] : data[of];
      list.next = data.next_cursor;
      taken(data, cursor);
      paint();
      fill(foot, list.next && button(more, { onclick: () => read(list.next) }));
    } catch (error) {
      if (mine !== asked || error.name === 'AbortError' || error.status === 401) return;
      if (!cursor) counted.textContent = '';
      fill(cursor ? foot : results, failure(error, () => read(cursor)));
    } finally {
      if (mine === asked) results.removeAttribute('aria-busy');
    }
  }

  const list = { rows: [], next: null, results, foot, counted, wait, read };
  return list;
}
