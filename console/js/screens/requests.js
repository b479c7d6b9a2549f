import { get, query as toQuery, request } from '../api.js';
import { h, fill } from '../dom.js';
import { ago, count, dateTime, plural, title as named } from '../format.js';
import { pages } from '../pages.js';
import { replace } from '../router.js';
import { announce, button, card, dialog, empty, field, heading, select, state, table, toast } from '../ui.js';

export const title = 'Requests';

const PATH = '/api/product-requests';
const STATUSES = ['open', 'planned', 'done', 'rejected'];
const SORTS = [['-count', 'Most asked'], ['-created_at', 'Newest']];

export function screen({ path, query, signal }) {
  const filter = { status: STATUSES.includes(query.status) ? query.status : '', sort: SORTS.some(([key]) => key === query.sort) ? query.sort : '-count' };
  const list = pages({
    path: PATH, of: 'requests', filter: () => filter, paint: () => paint(), signal,
    taken: (data, cursor) => { if (cursor) announce(`${plural(data.requests.length, 'request')} more`); },
  });
  const status = select([['', 'Any status'], ...STATUSES.map((x) => [x, named(x)])], filter.status);
  const sort = select(SORTS, filter.sort);

  function change(wish) {
    let version = wish.version;
    const to = select(STATUSES.map((x) => [x, named(x)]), wish.status);
    const words = h('textarea', { rows: 4, maxlength: 1000 });
    words.value = wish.note;
    dialog({
      title: `Answer the request for ${wish.name}`, confirm: 'Save',
      body: [h('p', { class: 'muted' }, `${plural(wish.count, 'shopper')} asked, last ${ago(wish.last_asked_at)}.`), field('status', 'Status', to), field('note', 'Note', words, 'For colleagues; shoppers do not see it.')],
      act: async () => {
        try {
          const { data } = await request('PUT', `${PATH}/${encodeURIComponent(wish.id)}`, { body: { status: to.value, note: words.value.trim() }, headers: { 'If-Match': `"${version}"` } });
          put(data);
          toast('The request is saved.');
        } catch (error) {
          if (error.status !== 412) throw error;
          const now = await current(wish);
          if (!now) throw error;
          version = now.version;
          throw Object.assign(new Error(), {
            title: 'Someone else answered this request meanwhile',
            detail: `It is now ${named(now.status).toLowerCase()}${now.note ? ` with the note “${now.note}”` : ''}. Save again to replace that with your answer.`,
          });
        }
      },
    });
  }

  // There is no address of a single request; the list has it among the newest changes.
  async function current(wish) {
    const { data } = await get(`${PATH}${toQuery({ sort: filter.sort, limit: 100 })}`, signal);
    const now = data.requests.find((x) => x.id === wish.id);
    if (now) put(now);
    return now;
  }

  function put(fresh) {
    list.rows = list.rows.map((x) => (x.id === fresh.id ? fresh : x)).filter((x) => !filter.status || x.status === filter.status);
    paint();
  }

  function rowOf(wish) {
    return {
      cells: [
        h('div', { class: 'product-text' }, h('b', {}, wish.name), h('span', { class: 'sub' }, [wish.brand, wish.size, wish.retailer && named(wish.retailer)].filter(Boolean).join(' · ')), wish.note && h('span', { class: 'sub quoted' }, wish.note), h('span', { class: 'only-narrow' }, state(wish.status))),
        h('b', { class: 'tabular' }, count(wish.count)),
        state(wish.status),
        h('time', { datetime: wish.last_asked_at, title: dateTime(wish.last_asked_at) }, ago(wish.last_asked_at)),
        button('Answer', { kind: 'small', 'aria-label': `Answer the request for ${wish.name}`, onclick: () => change(wish) }),
      ],
    };
  }

  function paint() {
    const { rows } = list;
    list.counted.textContent = rows.length ? `${plural(rows.length, 'request')}${list.next ? ', more below' : ''}` : 'No requests';
    fill(list.results, rows.length
      ? table({
        caption: 'Product requests', kind: 'requests',
        columns: [{ label: 'Product', row: true }, { label: 'Asked by', kind: 'num' }, { label: 'Status', kind: 'c-mid' }, { label: 'Last asked', kind: 'num c-wide' }, { label: h('span', { class: 'sr' }, 'Answer'), kind: 'num' }],
        rows: rows.map(rowOf),
      })
      : empty(filter.status ? `No request is ${filter.status}` : 'Nobody has asked for a product yet', filter.status ? 'Choose another status.' : 'What shoppers ask for in the shop appears here, with how many asked.'));
  }

  const apply = () => {
    filter.status = status.value;
    filter.sort = sort.value;
    replace(path, { status: filter.status, sort: filter.sort === '-count' ? '' : filter.sort });
    list.read();
  };
  list.read();
  return [
    heading('Requests', { lead: 'Products that shoppers miss; the same wish is counted once for each shopper and day.' }),
    card(null, [
      h('form', { class: 'filters few', role: 'search', 'aria-label': 'Requests', onchange: apply, onsubmit: (event) => event.preventDefault() }, field('status', 'Status', status), field('sort', 'Order', sort)),
      h('div', { class: 'results-head' }, list.counted),
      list.results, list.foot,
    ], { class: 'card flush' }),
  ];
}
